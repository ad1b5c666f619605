"""The promises that every API makes about its errors, paging and health."""

from collections.abc import Callable
from http import HTTPStatus

import pytest
from flask import Blueprint, Flask, Response, jsonify, request
from flask.testing import FlaskClient
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError, TimeoutError
from structlog.testing import capture_logs

from shared.api.application import new_api_app
from shared.api.paging import Page, PageRequest, set_page_headers
from shared.api.peers import PEER_HEADER, require_peer
from shared.api.problems import Problem
from shared.config import Secret

PEER_SECRET = "a-secret-among-peers"


AWAY = (OperationalError, InterfaceError, TimeoutError)


class Missing(Exception):
    """Stands for an error of a service's domain."""


def away(kind: type[SQLAlchemyError]) -> SQLAlchemyError:
    """Return what SQLAlchemy raises when its database does not answer."""
    if issubclass(kind, DBAPIError):
        return kind("SELECT secret_column", {}, Exception("connection refused at 192.0.2.9"))
    return kind("QueuePool limit reached at 192.0.2.9")


@pytest.fixture
def app() -> Flask:
    app = new_api_app(
        "tests", checks={"always": lambda: None, "never": lambda: "mend me"}, errors={Missing: HTTPStatus.NOT_FOUND}
    )
    peers = Blueprint("peers", __name__, url_prefix="/internal/v1")
    require_peer(peers, Secret(PEER_SECRET))
    peers.add_url_rule("/word", view_func=lambda: jsonify(word="peer"))
    app.register_blueprint(peers)
    app.add_url_rule("/missing", view_func=_raise(Missing("there is no such thing")))
    app.add_url_rule("/broken", view_func=_raise(RuntimeError("the password is hunter2")))
    app.add_url_rule("/late", view_func=_raise(Problem(503, "later", headers={"Retry-After": "5"})))
    for kind in AWAY:
        app.add_url_rule(f"/away/{kind.__name__}", view_func=_raise(away(kind)))
    app.add_url_rule("/rows", view_func=_rows)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def _raise(error: Exception) -> Callable[[], Response]:
    def view() -> Response:
        raise error

    view.__name__ = type(error).__name__
    return view


def _rows() -> Response:
    asked = PageRequest(page=int(request.args["page"]), per_page=10)
    return set_page_headers(jsonify([]), Page([], 25, asked))


@pytest.mark.parametrize(
    ("path", "method", "status", "detail"),
    [
        ("/missing", "GET", 404, "there is no such thing"),
        ("/late", "GET", 503, "later"),
        ("/nowhere", "GET", 404, "not found"),
        ("/missing", "POST", 405, "not allowed"),
    ],
)
def test_errors_are_problem_details(client: FlaskClient, path: str, method: str, status: int, detail: str) -> None:
    answer = client.open(path, method=method)

    body = answer.get_json(force=True)
    assert answer.status_code == body["status"] == status
    assert answer.content_type == "application/problem+json"
    assert detail in body["detail"]
    assert body["message"] == body["detail"]
    assert body["request_id"] == answer.headers["X-Request-Id"]


def test_an_unexpected_error_tells_nothing_of_the_inside(client: FlaskClient) -> None:
    answer = client.get("/broken")

    assert answer.status_code == 500
    assert b"hunter2" not in answer.data
    assert b"Traceback" not in answer.data


@pytest.mark.parametrize("kind", AWAY)
def test_a_database_that_is_away_is_503_and_one_line(client: FlaskClient, kind: type[SQLAlchemyError]) -> None:
    with capture_logs() as lines:
        answer = client.get(f"/away/{kind.__name__}")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.content_type == "application/problem+json"
    assert not {"secret_column", "192.0.2.9"} & set(answer.text.split())
    [line] = [line for line in lines if line["event"] != "request.answered"]
    assert (line["event"], line["fault"]) == ("database.away", kind.__name__)
    assert "exc_info" not in line


def test_a_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    assert "GET" in client.post("/missing").headers["Allow"]


def test_a_problem_carries_its_headers(client: FlaskClient) -> None:
    assert client.get("/late").headers["Retry-After"] == "5"


def test_a_peers_request_id_is_taken_over_when_well_formed(client: FlaskClient) -> None:
    kept = client.get("/healthz", headers={"X-Request-Id": "abcdef-123456"})
    refused = client.get("/healthz", headers={"X-Request-Id": "<script>"})

    assert kept.headers["X-Request-Id"] == "abcdef-123456"
    assert refused.headers["X-Request-Id"] != "<script>"


@pytest.mark.parametrize("secret", [None, "", "wrong", PEER_SECRET + "x", "é"])
def test_without_the_peers_secret_internal_routes_do_not_exist(client: FlaskClient, secret: str | None) -> None:
    headers = {} if secret is None else {PEER_HEADER: secret.encode().decode("latin-1")}

    assert client.get("/internal/v1/word", headers=headers).status_code == 404


def test_a_peer_is_let_in(client: FlaskClient) -> None:
    assert client.get("/internal/v1/word", headers={PEER_HEADER: PEER_SECRET}).get_json() == {"word": "peer"}


def test_readiness_says_what_to_mend(client: FlaskClient) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.get_json()["faults"] == {"never": "mend me"}


def test_liveness_and_metrics_answer(client: FlaskClient) -> None:
    assert client.get("/healthz").status_code == 200
    assert b"portus_http_requests_total" in client.get("/metrics").data


def test_made_up_methods_share_one_series(client: FlaskClient) -> None:
    """Whoever can send a request could otherwise fill every process's memory with time series."""
    for method in ("BREW", "PROPFIND", "x" * 64):
        client.open("/healthz", method=method)

    page = client.get("/metrics").text
    assert 'portus_http_requests_total{method="other",route="unmatched",status="405"}' in page
    assert "BREW" not in page


@pytest.mark.parametrize(
    ("page", "previous", "following"), [(1, None, "2"), (2, "1", "3"), (3, "2", None), (9, "3", None)]
)
def test_pages_know_their_neighbours(
    client: FlaskClient, page: int, previous: str | None, following: str | None
) -> None:
    headers = client.get(f"/rows?page={page}&q=a%26b").headers

    assert headers["X-Total"] == "25"
    assert headers["X-Total-Pages"] == "3"
    assert headers["X-Per-Page"] == "10"
    assert headers.get("X-Prev-Page") == previous
    assert headers.get("X-Next-Page") == following
    assert '</rows?q=a%26b&page=3>; rel="last"' in headers["Link"]


def test_a_query_that_is_no_text_is_refused(client: FlaskClient) -> None:
    """A server hands the bytes on as they came; werkzeug would fail when somebody looks into them."""
    answer = client.get("/healthz", environ_overrides={"QUERY_STRING": "page=\x80"})

    assert answer.status_code == 400
    assert "percent-encode" in answer.get_json()["detail"]
