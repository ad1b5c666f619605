"""A caller sees what ``auth`` says, in both databases, and nothing else."""

from typing import Any

import pytest

from services.catalog.storage.repository_queries import find_repository
from services.catalog.storage.tag_queries import list_tags
from services.catalog.storage.tag_rows import TAGS
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from shared.api.paging import ListRequest
from shared.clock import utc_now
from shared.database import Database
from shared.visibility.answers import Visibility
from tests.storage.catalog.snapshots import EVERYTHING, shown_repositories
from tests.support.catalog import delete, digest_of, envelope_for, push

NAMES = ["jane/app", "jane/deep/er", "janet/app", "team-a/web", "team-b/web", "top"]


@pytest.fixture
def filled(database: Database, no_registry: ManifestFetcher) -> Database:
    """An index with a few repositories, one of which has lost its only tag."""
    told = [push("1.0", digest_of(name), 0, id=name, repository=name) for name in NAMES]
    told += [
        push("1.0", digest_of("x"), 0, id="emptied", repository="jane/emptied"),
        delete(1, tag="1.0", id="deleted", repository="jane/emptied"),
    ]
    apply_notifications([envelope_for(one) for one in told], database=database, fetcher=no_registry, clock=utc_now)
    return database


SEEN = [
    pytest.param(Visibility(), [], id="nothing"),
    pytest.param(Visibility(everything=True), NAMES, id="everything"),
    pytest.param(Visibility(global_namespace=True), ["top"], id="the global namespace"),
    pytest.param(Visibility(namespaces=("jane",)), ["jane/app", "jane/deep/er"], id="one namespace and not its like"),
    pytest.param(
        Visibility(global_namespace=True, namespaces=("team-a", "team-b")),
        ["team-a/web", "team-b/web", "top"],
        id="some of each",
    ),
    pytest.param(Visibility(namespaces=("top",)), [], id="a namespace called like a global repository"),
    pytest.param(Visibility(namespaces=("%", "", "jane/app", "'", "team-a,team-b")), [], id="no names at all"),
]


@pytest.mark.parametrize(("visibility", "names"), SEEN)
def test_a_list_holds_what_the_caller_may_pull(filled: Database, visibility: Visibility, names: list[str]) -> None:
    assert [row.full_name for row in shown_repositories(filled, visibility)] == names


@pytest.mark.parametrize(("visibility", "names"), SEEN)
def test_one_repository_is_found_exactly_when_it_is_listed(
    filled: Database, visibility: Visibility, names: list[str]
) -> None:
    with filled.read() as connection:
        for row in shown_repositories(filled):
            found = find_repository(connection, visibility, row.id)
            tags = list_tags(connection, visibility, ListRequest(order=TAGS.order), repository=row.id).rows

            assert (found is not None, len(tags)) == ((True, 1) if row.full_name in names else (False, 0))


def test_many_thousand_namespaces_are_one_parameter(filled: Database) -> None:
    namespaces = (*(f"namespace-{number}" for number in range(50_000)), "team-a")

    assert [row.full_name for row in shown_repositories(filled, Visibility(namespaces=namespaces))] == ["team-a/web"]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"namespace": "jane"}, ["jane/app", "jane/deep/er"]),
        ({"name": "team-a/web"}, ["team-a/web"]),
        ({"name": "team-a"}, []),
        ({"q": "WEB"}, ["team-a/web", "team-b/web"]),
        ({"q": "-a"}, ["team-a/web"]),
        ({"q": "%"}, []),
        ({"q": "_"}, []),
        ({"q": "\\"}, []),
        ({"q": "a", "namespace": "janet"}, ["janet/app"]),
        ({"full_name_prefix": "team-"}, ["team-a/web", "team-b/web"]),
        ({"global": True}, ["top"]),
        ({}, NAMES),
    ],
)
def test_a_list_is_narrowed(filled: Database, wanted: dict[str, Any], names: list[str]) -> None:
    assert [row.full_name for row in shown_repositories(filled, EVERYTHING, **wanted)] == names


def test_a_repository_without_tags_is_not_there(filled: Database) -> None:
    assert "jane/emptied" not in {row.full_name for row in shown_repositories(filled)}


def test_names_are_taken_apart_at_their_first_slash(filled: Database) -> None:
    parts = {row.full_name: (row.namespace, row.name) for row in shown_repositories(filled)}

    assert (parts["jane/deep/er"], parts["top"]) == (("jane", "deep/er"), (None, "top"))
