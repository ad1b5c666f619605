"""``/api/v1/loss-windows``, the freshness and the gauges: who learns that events may have been lost."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from flask.testing import FlaskClient
from werkzeug import Request, Response

from services.catalog.clients.metrics import DeliveryCounters
from services.catalog.domain.losses import Reason, Suspicion
from services.catalog.storage.loss_windows import open_window
from shared.clock import utc_now
from shared.database import Database
from shared.oci.names import RepositoryName
from shared.upstream import UpstreamSession
from tests.support.auth import assert_problem
from tests.support.catalog import moment
from tests.support.serving import serving
from tests.support.visibility import EVERYTHING, NOBODY, AuthAnswers, subject

PATH = "/api/v1/loss-windows"


@pytest.fixture(autouse=True)
def people(auth: AuthAnswers) -> None:
    auth.visibility |= {
        "Bearer administrator": {**EVERYTHING, "subject": subject("root", administrator=True)},
        "Bearer auditor": {**EVERYTHING, "subject": subject("ada", auditor=True)},
        "Bearer robot": {**EVERYTHING, "subject": {**subject("ci"), "kind": "robot"}},
        "Bearer jane": {**NOBODY, "namespaces": ["jane"], "subject": subject("jane")},
    }


@pytest.fixture
def suspect(index: Database) -> Callable[..., None]:
    """A function that opens a window."""

    def suspect(*repositories: str, reason: Reason = Reason.RESTART) -> None:
        names = frozenset(map(RepositoryName, repositories)) or None
        suspicion = Suspicion("registry.example:5000", reason, moment(1), moment(60), names)
        with index.write() as connection:
            open_window(connection, suspicion, now=utc_now())

    return suspect


Suspect = Callable[..., None]


def get(client: FlaskClient, path: str, *, as_: str | None = "Bearer administrator") -> Response:
    return client.get(path, headers={"Authorization": as_} if as_ else {})


def test_a_window_says_when_and_why(client: FlaskClient, suspect: Suspect) -> None:
    suspect()

    (window,) = get(client, PATH).get_json()
    assert window.pop("opened_at")
    assert window == {
        "id": 1,
        "registry": "registry.example:5000",
        "reason": "restart",
        "open": True,
        "since": "2026-11-23T12:00:01+00:00",
        "until": "2026-11-23T12:01:00+00:00",
        "everything": True,
        "repositories_count": 0,
        "causes": 1,
        "missing": 0,
        "attempts": 0,
        "crawl_started_at": None,
        "closed_at": None,
        "repaired": 0,
        "left_open": 0,
    }


def test_one_window_says_which_repositories(client: FlaskClient, suspect: Suspect) -> None:
    suspect("team/b", "team/a", reason=Reason.SILENT_PUSH)

    window = get(client, f"{PATH}/1").get_json()

    assert (window["everything"], window["repositories_count"]) == (False, 2)
    assert window["repositories"] == ["team/a", "team/b"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [2, 1]),
        ("?sort_order=asc", [1, 2]),
        ("?reason=gap", [2]),
        ("?open=true", [2, 1]),
        ("?open=false", []),
        ("?opened_at_until=2020-01-01", []),
        ("?per_page=1&page=2", [1]),
    ],
)
def test_a_list_can_be_narrowed(client: FlaskClient, suspect: Suspect, query: str, ids: list[int]) -> None:
    suspect()
    suspect(reason=Reason.GAP)

    assert [window["id"] for window in get(client, PATH + query).get_json()] == ids


@pytest.mark.parametrize("query", ["?reason=bad", "?open=perhaps", "?page=0", "?unknown=1"])
def test_a_bad_parameter_is_refused(client: FlaskClient, query: str) -> None:
    assert get(client, PATH + query).status_code == 422


@pytest.mark.parametrize("path", [PATH, f"{PATH}/1"])
def test_who_may_look(client: FlaskClient, suspect: Suspect, path: str) -> None:
    suspect()

    got = {
        caller: get(client, path, as_=caller and f"Bearer {caller}").status_code
        for caller in (None, "stolen", "jane", "robot", "auditor", "administrator")
    }

    assert got == {None: 401, "stolen": 401, "jane": 403, "robot": 403, "auditor": 200, "administrator": 200}


def test_a_window_that_is_not_there_is_not_found(client: FlaskClient) -> None:
    assert_problem(get(client, f"{PATH}/7"), 404, "no such loss window")  # type: ignore[arg-type]


def test_the_freshness_tells_everybody_and_names_no_repository(client: FlaskClient, suspect: Suspect) -> None:
    assert get(client, "/api/v1/freshness", as_=None).get_json()["possible_loss"] is None

    suspect("jane/secret", reason=Reason.SILENT_PUSH)
    suspect()

    answer = get(client, "/api/v1/freshness", as_=None)
    assert answer.get_json()["possible_loss"] == {
        "count": 2,
        "since": "2026-11-23T12:00:01+00:00",
        "reasons": ["restart", "silent_push"],
    }
    assert "secret" not in answer.get_data(as_text=True)


def test_open_windows_are_measured(client: FlaskClient, suspect: Suspect) -> None:
    page = client.get("/metrics").get_data(as_text=True)
    assert 'portus_catalog_loss_windows_open{reason="restart"} 0.0' in page
    assert 'portus_catalog_possible_loss_seconds{index="catalog"} 0.0' in page

    suspect()

    page = client.get("/metrics").get_data(as_text=True)
    assert 'portus_catalog_loss_windows_open{reason="restart"} 1.0' in page
    assert 'portus_catalog_possible_loss_seconds{index="catalog"} 0.0' not in page


PAGE = """
# HELP registry_notifications_events_total The number of total events
# TYPE registry_notifications_events_total counter
registry_notifications_events_total{endpoint="portus",type="Events"} 9
registry_notifications_events_total{endpoint="portus",type="Successes"} 7
registry_notifications_events_total{endpoint="other",type="Successes"} 100
registry_notifications_events_total{endpoint="portus",type="Failures"} 2
# HELP go_goroutines Number of goroutines that currently exist.
# TYPE go_goroutines gauge
go_goroutines 12
"""


def always(page: Response) -> Callable[..., object]:
    """Return an application with one answer."""
    return Request.application(lambda _: page)


class TestCounters:
    """The page on which a registry of the 3.x line counts its deliveries."""

    @pytest.fixture
    def reading(self) -> Iterator[Callable[..., DeliveryCounters]]:
        """A function that serves pages and returns what reads them."""
        with ExitStack() as served:

            def serve(*pages: Response) -> DeliveryCounters:
                urls = [served.enter_context(serving(always(page))) for page in pages]
                sessions = [UpstreamSession("metrics", f"{url}/metrics", retries=0) for url in urls]
                return DeliveryCounters(sessions, endpoint="portus")

            yield serve

    def test_our_endpoints_deliveries_are_read(self, reading: Callable[..., DeliveryCounters]) -> None:
        counted = reading(Response(PAGE), Response(PAGE.replace(" 7", " 1.2e+01"))).read()

        assert counted
        assert sorted(counted.values()) == [7, 12]

    @pytest.mark.parametrize(
        "page",
        [
            pytest.param(Response("no", 404), id="it is elsewhere"),
            pytest.param(Response("no", 500), id="it is broken"),
            pytest.param(Response("{nonsense"), id="it is no such page"),
            pytest.param(Response(b"\xff\xff"), id="it is no text"),
            pytest.param(Response(PAGE.replace(" 7", " NaN")), id="it is no number"),
        ],
    )
    def test_one_that_does_not_say_leaves_all_unsaid(
        self, reading: Callable[..., DeliveryCounters], page: Response
    ) -> None:
        assert reading(Response(PAGE), page).read() is None

    def test_a_registry_that_counts_nothing_yet_has_delivered_nothing(
        self, reading: Callable[..., DeliveryCounters]
    ) -> None:
        counted = reading(Response("go_goroutines 12\n")).read()

        assert counted
        assert list(counted.values()) == [0]
