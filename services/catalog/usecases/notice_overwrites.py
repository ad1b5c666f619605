"""Moves of tags that must not move: noticed, written down and told, inside the caller's transaction."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection

from services.catalog.domain.history import End, fold_history
from services.catalog.domain.immutability import Overwrite, find_former, find_overwrites, is_move
from services.catalog.domain.index import TagChange
from services.catalog.domain.occurrences import Occurrence, Stamp
from services.catalog.storage.immutability import add_overwrites, list_moves_of, load_rules
from services.catalog.storage.tables import outbox
from services.catalog.storage.tag_history import list_writes_of
from services.catalog.usecases.apply_occurrences import SOURCE, LatePush
from shared.contracts.events import Envelope, TagOverwritten, envelope_of
from shared.messaging.outbox import record_events


def notice_overwrites(
    connection: Connection, changes: Iterable[TagChange], late: Sequence[LatePush] = (), *, now: datetime
) -> Sequence[Overwrite]:
    """Write down and tell which of some changes a rule forbids, and return them.

    Args:
        late: pushes that we heard of after something that was written later; the history tells what they moved to.
    """
    moves = [change for change in changes if is_move(change)]
    if not moves and not late:
        # Nearly always, and then no rule is read.
        return ()
    rules = load_rules(connection)
    covered = [one for one in late if any(rule.covers(one.push.repository, one.tag) for rule in rules)]
    found = list[Overwrite]()
    for one in find_overwrites(rules, [*moves, *_moves_from(connection, covered)]):
        if not _is_put_back(connection, one.change, found):
            found.append(one)
    add_overwrites(connection, found, now=now)
    record_events(connection, outbox, map(_event_of, found))
    return found


def _is_put_back(connection: Connection, change: TagChange, found: Sequence[Overwrite]) -> bool:
    """Tell whether a tag is where it was before it was overwritten, whoever has put it back.

    Args:
        found: overwrites that are not written down yet, the newest last.
    """
    place = change.cause.repository, change.tag
    new = [one.change for one in reversed(found) if (one.change.cause.repository, one.change.tag) == place]
    moves = [(one.previous_digest or "", one.digest or "") for one in new]
    return change.digest in find_former([*moves, *list_moves_of(connection, *place)], change.previous_digest or "")


def _moves_from(connection: Connection, late: Iterable[LatePush]) -> Iterator[TagChange]:
    for one in late:
        writes = list_writes_of(connection, one.repository_id, one.tag)
        actors = {write.stamp: write.actor for write in writes}
        for own, following in pairwise(fold_history(writes)):
            stamp = Stamp(following.since, following.event)
            actor = following.pushed_by or actors.get(stamp)
            if own.event == one.push.stamp.id and own.end is End.OVERWRITTEN:
                cause = Occurrence(stamp, "push", one.push.repository, following.digest, one.tag, actor=actor)
                yield TagChange(one.tag, following.digest, own.digest, cause)


def _event_of(overwrite: Overwrite) -> Envelope:
    change, cause = overwrite.change, overwrite.change.cause
    digest, previous = change.digest or "", change.previous_digest or ""
    event = TagOverwritten(cause.repository, change.tag, digest, previous, overwrite.rule.id, cause.actor)
    name = f"{event.TYPE}/{cause.repository}/{change.tag}/{previous}/{digest}/{cause.stamp.time}/{cause.stamp.id}"
    identity = str(uuid5(NAMESPACE_URL, name))
    return envelope_of(event, id=identity, source=SOURCE, time=cause.stamp.time, subject=cause.repository)
