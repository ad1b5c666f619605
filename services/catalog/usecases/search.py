"""Searching the index for whatever somebody types or pastes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from services.catalog.domain.search import Search, parse_search
from services.catalog.storage.search import (
    DigestHit,
    LabelHit,
    PersonHit,
    RepositoryHit,
    TagHit,
    find_tag_hit,
    search_digests,
    search_labels,
    search_people,
    search_repositories,
    search_tags,
)
from shared.database import Database
from shared.visibility.answers import Visibility


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, of each kind so many as were asked for at the most."""

    exact: TagHit | DigestHit | None
    """The one tag or digest that was named in full."""
    repositories: Sequence[RepositoryHit]
    tags: Sequence[TagHit]
    digests: Sequence[DigestHit]
    labels: Sequence[LabelHit]
    people: Sequence[PersonHit]
    more: Sequence[str]
    """The kinds of which there is more."""


def search(visibility: Visibility, query: str, *, per_kind: int, host: str, database: Database) -> Found:
    """Return what a caller may see of what a query can mean.

    Args:
        query: see ``domain.search.parse_search``.
        per_kind: of each kind at the most.
        host: the registry as people type it.
    """
    wanted = parse_search(query, host=host)
    with database.read() as connection:
        exact = _find_exact(connection, visibility, wanted)
        found = {
            "repositories": _repositories(connection, visibility, wanted, per_kind + 1),
            "tags": _tags(connection, visibility, wanted, per_kind + 1),
            "digests": _digests(connection, visibility, wanted, per_kind + 1),
            "labels": _labels(connection, visibility, wanted, per_kind + 1),
            "people": _people(connection, visibility, wanted, per_kind + 1),
        }
    more = [kind for kind, hits in found.items() if len(hits) > per_kind]
    return Found(exact, more=more, **{kind: hits[:per_kind] for kind, hits in found.items()})  # type: ignore[arg-type]


def _find_exact(connection: Connection, visibility: Visibility, wanted: Search) -> TagHit | DigestHit | None:
    if wanted.repository and wanted.digest:
        held = search_digests(connection, visibility, wanted.digest, repository=wanted.repository, limit=1)
        return held[0] if held else None
    if wanted.repository and wanted.tag:
        return find_tag_hit(connection, visibility, wanted.repository, wanted.tag)
    return None


def _repositories(
    connection: Connection, visibility: Visibility, wanted: Search, limit: int
) -> Sequence[RepositoryHit]:
    # No repository's name has upper case, whatever people type; one database alone would pass over it.
    part = (wanted.repository or wanted.text).lower()
    return search_repositories(connection, visibility, part, limit=limit)


def _tags(connection: Connection, visibility: Visibility, wanted: Search, limit: int) -> Sequence[TagHit]:
    if wanted.repository and wanted.tag:
        return search_tags(connection, visibility, wanted.tag, repository=wanted.repository, limit=limit)
    return search_tags(connection, visibility, wanted.text, limit=limit)


def _digests(connection: Connection, visibility: Visibility, wanted: Search, limit: int) -> Sequence[DigestHit]:
    if wanted.digest_start is None:
        return ()
    return search_digests(connection, visibility, wanted.digest_start, limit=limit)


def _labels(connection: Connection, visibility: Visibility, wanted: Search, limit: int) -> Sequence[LabelHit]:
    if wanted.label is None:
        return ()
    return search_labels(connection, visibility, *wanted.label, limit=limit)


def _people(connection: Connection, visibility: Visibility, wanted: Search, limit: int) -> Sequence[PersonHit]:
    return search_people(connection, visibility, wanted.text, limit=limit)
