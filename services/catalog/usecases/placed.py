"""Repositories with what only ``auth`` knows of them: their namespace's id, and whether the caller may delete them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from services.catalog.storage.repository_queries import RepositoryRow
from services.catalog.usecases.rights import DELETE
from shared.oci.names import RepositoryName
from shared.visibility.answers import RepositoryPlace

FindPlaces = Callable[[Sequence[RepositoryName], Collection[str]], Mapping[RepositoryName, RepositoryPlace]]
"""Answers for the caller: repositories and actions in, where each lies and what is allowed out."""


def place_rows(rows: Sequence[RepositoryRow], places: FindPlaces) -> list[RepositoryRow]:
    """Complete the rows of a list, by one question for all of them."""
    if not rows:
        return []
    found = places([RepositoryName(row.full_name) for row in rows], [DELETE])
    return [with_place(row, found[RepositoryName(row.full_name)]) for row in rows]


def find_place(row: RepositoryRow, places: FindPlaces) -> RepositoryPlace:
    """Ask about one repository."""
    name = RepositoryName(row.full_name)
    return places([name], [DELETE])[name]


def with_place(row: RepositoryRow, place: RepositoryPlace) -> RepositoryRow:
    """Complete a row by an answer."""
    # What holds nothing is not found by who wants to delete it.
    is_destroyable = row.tags_count > 0 and DELETE in place.allowed
    return replace(row, namespace_id=place.namespace_id, destroyable=is_destroyable)
