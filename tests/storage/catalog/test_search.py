"""Searching the index as somebody: what is found, in which order, and what stays hidden."""

from collections.abc import Callable

import pytest
from sqlalchemy import insert

from services.catalog.storage.tables import manifest_labels
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from services.catalog.usecases.search import Found, search
from shared.clock import utc_now
from shared.database import Database
from shared.visibility.answers import RepositoryPattern, Visibility
from tests.support.catalog import digest_of, envelope_for, push

EVERYTHING = Visibility(everything=True)
TEAM = Visibility(namespaces=("team",))
HOST = "registry.example.org"
Look = Callable[..., Found]


@pytest.fixture
def look(database: Database, no_registry: ManifestFetcher) -> Look:
    """A function that searches an index with a few repositories in it."""
    told = [
        push("1.0", digest_of("a"), 1, repository="team/app", actor="jane"),
        push("1.1", digest_of("b"), 2, repository="team/app", actor="jane"),
        push("1.0", digest_of("a"), 3, repository="team/app-server", actor="jan"),
        push("latest", digest_of("c"), 4, repository="secret/app", actor="jack"),
        push("1.0-secret", digest_of("d"), 5, repository="secret/other", actor="jack"),
        push("v1_0", digest_of("a"), 6, repository="app", actor="root"),
    ]
    apply_notifications([envelope_for(one) for one in told], database=database, fetcher=no_registry, clock=utc_now)
    labels = [
        ("a", False, "maintainer", "jane@example.org"),
        ("a", True, "org.opencontainers.image.version", "1.0"),
        ("c", False, "maintainer", "jack@example.org"),
    ]
    with database.write() as connection:
        rows = [
            {"manifest_digest": digest_of(name), "is_annotation": is_annotation, "key": key, "value": value}
            for name, is_annotation, key, value in labels
        ]
        connection.execute(insert(manifest_labels), rows)

    def look(query: str, visibility: Visibility = EVERYTHING, per_kind: int = 10) -> Found:
        return search(visibility, query, per_kind=per_kind, host=HOST, database=database)

    return look


def test_repositories_are_found_by_any_part_the_nearest_first(look: Look) -> None:
    assert [hit.repository for hit in look("app").repositories] == ["app", "secret/app", "team/app", "team/app-server"]
    assert [hit.repository for hit in look("serv").repositories] == ["team/app-server"]
    assert [hit.repository for hit in look(f"{HOST}/team/app").repositories] == ["team/app", "team/app-server"]


@pytest.mark.parametrize("typed", ["SERV", "Team/App-S", f"{HOST}/TEAM/app-s"])
def test_repositories_are_found_however_they_are_spelt(typed: str, look: Look) -> None:
    assert [hit.repository for hit in look(typed).repositories] == ["team/app-server"]


def test_tags_are_found_by_their_beginning_in_their_own_spelling(look: Look) -> None:
    found = [(hit.repository, hit.tag) for hit in look("1.").tags]

    assert found == [
        ("team/app", "1.0"),
        ("team/app-server", "1.0"),
        ("secret/other", "1.0-secret"),
        ("team/app", "1.1"),
    ]
    assert not look("LATEST").tags


def test_a_part_of_a_repository_s_name_narrows_the_tags(look: Look) -> None:
    assert [(hit.repository, hit.tag) for hit in look("app:1").tags] == [("team/app", "1.0"), ("team/app", "1.1")]


def test_a_reference_finds_exactly_that(look: Look) -> None:
    found = look(f"docker pull {HOST}/team/app:1.0").exact
    by_digest = look(f"team/app@{digest_of('b')}").exact

    assert (found.repository, found.tag, found.digest) == ("team/app", "1.0", digest_of("a"))  # type: ignore[union-attr]
    assert (by_digest.repository, by_digest.digest) == ("team/app", digest_of("b"))  # type: ignore[union-attr]
    assert look("team/app:2.0").exact is None
    assert look(f"team/app@{digest_of('d')}").exact is None


def test_a_digest_is_found_by_its_beginning_wherever_it_lies(look: Look) -> None:
    for query in (digest_of("a"), digest_of("a")[:14], digest_of("a")[7:15]):
        assert sorted(hit.repository for hit in look(query).digests) == ["app", "team/app", "team/app-server"]


def test_labels_and_annotations_are_found_by_key_and_value(look: Look) -> None:
    (first, *_) = look("maintainer").labels

    assert (first.value, first.repository) == ("jack@example.org", "secret/app")
    assert [hit.repository for hit in look("maintainer=jack").labels] == ["secret/app"]
    assert {hit.is_annotation for hit in look("org.opencontainers.image.version=1.0").labels} == {True}
    assert not look("maintainer=jack@example.org.x").labels


def test_people_are_found_who_pushed(look: Look) -> None:
    assert [hit.username for hit in look("ja").people] == ["jack", "jan", "jane"]


def test_nothing_is_special_in_a_query(look: Look) -> None:
    assert [hit.tag for hit in look("v1_0").tags] == ["v1_0"]
    assert not look("v1%").tags
    assert not look("v1.0").tags
    assert not look("%").repositories
    assert not look("te_m").repositories


@pytest.mark.parametrize("query", ["app", "1.", "latest", "secret", "maintainer", "ja", "secret/app:latest"])
def test_what_a_caller_may_not_pull_is_not_there(look: Look, query: str) -> None:
    named = Visibility(repositories=(RepositoryPattern("team", "team/app-*"),))

    for visibility in (TEAM, named, Visibility()):
        found = look(query, visibility)
        shown = [
            *found.repositories,
            *found.tags,
            *found.digests,
            *found.labels,
            *([found.exact] if found.exact else []),
        ]
        assert not [hit for hit in shown if not hit.repository.startswith("team/")]
        assert "jack" not in [hit.username for hit in found.people]
    assert look(query, Visibility()).more == []
    assert {hit.repository for hit in look("app", named).repositories} == {"team/app-server"}


def test_there_is_a_limit_and_it_is_told(look: Look) -> None:
    found = look("app", per_kind=2)

    assert len(found.repositories) == 2
    assert found.more == ["repositories"]
    assert look("app").more == []
