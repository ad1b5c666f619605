"""Deletions of single tags by a throw-away manifest that have begun."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from services.catalog.domain.errands import Errand
from services.catalog.storage.deletion_tables import begun_deletions
from shared.oci.names import RepositoryName, Tag

_C = begun_deletions.c


@dataclass(frozen=True, slots=True)
class BegunDeletion:
    """Somebody has set about deleting a tag."""

    errand: Errand
    repository: RepositoryName
    tag: Tag


def note_begun(connection: Connection, deletion: BegunDeletion, *, due_at: datetime) -> None:
    """Note that a tag is about to be replaced, and when it is to be asked what has become of it."""
    errand = deletion.errand
    values = {"id": errand.id, "actor": errand.actor, "repository": deletion.repository, "tag": deletion.tag}
    connection.execute(insert(begun_deletions).values(**values, due_at=due_at))


def forget_begun(connection: Connection, errand: Errand) -> None:
    """Note that a deletion is over, whatever came of it."""
    connection.execute(delete(begun_deletions).where(_C.id == errand.id))


def list_unfinished(connection: Connection, *, now: datetime, limit: int) -> Sequence[BegunDeletion]:
    """Return deletions of which nothing was heard in time, those first that have waited longest."""
    query = select(begun_deletions).where(_C.due_at <= now).order_by(_C.due_at, _C.id).limit(limit)
    return [
        BegunDeletion(Errand(row.id, row.actor), RepositoryName(row.repository), Tag(row.tag))
        for row in connection.execute(query)
    ]


def count_begun(connection: Connection) -> int:
    """Return how many deletions are under way, or broke off and are not finished yet."""
    return connection.execute(select(func.count()).select_from(begun_deletions)).scalar_one()


def put_off(connection: Connection, errand: Errand, *, due_at: datetime) -> None:
    """Note when a deletion is to be looked at again."""
    connection.execute(update(begun_deletions).where(_C.id == errand.id).values(due_at=due_at))
