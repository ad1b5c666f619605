"""``/api/v1/repositories``: what it shows, to whom, and how it fails."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug import Response
from werkzeug.test import TestResponse

from services.catalog.app import create_app
from services.catalog.settings import Settings
from shared.database import Database
from shared.visibility.answers import MAX_PATTERNS
from tests.support.catalog import MANIFEST_TYPE, digest_of, pull, push
from tests.support.statements import database_away
from tests.support.visibility import NOBODY, AuthAnswers

D = digest_of("manifest")
BASIC = f"Basic {b64encode(b'jane:password').decode()}"
Tell = Callable[..., None]


def get(client: FlaskClient, path: str, *, as_: str | None = "Bearer administrator") -> TestResponse:
    return client.get(f"/api/v1{path}", headers={"Authorization": as_} if as_ else {})


def id_of(client: FlaskClient, name: str) -> int:
    (found,) = get(client, f"/repositories?name={name}").json  # type: ignore[misc]
    return int(found["id"])


def test_a_repository_has_the_promised_fields(client: FlaskClient, auth: AuthAnswers, tell: Tell) -> None:
    auth.namespaces["Bearer administrator"] = {7: "team"}
    tell(push("1.0", D, 1, repository="team/app"), pull(D, 2, tag="1.0", repository="team/app"))

    (shown,) = get(client, "/repositories").json  # type: ignore[misc]

    created_at = shown.pop("created_at")
    assert created_at.endswith("+00:00")
    assert shown == {
        "id": shown["id"],
        "name": "app",
        "full_name": "team/app",
        "namespace": {"id": 7, "name": "team"},
        "registry_host": "registry.example:5000",
        "registry_hostname": "registry.example:5000",
        "description": None,
        "stars": 0,
        "starred": False,
        "ghost": False,
        "tags_count": 1,
        "size_bytes": 0,
        "pulls": 1,
        "updated_at": "2026-11-23T12:00:01+00:00",
        "destroyable": True,
    }
    assert get(client, f"/repositories/{shown['id']}").json == shown | {"created_at": created_at}


def test_the_global_namespace_goes_by_the_registry_s_host(client: FlaskClient, tell: Tell) -> None:
    tell(push("1.0", D, 1, repository="top"))

    (shown,) = get(client, "/repositories").json  # type: ignore[misc]

    assert (shown["name"], shown["full_name"]) == ("top", "top")
    assert shown["namespace"] == {"id": None, "name": "registry.example:5000"}


def test_a_tag_has_the_promised_fields(client: FlaskClient, tell: Tell) -> None:
    tell(push("1.0", D, 1, actor="jane"), pull(D, 2, tag="1.0"))

    (shown,) = get(client, f"/repositories/{id_of(client, 'team/app')}/tags").json  # type: ignore[misc]

    assert shown == {
        "id": shown["id"],
        "repository_id": 1,
        "repository": "team/app",
        "name": "1.0",
        "digest": D,
        "media_type": MANIFEST_TYPE,
        "artifact_type": None,
        "size_bytes": None,
        "platforms": [],
        "updated_at": "2026-11-23T12:00:01+00:00",
        "first_seen_at": shown["first_seen_at"],
        "pushed_at": "2026-11-23T12:00:01+00:00",
        "pushed_by": "jane",
        "pulled_at": "2026-11-23T12:00:02+00:00",
        "pulls": 1,
        "known": False,
        "referrers": 0,
        "referrer_kinds": [],
        "immutable": False,
        "overwritten": False,
        "dangling": False,
        "scan": None,
        "scanned": 0,
        "vulnerabilities": None,
        "author": {"name": "jane"},
        "image_id": "",
        "size": None,
        "created_at": shown["first_seen_at"],
    }


def test_lists_are_paged_by_the_server(client: FlaskClient, tell: Tell) -> None:
    tell(*(push("1.0", D, 1, id=f"{n}", repository=f"team/app-{n}") for n in range(5)))

    answer = get(client, "/repositories?page=2&per_page=2")

    assert [row["full_name"] for row in answer.json] == ["team/app-2", "team/app-3"]  # type: ignore[union-attr]
    headers = {name: answer.headers[name] for name in ("X-Page", "X-Per-Page", "X-Total", "X-Total-Pages")}
    assert headers == {"X-Page": "2", "X-Per-Page": "2", "X-Total": "5", "X-Total-Pages": "3"}
    assert '</api/v1/repositories?per_page=2&page=3>; rel="next"' in answer.headers["Link"]


def test_tags_are_paged_by_the_server_and_found_by_a_part(client: FlaskClient, tell: Tell) -> None:
    tell(*(push(f"{n}.0", D, n) for n in range(1, 6)))
    repository = id_of(client, "team/app")

    answer = get(client, f"/repositories/{repository}/tags?page=2&per_page=2")
    found = get(client, f"/repositories/{repository}/tags?q=4.")

    assert ([tag["name"] for tag in answer.json], answer.headers["X-Total"]) == (["3.0", "2.0"], "5")  # type: ignore[union-attr]
    assert [tag["name"] for tag in found.json] == ["4.0"]  # type: ignore[union-attr]


def test_lists_are_sorted_as_the_caller_wants(client: FlaskClient, tell: Tell) -> None:
    tell(*(push(name, D, at) for at, name in enumerate(["b", "c", "a"])))
    repository = id_of(client, "team/app")

    found = get(client, f"/repositories/{repository}/tags?sort_attr=name&sort_order=desc").json

    assert [tag["name"] for tag in found] == ["c", "b", "a"]  # type: ignore[union-attr]


@pytest.mark.parametrize("path", ["/repositories", "/repositories/{id}/tags"])
@pytest.mark.parametrize("order", ["", "&sort_attr=id", "&sort_order=asc"])
def test_lists_are_walked_by_key_without_missing_anything(
    path: str, order: str, client: FlaskClient, tell: Tell
) -> None:
    tell(*(push(f"{n}", D, n, id=f"tag-{n}") for n in range(7)))
    tell(*(push("1.0", D, 1, id=f"{n}", repository=f"team/app-{n}") for n in range(6)))
    address, seen = path.format(id=id_of(client, "team/app")) + f"?by_key=true&per_page=3{order}", []

    while address:
        answer = get(client, address)
        seen += [row["id"] for row in answer.json]  # type: ignore[union-attr]
        assert "X-Total" not in answer.headers
        address = answer.headers.get("Link", "").partition(">")[0].removeprefix("</api/v1")

    assert len(seen) == len(set(seen)) == 7


class TestCallers:
    """Who is calling is asked of ``auth`` at every request."""

    @pytest.fixture(autouse=True)
    def filled(self, tell: Tell, auth: AuthAnswers) -> None:
        tell(*(push("1.0", D, 1, id=name, repository=name) for name in ("jane/app", "team/app", "public/app", "top")))
        auth.visibility |= {
            BASIC: {"everything": False, "global_namespace": False, "namespaces": ["jane", "public"]},
            None: {"everything": False, "global_namespace": True, "namespaces": ["public"]},
        }

    @pytest.mark.parametrize(
        ("authorization", "names"),
        [
            pytest.param("Bearer administrator", ["jane/app", "public/app", "team/app", "top"], id="administrator"),
            pytest.param(BASIC, ["jane/app", "public/app"], id="a person with a password"),
            pytest.param(None, ["public/app", "top"], id="anonymous"),
        ],
    )
    def test_see_what_auth_says(self, authorization: str | None, names: list[str], client: FlaskClient) -> None:
        shown = get(client, "/repositories", as_=authorization)

        assert [row["full_name"] for row in shown.json] == names  # type: ignore[union-attr]
        assert shown.headers["X-Total"] == str(len(names))

    def test_are_passed_on_as_they_came(self, client: FlaskClient, auth: AuthAnswers) -> None:
        get(client, "/repositories", as_=BASIC)

        assert [asked["path"] for asked in auth.asked] == ["/internal/v1/visibility", "/internal/v1/repositories"]
        for asked in auth.asked:
            assert asked["Authorization"] == BASIC
            assert (asked["X-Forwarded-For"], asked["User-Agent"]) == ("127.0.0.1", "portus-catalog")

    @pytest.mark.parametrize("part", ["", "/tags"])
    def test_cannot_tell_what_is_hidden_from_what_is_missing(self, part: str, client: FlaskClient) -> None:
        hidden, missing = id_of(client, "team/app"), 10**6

        answers = [get(client, f"/repositories/{number}{part}", as_=BASIC) for number in (hidden, missing)]

        assert [answer.status_code for answer in answers] == [404, 404]
        bodies = [{**(answer.json or {}), "request_id": None} for answer in answers]
        assert bodies[0] == bodies[1]
        assert answers[0].content_type == "application/problem+json"

    @pytest.mark.parametrize("path", ["/repositories", "/repositories/1", "/repositories/1/tags"])
    def test_with_wrong_credentials_are_told_so_in_auths_words(self, path: str, client: FlaskClient) -> None:
        answer = get(client, path, as_="Bearer stolen")

        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="Portus"')
        assert answer.content_type == "application/problem+json"

    def test_that_auth_slows_down_are_told_how_long(self, client: FlaskClient, auth: AuthAnswers) -> None:
        auth.override = Response("", 429, headers={"Retry-After": "17"})

        answer = get(client, "/repositories", as_=BASIC)

        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "17")

    @pytest.mark.parametrize(
        "word",
        [
            pytest.param(Response("", 503), id="it cannot say"),
            pytest.param(Response("", 500), id="it is broken"),
            pytest.param(Response("", 404), id="it does not know us"),
            pytest.param(Response("no JSON"), id="it talks nonsense"),
            pytest.param(Response(json.dumps({"namespaces": ["team"]})), id="it forgets half"),
            pytest.param(Response(json.dumps([])), id="it says something else"),
            pytest.param(Response(json.dumps({**NOBODY, "repositories": ["team/*"]})), id="its patterns are none"),
            pytest.param(
                Response(json.dumps({**NOBODY, "repositories": [{"namespace": "team", "pattern": 1}]})),
                id="its patterns are no texts",
            ),
        ],
    )
    @pytest.mark.parametrize("path", ["/repositories", "/repositories/1", "/repositories/1/tags"])
    def test_are_shown_nothing_when_auth_cannot_say(
        self, word: Response, path: str, client: FlaskClient, auth: AuthAnswers
    ) -> None:
        auth.override = word

        answer = get(client, path)

        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.content_type == "application/problem+json"

    @pytest.mark.parametrize(
        "word",
        [
            pytest.param({}, id="it names none"),
            pytest.param({"team/app": {"namespace_id": 7}}, id="it forgets half"),
            pytest.param({"team/app": {"namespace_id": "7", "allowed": []}}, id="its id is none"),
            pytest.param({"team/app": {"namespace_id": 7, "allowed": [True]}}, id="its actions are none"),
        ],
    )
    @pytest.mark.parametrize("path", ["/repositories?name=team/app", "/repositories/1"])
    def test_are_shown_nothing_when_auth_does_not_say_what_they_may(
        self, word: dict[str, Any], path: str, client: FlaskClient, auth: AuthAnswers, tell: Tell
    ) -> None:
        tell(push("1.0", D, 1, repository="team/app"))
        auth.no_permissions = Response(json.dumps({"repositories": word}))

        assert get(client, path).status_code == 503

    def test_are_shown_nothing_when_auth_is_away(self, catalog_settings: Settings, index: Database) -> None:
        app = create_app(replace(catalog_settings, auth_url="http://127.0.0.1:9"), index)

        assert get(app.test_client(), "/repositories").status_code == 503

    def test_only_a_true_everything_is_everything(self, client: FlaskClient, auth: AuthAnswers) -> None:
        auth.visibility[BASIC] = {"everything": "false", "global_namespace": 1, "namespaces": []}

        assert get(client, "/repositories", as_=BASIC).json == []

    @pytest.mark.parametrize(
        ("namespace", "pattern", "names"),
        [
            ("team", "team/a*", ["team/app"]),
            ("", "t*", ["top"]),
            ("team", "t*", ["team/app"]),
            ("team", "team/app\0", []),
            ("team\0", "*", []),
        ],
    )
    def test_see_single_repositories_by_their_patterns(
        self, namespace: str, pattern: str, names: list[str], client: FlaskClient, auth: AuthAnswers
    ) -> None:
        auth.visibility[BASIC] = {**NOBODY, "repositories": [{"namespace": namespace, "pattern": pattern}]}

        assert [row["full_name"] for row in get(client, "/repositories", as_=BASIC).json or ()] == names

    def test_are_shown_what_the_first_thousand_patterns_name(self, client: FlaskClient, auth: AuthAnswers) -> None:
        listed = [{"namespace": "", "pattern": f"none-{number}"} for number in range(MAX_PATTERNS - 1)]
        listed += [{"namespace": "", "pattern": "top"}, {"namespace": "team", "pattern": "team/app"}]
        auth.visibility[BASIC] = {**NOBODY, "repositories": listed}

        with capture_logs() as lines:
            shown = get(client, "/repositories", as_=BASIC)

        assert [row["full_name"] for row in shown.json or ()] == ["top"]
        assert "auth.too_many_patterns" in {line["event"] for line in lines}


BAD_REQUESTS = [
    ("page=0", "page"),
    ("page=x", "page"),
    ("page=1000001", "page"),
    ("per_page=0", "per_page"),
    ("per_page=101", "per_page"),
    (f"q={'x' * 256}", "q"),
    ("q=", "q"),
    ("sort_attr=secret", "sort_attr"),
    ("nonsense=1", "nonsense"),
    ("by_key=true&sort_attr=namespace", "sort_attr"),
    ("q=%00", "q"),
    (f"namespace={'x' * 256}", "namespace"),
    (f"name={'x' * 256}", "name"),
    ("name=%00", "name"),
]


@pytest.mark.parametrize(("query", "field"), BAD_REQUESTS)
def test_a_bad_parameter_is_named(query: str, field: str, client: FlaskClient) -> None:
    answer = get(client, f"/repositories?{query}")

    assert answer.status_code == 422
    assert field in str(answer.json)


@pytest.mark.parametrize("number", ["9223372036854775807", "9223372036854775808", "-1", "x", "9" * 400])
def test_a_number_that_is_no_id_is_not_found(number: str, client: FlaskClient) -> None:
    assert get(client, f"/repositories/{number}").status_code == 404
    assert get(client, f"/repositories/{number}/tags").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_index_cannot_be_written_through_the_api(method: str, client: FlaskClient) -> None:
    assert client.open("/api/v1/repositories", method=method).status_code == 405


def test_answers_are_for_the_caller_alone(client: FlaskClient) -> None:
    assert get(client, "/repositories").headers["Cache-Control"] == "private, no-store"


def test_the_caller_is_named_behind_as_many_proxies_as_are_trusted(
    catalog_settings: Settings, index: Database, auth: AuthAnswers
) -> None:
    client = create_app(replace(catalog_settings, trusted_proxies=1), index).test_client()

    client.get("/api/v1/repositories", headers={"X-Forwarded-For": "192.0.2.66, 192.0.2.7"})

    assert auth.asked[0]["X-Forwarded-For"] == "192.0.2.7"


def test_freshness_needs_no_credentials(client: FlaskClient, auth: AuthAnswers, tell: Tell) -> None:
    before: Any = get(client, "/freshness", as_=None).json
    tell(push("1.0", D, 1))

    after: Any = get(client, "/freshness", as_=None).json

    assert before == {"indexed_at": None, "crawled_at": None, "waiting": 0, "possible_loss": None}
    assert (after["indexed_at"] is not None, after["waiting"]) == (True, 1)
    assert auth.asked == []


def test_a_database_that_is_away_is_503_for_a_while(client: FlaskClient) -> None:
    with database_away(), capture_logs() as lines:
        answers = [get(client, path) for path in ("/repositories", "/repositories/1", "/repositories/1/tags")]

    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in answers] == [(503, "5")] * 3
    assert {answer.content_type for answer in answers} == {"application/problem+json"}
    assert "secret_column" not in "".join(answer.text for answer in answers)
    assert [line["event"] for line in lines] == ["database.away", "request.answered"] * 3


class TestReadiness:
    """``/readyz`` says what is not in order."""

    def test_all_is_in_order(self, client: FlaskClient) -> None:
        assert client.get("/readyz").json == {"status": "ready", "faults": {}}

    def test_a_database_that_was_not_migrated_and_a_broker_without_queues(self, catalog_settings: Settings) -> None:
        client = create_app(catalog_settings, Database(catalog_settings.database_url.reveal())).test_client()

        answer = client.get("/readyz")

        assert answer.status_code == 503
        assert set((answer.json or {})["faults"]) == {"database", "broker"}


def test_a_page_of_another_host_may_list(client: FlaskClient) -> None:
    answer = client.get("/api/v1/repositories", headers={"Origin": "https://other.example.org"})

    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert client.options("/api/v1/repositories").status_code == 200
