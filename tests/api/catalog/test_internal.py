"""``/internal/v1``: what peers ask, and nobody else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.catalog.app import create_app
from services.catalog.settings import Settings
from shared.api.peers import PEER_HEADER
from shared.database import Database
from tests.conftest import RegistryFactory
from tests.support.catalog import digest_of, push
from tests.support.images import Pusher
from tests.support.visibility import PEER_SECRET

PEER = {PEER_HEADER: PEER_SECRET}
EMPTY = {"repositories": 0, "tags": 0, "size_bytes": 0}
Tell = Callable[..., None]


def usage(client: FlaskClient, query: str = "") -> Any:
    return client.get(f"/internal/v1/usage{query}", headers=PEER).json


def delete(client: FlaskClient, namespace: str, query: str = "") -> TestResponse:
    return client.delete(f"/internal/v1/namespaces/{namespace}/repositories{query}", headers=PEER)


@pytest.fixture
def filled(tell: Tell) -> None:
    names = ("team/app", "team/app", "team/web", "jane/app", "top")
    tell(*(push(f"{n}", digest_of(f"{n}"), n, repository=name) for n, name in enumerate(names)))


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/internal/v1/usage"), ("DELETE", "/internal/v1/namespaces/team/repositories")]
)
@pytest.mark.parametrize("headers", [{}, {PEER_HEADER: "wrong"}, {"Authorization": "Bearer administrator"}])
def test_nobody_but_a_peer_learns_that_there_is_anything(
    method: str, path: str, headers: dict[str, str], client: FlaskClient
) -> None:
    assert client.open(path, method=method, headers=headers).status_code == 404


@pytest.mark.usefixtures("filled")
class TestUsage:
    """How much there is."""

    def test_in_all(self, client: FlaskClient) -> None:
        assert usage(client) == {"repositories": 4, "tags": 5, "size_bytes": 0}

    @pytest.mark.parametrize(
        ("query", "repositories", "tags"),
        [("?namespace=team", 2, 3), ("?namespace=jane", 1, 1), ("?namespace=", 1, 1), ("?namespace=none", 0, 0)],
    )
    def test_in_one_namespace(self, query: str, repositories: int, tags: int, client: FlaskClient) -> None:
        assert usage(client, query) == {"repositories": repositories, "tags": tags, "size_bytes": 0}

    def test_in_each_of_several(self, client: FlaskClient) -> None:
        found = usage(client, "?namespaces=team,,none,team")["namespaces"]

        assert found == {"team": EMPTY | {"repositories": 2, "tags": 3}, "": EMPTY | {"repositories": 1, "tags": 1}} | {
            "none": EMPTY
        }

    def test_of_more_than_a_page_of_namespaces_is_refused(self, client: FlaskClient) -> None:
        names = ",".join(f"n{number}" for number in range(101))

        assert client.get(f"/internal/v1/usage?namespaces={names}", headers=PEER).status_code == 422

    @pytest.mark.parametrize("query", ["?namespace=A", "?namespace=a/b", "?namespaces=a,B", "?namespaces=%00"])
    def test_of_what_is_no_namespace_is_refused(self, query: str, client: FlaskClient) -> None:
        assert client.get(f"/internal/v1/usage{query}", headers=PEER).status_code == 422


def test_nothing_is_there_at_first(client: FlaskClient) -> None:
    assert usage(client) == EMPTY


class TestEmptying:
    """A namespace's repositories are deleted in the registry."""

    @pytest.fixture
    def registry_url(self, registry_factory: RegistryFactory) -> str:
        return registry_factory().url

    @pytest.fixture
    def client(self, registry_url: str, catalog_settings: Settings, index: Database) -> FlaskClient:
        return create_app(replace(catalog_settings, registry_url=registry_url), index).test_client()

    def test_tells_what_went(self, client: FlaskClient, registry_url: str) -> None:
        Pusher(registry_url).image("team/app", "1.0")

        answer = delete(client, "team", "?actor=jane")

        assert (answer.status_code, answer.json) == (200, {"deleted": ["team/app"], "failed": [], "remaining": 0})

    @pytest.mark.parametrize("actor", ["", "%0a", "x" * 256])
    def test_on_behalf_of_nobody_who_can_be_named_is_refused(self, actor: str, client: FlaskClient) -> None:
        assert delete(client, "team", f"?actor={actor}").status_code == 422

    @pytest.mark.parametrize("namespace", ["Team", "a..b", "%00"])
    def test_of_what_is_no_namespace_is_refused(self, namespace: str, client: FlaskClient) -> None:
        assert delete(client, namespace).status_code == 422


def test_what_cannot_be_deleted_is_named_with_the_reason(client: FlaskClient, tell: Tell) -> None:
    """The registry of these settings is away."""
    tell(push("1.0", digest_of("manifest"), 1, repository="team/app"))

    answer = delete(client, "team")

    told: Any = answer.json
    assert (answer.status_code, told["deleted"], told["remaining"]) == (200, [], 1)
    assert [(one["repository"], one["tag"]) for one in told["failed"]] == [(None, None), ("team/app", None)]
    assert all("registry" in one["reason"] for one in told["failed"])
    assert (
        client.get("/api/v1/repositories", headers={"Authorization": "Bearer administrator"}).headers["X-Total"] == "1"
    )
