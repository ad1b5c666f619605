"""Show the records of decisions.

Administrators and auditors read all of them. Anybody else reads their own, and what was asked in the
namespaces that they manage; in what others asked there, neither from where nor with what.
"""

from dataclasses import replace

from services.auth.domain.errors import NotFound
from services.auth.domain.namespaces import namespace_of
from services.auth.domain.records import RecordedScope, told_to_subject
from services.auth.domain.subjects import Subject
from services.auth.storage.decisions import (
    DecisionRecord,
    Reader,
    RecordedCredential,
    find_decision,
    find_reader,
    list_decisions,
)
from shared.api.paging import ListRequest
from shared.api.slices import Slice
from shared.database import Database


def show_decision(subject: Subject, record_id: str, *, database: Database) -> DecisionRecord:
    """Return one record.

    Raises:
        NotFound: there is none, it has been dropped, or the caller may not read it.
    """
    with database.read() as connection:
        reader = find_reader(connection, subject)
        record = find_decision(connection, reader, record_id)
    if record is None:
        raise NotFound("decision")
    return _shown_to(reader, record)


def show_decisions(subject: Subject, request: ListRequest, *, database: Database) -> Slice[DecisionRecord]:
    """Return a part of the records that the caller may read."""
    with database.read() as connection:
        reader = find_reader(connection, subject)
        part = list_decisions(connection, reader, request)
    return replace(part, rows=[_shown_to(reader, record) for record in part.rows])


def _shown_to(reader: Reader, record: DecisionRecord) -> DecisionRecord:
    if reader.reads_everything:
        return record
    if reader.is_subject_of(record):
        return replace(record, scopes=tuple(map(told_to_subject, record.scopes)))
    managed = {(place.registry_id, place.name) for place in reader.managed}
    # The source of a mount may lie where the manager of its target has no part.
    scopes = tuple(scope for scope in record.scopes if _place(record, scope) in managed)
    credential = RecordedCredential(record.credential.kind)
    return replace(record, scopes=scopes, credential=credential, address="", client="", client_id="", account="")


def _place(record: DecisionRecord, scope: RecordedScope) -> tuple[int | None, str | None]:
    return record.registry_id, namespace_of(scope.name) if scope.type == "repository" else None
