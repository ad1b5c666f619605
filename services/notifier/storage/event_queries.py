"""The event log, read: always through the caller's visibility, from a point on, a bounded stretch at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, func, or_, select, true
from sqlalchemy.engine import Dialect

from services.notifier.storage.tables import event_log_end, events, repositories
from shared.visibility.answers import Visibility
from shared.visibility.conditions import in_visible_namespace
from shared.visibility.patterns import matches_one_of

MAX_EXAMINED = 10_000
"""Events that one reading looks at, however few of them the caller may see."""

FOR_OVERSEERS = frozenset({"address", "user_agent"})
"""Members of an event's data that say where a person is and with what program."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted; ``None`` does not narrow."""

    type: str | None = None
    repository: str | None = None
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event as the log shows it."""

    sequence: int
    source: str
    id: str
    type: str
    time: datetime
    recorded_at: datetime
    subject: str | None
    repository: str | None
    namespace: str | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the log."""

    events: Sequence[LoggedEvent]
    next_after: int
    """Where to go on: nothing up to here is still to be shown to this caller."""
    end: int
    """The newest event's number, whoever may see it."""


@dataclass(frozen=True, slots=True)
class LogEnds:
    """The oldest number that is kept (of an empty log: the one to come) and the newest that was given."""

    oldest: int
    newest: int


def find_ends(connection: Connection) -> LogEnds:
    """Return where the log begins and ends; all events up to the end are committed."""
    newest = connection.execute(select(event_log_end.c.sequence)).scalar_one()
    oldest = connection.scalar(select(func.min(events.c.sequence)))
    return LogEnds(newest + 1 if oldest is None else oldest, newest)


def read_log(
    connection: Connection, visibility: Visibility, wanted: EventFilter, *, after: int, end: int, limit: int
) -> Stretch:
    """Return the events behind a number that the caller may see, at most ``limit``, in order.

    Args:
        after: the number of the last event that the caller knows.
        end: the newest number, read before: what is committed meanwhile may lack a smaller one.
    """
    candidates = _candidates(wanted, after=after, end=end)
    conditions = [_visible(candidates, visibility, connection.dialect)]
    if wanted.type:
        conditions.append(candidates.c.type == wanted.type)
    # Under another name: a subquery on the same one would be taken for this one.
    about = repositories.alias("about")
    query = (
        select(candidates, about.c.full_name)
        .select_from(candidates.outerjoin(about, about.c.id == candidates.c.repository_id))
        .where(*conditions)
        .order_by(candidates.c.sequence)
        .limit(limit)
    )
    found = [_event(row, visibility) for row in connection.execute(query)]
    if len(found) == limit:
        return Stretch(found, found[-1].sequence, end)
    return Stretch(found, _last_examined(connection, candidates, end), end)


def _candidates(wanted: EventFilter, *, after: int, end: int) -> Subquery:
    query = select(events).where(events.c.sequence > after, events.c.sequence <= end)
    if wanted.repository:
        named = select(repositories.c.id).where(repositories.c.full_name == wanted.repository)
        query = query.where(events.c.repository_id == named.scalar_subquery())
    if wanted.namespace:
        query = query.where(events.c.namespace == wanted.namespace)
    return query.order_by(events.c.sequence).limit(MAX_EXAMINED).subquery("candidates")


def _visible(candidates: Subquery, visibility: Visibility, dialect: Dialect) -> ColumnElement[bool]:
    if visibility.oversees:
        return true()
    in_namespace = in_visible_namespace(visibility, repositories.c.namespace, dialect)
    is_named = matches_one_of(visibility.repositories, repositories, dialect)
    # Never what is about no repository: a change of people or rights is for those who oversee.
    return candidates.c.repository_id.in_(select(repositories.c.id).where(or_(in_namespace, is_named)))


def _last_examined(connection: Connection, candidates: Subquery, end: int) -> int:
    count, last = connection.execute(select(func.count(), func.max(candidates.c.sequence))).one()
    return int(last) if count == MAX_EXAMINED else end


def _event(row: Any, visibility: Visibility) -> LoggedEvent:
    fields = {name: row._mapping[name] for name in LoggedEvent.__slots__ if name != "repository"}
    event = LoggedEvent(**fields, repository=row.full_name)
    if visibility.oversees:
        return event
    shown = {name: value for name, value in event.data.items() if name not in FOR_OVERSEERS}
    return replace(event, data=shown)
