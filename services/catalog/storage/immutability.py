"""Tags that must not move, and those that did."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, select, update

from services.catalog.domain.immutability import Immutable, Overwrite, OverwriteState
from services.catalog.storage.immutability_tables import immutable_tags, overwrites
from services.catalog.storage.tables import repositories
from services.catalog.storage.visible import visible_to
from shared.api.paging import ListRequest, Order, Page
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_part, fetch_slice
from shared.visibility.answers import Visibility

MAX_MOVES = 100
"""Of one tag, that are looked at."""

_O = overwrites.c

RULES = Listing(
    {
        "id": Listed(immutable_tags.c.id),
        "namespace": Listed(immutable_tags.c.namespace),
        "restores": Listed(immutable_tags.c.restores),
        "created_at": Listed(immutable_tags.c.created_at),
    }
)
"""What the list of rules is sorted and narrowed by."""

OVERWRITES = Listing(
    {
        "id": Listed(_O.id),
        "repository": Listed(_O.repository, prefix=True, sortable=False),
        "tag": Listed(_O.tag, sortable=False),
        "state": Listed(_O.state, choices=OverwriteState, sortable=False),
        "actor": Listed(_O.actor, sortable=False),
        "at": Listed(_O.at, sortable=False),
    },
    order=Order("id", descending=True),
)
"""What the list of overwrites is narrowed by."""


@dataclass(frozen=True, slots=True)
class ImmutableRow:
    """A rule with what is written beside it."""

    id: int
    namespace: str | None
    repositories: Sequence[str]
    tags: Sequence[str]
    restores: bool
    created_by: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class OverwriteRow:
    """A tag that moved and must not have."""

    id: int
    rule_id: int
    repository: str
    tag: str
    previous_digest: str
    digest: str
    actor: str | None
    at: datetime
    noticed_at: datetime
    state: OverwriteState
    fault: str | None
    attempts: int
    due_at: datetime | None
    """When it is tried next to put the former manifest back; ``None``: never."""


def add_overwrites(connection: Connection, found: Sequence[Overwrite], *, now: datetime) -> None:
    """Write down moves that a rule forbids."""
    if found:
        connection.execute(insert(overwrites), [_values(one, now) for one in found])


def load_rules(connection: Connection) -> Sequence[Immutable]:
    """Return every rule."""
    names = ("id", "namespace", "repositories", "tags", "restores")
    rows = connection.execute(select(*(immutable_tags.c[name] for name in names)))
    return [Immutable(*tuple(row)) for row in rows]


def list_rules(
    connection: Connection, asked: ListRequest, *, namespaces: Collection[str] | None
) -> Page[ImmutableRow] | Slice[ImmutableRow]:
    """Return a part of the rules.

    Args:
        namespaces: only theirs; ``None``: all, those of the installation among them.
    """
    query = select(*_COLUMNS)
    if namespaces is not None:
        query = query.where(immutable_tags.c.namespace.in_(namespaces))
    return fetch_part(connection, query, RULES, asked, load=lambda row: ImmutableRow(*tuple(row)))


def find_rule(connection: Connection, rule: int, *, lock: bool = False) -> ImmutableRow | None:
    """Return a rule, locked to the transaction's end if that is wanted."""
    query = select(*_COLUMNS).where(immutable_tags.c.id == rule)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return ImmutableRow(*tuple(row)) if row else None


def count_rules(connection: Connection) -> int:
    """Return how many rules there are."""
    return connection.execute(select(func.count()).select_from(immutable_tags)).scalar_one()


def insert_rule(connection: Connection, values: Mapping[str, Any]) -> int:
    """Write a new rule down and return its id."""
    return int(connection.execute(insert(immutable_tags).values(**values).returning(immutable_tags.c.id)).scalar_one())


def update_rule(connection: Connection, rule: int, values: Mapping[str, Any]) -> None:
    """Change a rule."""
    connection.execute(update(immutable_tags).where(immutable_tags.c.id == rule).values(**values))


def delete_rule(connection: Connection, rule: int) -> None:
    """Take a rule away; what it noticed is kept."""
    connection.execute(delete(immutable_tags).where(immutable_tags.c.id == rule))


def list_overwrites(connection: Connection, visibility: Visibility, asked: ListRequest) -> Slice[OverwriteRow]:
    """Return a part of the overwrites in repositories that the caller may pull from."""
    return fetch_slice(connection, _select_seen(connection, visibility), OVERWRITES, asked, load=_load)


def find_overwrite(connection: Connection, visibility: Visibility, overwrite: int) -> OverwriteRow | None:
    """Return an overwrite in a repository that the caller may pull from."""
    row = connection.execute(_select_seen(connection, visibility).where(_O.id == overwrite)).one_or_none()
    return _load(row) if row else None


def list_moves_of(connection: Connection, repository: str, tag: str) -> Sequence[tuple[str, str]]:
    """Return from where to where a tag was moved that must not have, the newest first; ``MAX_MOVES`` at the most."""
    query = select(_O.previous_digest, _O.digest).where(_O.repository == repository, _O.tag == tag)
    return [
        (row.previous_digest, row.digest)
        for row in connection.execute(query.order_by(_O.at.desc(), _O.id.desc()).limit(MAX_MOVES))
    ]


def find_due(connection: Connection, *, now: datetime) -> OverwriteRow | None:
    """Return the overwrite that has waited longest to be undone."""
    due = and_(_O.state == OverwriteState.WAITING.value, _O.due_at <= now)
    query = select(*(_O[name] for name in OverwriteRow.__slots__)).where(due).order_by(_O.due_at, _O.id).limit(1)
    row = connection.execute(query).first()
    return _load(row) if row else None


def settle(connection: Connection, overwrite: int, state: OverwriteState, *, fault: str | None = None) -> None:
    """Note what became of an overwrite."""
    values = {"state": state.value, "fault": fault, "due_at": None, "attempts": _O.attempts + 1}
    connection.execute(update(overwrites).where(_O.id == overwrite).values(**values))


def postpone(connection: Connection, overwrite: int, *, until: datetime, fault: str) -> None:
    """Let an overwrite wait that could not be undone now."""
    values = {"due_at": until, "fault": fault, "attempts": _O.attempts + 1}
    connection.execute(update(overwrites).where(_O.id == overwrite).values(**values))


def try_again(connection: Connection, overwrite: int, *, now: datetime) -> bool:
    """Let an overwrite be tried again that failed or waits, as if it were new; tell whether it is one."""
    may = _O.state.in_([OverwriteState.FAILED.value, OverwriteState.WAITING.value])
    values = {"state": OverwriteState.WAITING.value, "fault": None, "due_at": now, "attempts": 0}
    return connection.execute(update(overwrites).where(_O.id == overwrite, may).values(**values)).rowcount > 0


def purge_overwrites(connection: Connection, *, before: datetime, limit: int = 10_000) -> int:
    """Forget overwrites that were noticed before a moment, at most ``limit``; return how many."""
    old = select(_O.id).where(_O.noticed_at < before, _O.due_at.is_(None)).limit(limit)
    return connection.execute(delete(overwrites).where(_O.id.in_(old))).rowcount


def _select_seen(connection: Connection, visibility: Visibility) -> Select[Any]:
    return (
        select(*(_O[name] for name in OverwriteRow.__slots__))
        .join_from(overwrites, repositories, repositories.c.full_name == _O.repository)
        .where(visible_to(visibility, connection.dialect, or_empty=True))
    )


def _values(one: Overwrite, now: datetime) -> dict[str, Any]:
    cause = one.change.cause
    state = OverwriteState.WAITING if one.rule.restores else OverwriteState.REPORTED
    return {
        "rule_id": one.rule.id,
        "repository": cause.repository,
        "tag": one.change.tag,
        "previous_digest": one.change.previous_digest,
        "digest": one.change.digest,
        "actor": cause.actor,
        "at": cause.stamp.time,
        "noticed_at": now,
        "state": state.value,
        "attempts": 0,
        "due_at": now if one.rule.restores else None,
    }


_COLUMNS = tuple(immutable_tags.c[name] for name in ImmutableRow.__slots__)


def _load(row: Row[Any]) -> OverwriteRow:
    return OverwriteRow(**{**row._mapping, "state": OverwriteState(row.state)})
