"""What an index shows and remembers, as plain values that can be compared."""

from dataclasses import astuple, replace
from typing import Any

from sqlalchemy import Table, select

from services.catalog.storage.repository_queries import REPOSITORIES, RepositoryRow, list_repositories
from services.catalog.storage.tables import (
    manifest_deletions,
    metadata,
    pulls,
    repositories,
    repository_manifests,
    tags,
)
from services.catalog.storage.tag_queries import list_tags
from services.catalog.storage.tag_rows import TAGS, TagRow
from shared.api.paging import ListRequest, PageRequest
from shared.database import Database
from shared.visibility.answers import Visibility
from tests.support.catalog import NOON

EVERYTHING = Visibility(everything=True)


def shown_repositories(
    database: Database, visibility: Visibility = EVERYTHING, **wanted: object
) -> list[RepositoryRow]:
    """Return the repositories that a caller sees."""
    request = ListRequest(PageRequest(per_page=1000), REPOSITORIES.order, wanted)
    with database.read() as connection:
        return list(list_repositories(connection, visibility, request).rows)


def shown_tags(database: Database, name: str, **wanted: object) -> list[TagRow]:
    """Return a repository's tags as an administrator sees them; none of one that is not shown."""
    found = shown_repositories(database, name=name)
    if not found:
        return []
    request = ListRequest(PageRequest(per_page=1000), TAGS.order, wanted)
    with database.read() as connection:
        return list(list_tags(connection, EVERYTHING, request, repository=found[0].id).rows)


def shown_index(database: Database) -> dict[str, dict[str, str]]:
    """Return where every tag points, by repository and tag."""
    return {
        row.full_name: {tag.name: tag.digest for tag in shown_tags(database, row.full_name)}
        for row in shown_repositories(database)
    }


def remembered(database: Database) -> dict[str, set[Any]]:
    """Return all that notifications have written, but for what depends on when they were applied."""
    return {
        table.name: _rows(database, table, without)
        for table, without in (
            (tags, {"id", "first_seen_at"}),
            (pulls, set()),
            (manifest_deletions, set()),
            (repository_manifests, {"first_seen_at"}),
        )
    } | {"repositories": {astuple(replace(row, id=0, created_at=NOON)) for row in shown_repositories(database)}}


def empty(database: Database) -> None:
    """Take everything out of an index."""
    with database.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())


def _rows(database: Database, table: Table, without: set[str]) -> set[Any]:
    names = repositories.c.full_name
    with database.read() as connection:
        known = {row.id: row.full_name for row in connection.execute(select(repositories.c.id, names))}
        return {
            tuple(
                known.get(value) if name == "repository_id" else value
                for name, value in row._mapping.items()
                if name not in without
            )
            for row in connection.execute(select(table))
        }
