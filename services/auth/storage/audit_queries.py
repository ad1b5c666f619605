"""What is read of the audit trail, by whom."""

from typing import Any

from sqlalchemy import CompoundSelect, Connection, Select, and_, func, select, union_all

from services.auth.domain.audit import Action
from services.auth.domain.audit_chain import Entry
from services.auth.domain.audit_sight import HIDDEN, reads_everything
from services.auth.domain.namespaces import Visibility
from services.auth.domain.subjects import Subject, SubjectKind
from services.auth.storage.audit import load_entry
from services.auth.storage.tables import audit_entries, namespaces, team_members, teams, users
from shared.api.paging import ListRequest, Order
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_slice

_entries = audit_entries.c

ENTRIES = Listing(
    {
        "id": Listed(_entries.id),
        "at": Listed(_entries.at),
        "action": Listed(_entries.action, prefix=True),
        "actor": Listed(_entries.actor),
        "actor_kind": Listed(_entries.actor_kind),
        "address": Listed(_entries.address),
        "request_id": Listed(_entries.request_id),
        "target_type": Listed(_entries.target_type),
        "target_id": Listed(_entries.target_id),
        "target_name": Listed(_entries.target_name),
        "user": Listed(_entries.user_name),
        "user_id": Listed(_entries.user_id),
        "team": Listed(_entries.team_name),
        "team_id": Listed(_entries.team_id),
        "namespace": Listed(_entries.namespace_name),
        "namespace_id": Listed(_entries.namespace_id),
    },
    order=Order("id", descending=True),
)
"""What the audit trail is sorted and narrowed by; names are those of the moment of the change."""


def find_entry(connection: Connection, subject: Subject, entry_id: int) -> Entry | None:
    """Return one entry that the subject may read."""
    row = connection.execute(_readable(subject).where(_entries.id == entry_id)).one_or_none()
    return load_entry(row) if row else None


def list_entries(connection: Connection, subject: Subject, request: ListRequest) -> Slice[Entry]:
    """Return a part of the entries that the subject may read."""
    return fetch_slice(connection, _asked(subject, request), ENTRIES, request, load=load_entry)


def count_entries(connection: Connection, subject: Subject, request: ListRequest, *, limit: int) -> int:
    """Return how many entries the whole list has; counting ends at the limit."""
    wanted = _asked(subject, request).where(*ENTRIES.conditions(request.filters))
    return connection.execute(select(func.count()).select_from(wanted.limit(limit).subquery())).scalar_one()


def _asked(subject: Subject, request: ListRequest) -> Select[Any]:
    hidden = HIDDEN & {*request.filters, request.order.attribute}
    if hidden and not reads_everything(subject):
        # Who is not told a value must not find it out by asking for it, or by sorting.
        return select(audit_entries).where(_entries.id.in_(_own_deeds(subject)))
    return _readable(subject)


def _readable(subject: Subject) -> Select[Any]:
    statement = select(audit_entries)
    return statement if reads_everything(subject) else statement.where(_entries.id.in_(_of_concern(subject)))


def _of_concern(subject: Subject) -> CompoundSelect[Any]:
    """Find entries by what they concern: each part goes by an index of its own.

    Only entries since the thing has been there: SQLite gives the id of what was deleted to the next.
    """
    ids = select(_entries.id)
    itself = and_(users.c.id == _entries.user_id, users.c.created_at <= _entries.at)
    its_team = and_(teams.c.id == _entries.team_id, teams.c.created_at <= _entries.at)
    its_namespace = and_(namespaces.c.id == _entries.namespace_id, namespaces.c.created_at <= _entries.at)
    mine = team_members.c.user_id == subject.user_id
    opened = (
        _entries.action == Action.NAMESPACE_VISIBILITY_CHANGED.value,
        _entries.after["visibility"].as_string() == Visibility.PUBLIC.value,
        namespaces.c.visibility == Visibility.PUBLIC.value,
    )
    return union_all(
        _own_deeds(subject),
        ids.join(users, itself).where(users.c.id == subject.user_id),
        ids.join(teams, its_team).join(team_members, team_members.c.team_id == teams.c.id).where(mine),
        ids.join(namespaces, its_namespace)
        .join(team_members, team_members.c.team_id == namespaces.c.team_id)
        .where(mine),
        ids.join(namespaces, its_namespace).where(*opened),
    )


def _own_deeds(subject: Subject) -> Select[Any]:
    itself = and_(users.c.id == _entries.actor_id, users.c.created_at <= _entries.at)
    person = _entries.actor_kind == SubjectKind.PERSON.value
    return select(_entries.id).join(users, itself).where(users.c.id == subject.user_id, person)
