"""Records of decisions: written in batches, read newest first."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, false, or_, select, text, true
from sqlalchemy.dialects import sqlite

from services.auth.domain.records import RecordedScope, Verdict, load_scope, moment_of
from services.auth.domain.subjects import Subject, SubjectKind
from services.auth.domain.teams import Role
from services.auth.storage.tables import decisions, namespaces, team_members, users
from shared.api.paging import ListRequest, Order
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_slice

MAX_MANAGED = 500
"""Most namespaces whose records one person reads as their manager; the newest."""


@dataclass(frozen=True, slots=True)
class RecordedSubject:
    """Who asked; nameless when anonymous."""

    kind: SubjectKind
    username: str
    user_id: int | None
    robot_id: int | None


@dataclass(frozen=True, slots=True)
class RecordedCredential:
    """With what; nameless where the reader is not told."""

    kind: str
    id: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """What is kept of one token request."""

    id: str
    at: datetime
    registry_id: int | None
    service: str
    subject: RecordedSubject
    credential: RecordedCredential
    address: str
    client: str
    client_id: str
    account: str
    verdict: Verdict
    action: str
    repository: str
    namespace: str | None
    reason: str
    scopes: tuple[RecordedScope, ...]
    degraded: bool


_columns = decisions.c

DECISIONS = Listing(
    {
        "id": Listed(_columns.id, sortable=False),
        "at": Listed(_columns.at),
        "username": Listed(_columns.username, sortable=False),
        "verdict": Listed(_columns.verdict, choices=Verdict, sortable=False),
        "action": Listed(_columns.action, sortable=False),
        "repository": Listed(_columns.repository, prefix=True, sortable=False),
        "namespace": Listed(_columns.namespace, sortable=False),
        "address": Listed(_columns.address, sortable=False),
        "degraded": Listed(_columns.degraded, sortable=False),
    },
    order=Order("at", descending=True),
)
"""What the records are narrowed by. They are sorted by their time only: there are too many for anything else."""

PERSONAL = frozenset({"address"})
"""What only the subject of a record, and who reads everything, may ask by."""


def insert_decisions(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write records, given by column; those that are there already stay as they are.

    Nobody knows whether a transaction was committed whose connection broke, so it is written again.
    """
    if connection.dialect.name == "postgresql":
        # One value for all rows: half the work of one statement for each, and every token leaves a row.
        connection.execute(_INSERT_ALL, {"rows": json.dumps(rows, default=datetime.isoformat)})
    else:
        connection.execute(sqlite.insert(decisions).on_conflict_do_nothing(), rows)


_INSERT_ALL = text(
    "INSERT INTO decisions SELECT * FROM json_populate_recordset(NULL::decisions, CAST(:rows AS json))"
    " ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class ManagedNamespace:
    """A namespace that somebody manages, and since when it has been there: names are used again."""

    registry_id: int
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads records."""

    subject: Subject
    managed: tuple[ManagedNamespace, ...] = ()
    """What the subject manages; of no account for who reads everything."""

    @property
    def reads_everything(self) -> bool:
        return self.subject.administrator or self.subject.auditor

    def is_subject_of(self, record: DecisionRecord) -> bool:
        found = record.subject
        return (found.user_id, found.username) == (self.subject.user_id, self.subject.username)


def find_reader(connection: Connection, subject: Subject) -> Reader:
    """Return a subject as somebody who reads records."""
    reader = Reader(subject)
    if reader.reads_everything:
        return reader
    owned = and_(team_members.c.user_id == subject.user_id, team_members.c.role == Role.OWNER.value)
    statement = (
        select(namespaces.c.registry_id, namespaces.c.name, namespaces.c.created_at)
        .join(team_members, team_members.c.team_id == namespaces.c.team_id)
        .where(owned)
    )
    rows = connection.execute(statement.order_by(namespaces.c.id.desc()).limit(MAX_MANAGED))
    return replace(reader, managed=tuple(ManagedNamespace(*row) for row in rows))


def list_decisions(connection: Connection, reader: Reader, request: ListRequest) -> Slice[DecisionRecord]:
    """Return a part of the records that somebody may read."""
    # Who is not told a value of somebody else's must not find it out by asking for it.
    own_only = bool(PERSONAL & request.filters.keys())
    statement = select(decisions).where(_readable(reader, own_only=own_only))
    return fetch_slice(connection, statement, DECISIONS, request, load=_load)


def find_decision(connection: Connection, reader: Reader, record_id: str) -> DecisionRecord | None:
    """Return a record that somebody may read."""
    moment = moment_of(record_id)
    if moment is None:
        return None
    then = and_(_columns.at >= moment, _columns.at < moment + timedelta(milliseconds=1))
    statement = select(decisions).where(then, _columns.id == record_id, _readable(reader))
    row = connection.execute(statement).one_or_none()
    return _load(row) if row else None


def _readable(reader: Reader, *, own_only: bool = False) -> ColumnElement[bool]:
    if reader.reads_everything:
        return true()
    managed = () if own_only else reader.managed
    return or_(_is_own(reader.subject), *(_is_in(place) for place in managed))


def _is_own(subject: Subject) -> ColumnElement[bool]:
    if subject.user_id is None:
        return false()
    # SQLite gives the id of an account that was deleted to the next one.
    since = select(users.c.created_at).where(users.c.id == subject.user_id).scalar_subquery()
    itself = and_(_columns.username == subject.username, _columns.user_id == subject.user_id)
    return and_(itself, _columns.at >= since)


def _is_in(place: ManagedNamespace) -> ColumnElement[bool]:
    here = and_(_columns.registry_id == place.registry_id, _columns.namespace == place.name)
    return and_(here, _columns.at >= place.created_at)


def _load(row: Row[Any]) -> DecisionRecord:
    return DecisionRecord(
        id=row.id,
        at=row.at,
        registry_id=row.registry_id,
        service=row.service,
        subject=RecordedSubject(SubjectKind(row.subject_kind), row.username, row.user_id, row.robot_id),
        credential=RecordedCredential(row.credential_kind, row.credential_id, row.credential_name),
        address=row.address,
        client=row.client,
        client_id=row.client_id,
        account=row.account,
        verdict=Verdict(row.verdict),
        action=row.action,
        repository=row.repository,
        namespace=row.namespace,
        reason=row.reason,
        scopes=tuple(map(load_scope, row.scopes)),
        degraded=row.degraded,
    )
