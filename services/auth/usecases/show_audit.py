"""Read the audit trail."""

from collections.abc import Iterator
from dataclasses import replace

from services.auth.domain.audit_chain import Entry
from services.auth.domain.audit_sight import shown_to
from services.auth.domain.errors import NotFound, TooManyEntries
from services.auth.domain.subjects import Subject
from services.auth.storage.audit_queries import count_entries, find_entry, list_entries
from shared.api.paging import ListRequest, PageRequest
from shared.api.slices import Slice
from shared.database import Database

MAX_EXPORTED = 100_000
"""Most entries in one export."""
_BATCH = 1000


def show_entry(subject: Subject, entry_id: int, *, database: Database) -> Entry:
    """Return one entry.

    Raises:
        NotFound: there is none, or the caller may not read it.
    """
    with database.read() as connection:
        entry = find_entry(connection, subject, entry_id)
    if entry is None:
        raise NotFound("audit entry")
    return shown_to(subject, entry)


def show_entries(subject: Subject, request: ListRequest, *, database: Database) -> Slice[Entry]:
    """Return a part of the entries that the caller may read."""
    with database.read() as connection:
        part = list_entries(connection, subject, request)
    return replace(part, rows=[shown_to(subject, entry) for entry in part.rows])


def export_entries(
    subject: Subject, request: ListRequest, *, database: Database, limit: int = MAX_EXPORTED
) -> Iterator[Entry]:
    """Return all entries that the caller may read and asked for; they are read as they are taken.

    Args:
        request: its page does not matter.
        limit: most entries.

    Raises:
        TooManyEntries: there are more than one export may hold; found out before the first is read.
    """
    with database.read() as connection:
        if count_entries(connection, subject, request, limit=limit + 1) > limit:
            raise TooManyEntries(limit)
    return _export(subject, replace(request, page=PageRequest(per_page=_BATCH)), database)


def _export(subject: Subject, request: ListRequest, database: Database) -> Iterator[Entry]:
    # No connection is held while the caller takes its time: the next batch begins where this one ended.
    part = show_entries(subject, request, database=database)
    yield from part.rows
    while part.following:
        part = show_entries(subject, replace(request, after=part.following), database=database)
        yield from part.rows
