"""Who has which message of a SQLite broker file, and what happens when the holder dies.

A consumer that takes a message becomes its *holder* and proves that it lives by renewing one lease for
all it holds; what a dead holder held goes back. A message that came back too often moves to the dead
letters, and one that cannot move waits: nothing is dropped for want of room. What changes something
must be called inside ``SqliteFile.write()``.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from shared.messaging.sqlite_queues import Fate, Letter, SqliteQueues

LONGEST_LEASE_S = 600.0
"""A lease that ends later than this was given before the clock was set back, and counts as over."""

PARKED_S = 30.0
"""How long a message waits for room among the dead letters before that is tried again."""

# The headers that RabbitMQ puts on a dead letter.
DEATH_REASON = "x-first-death-reason"
DEATH_QUEUE = "x-first-death-queue"

# Holders that are nobody: of rows on their way back within one transaction, and of parked ones.
_RETURNING = "returning"
_PARKED = "parked"


@dataclass(frozen=True, slots=True)
class Taken:
    """A message in the hands of a holder; ``id`` and ``deliveries`` together name this delivery."""

    id: int
    queue: str
    exchange: str
    routing_key: str
    properties: dict[str, Any]
    headers: dict[str, Any]
    body: bytes
    deliveries: int


class SqliteLeases:
    """The holders of messages in a file.

    Args:
        connection: of a ``SqliteFile``.
        now: the wall clock in seconds; a lease must mean the same to every process.
    """

    def __init__(self, connection: sqlite3.Connection, *, now: Callable[[], float] = time.time) -> None:
        self._sql = connection
        self._queues = SqliteQueues(connection)
        self._now = now

    def has_work(self, queue: str) -> bool:
        """Tell, without writing, whether ``take`` has anything to do."""
        ready = "SELECT 1 FROM messages WHERE queue = ? AND holder IS NULL LIMIT 1"
        return self._sql.execute(ready, (queue,)).fetchone() is not None or bool(self._lapsed())

    def take(self, holder: str, queue: str, *, limit: int, lease_s: float) -> list[Taken]:
        """Hand the oldest messages of a queue to a holder and renew its lease."""
        for lapsed in self._lapsed():
            self.dismiss(lapsed)
        rows = self._sql.execute(
            "UPDATE messages SET holder = ?, deliveries = deliveries + 1 WHERE id IN"
            " (SELECT id FROM messages WHERE queue = ? AND holder IS NULL ORDER BY id LIMIT ?)"
            " RETURNING id, queue, exchange, routing_key, properties, headers, body, deliveries",
            (holder, queue, limit),
        ).fetchall()
        if rows:
            self._lease(holder, lease_s)
        return [_load_taken(row) for row in sorted(rows)]

    def renew(self, holder: str, *, lease_s: float) -> None:
        """Prove that a holder lives; one that was dismissed meanwhile holds nothing any more."""
        self._sql.execute("UPDATE holders SET expires_at = ? WHERE id = ?", (self._now() + lease_s, holder))

    def dismiss(self, holder: str) -> None:
        """Take back all that a holder holds, because it is gone."""
        self._sql.execute("UPDATE messages SET holder = ? WHERE holder = ?", (_RETURNING, holder))
        self._sql.execute("DELETE FROM holders WHERE id = ?", (holder,))
        self._sort_returned()

    def acknowledge(self, holder: str, deliveries: Iterable[Taken]) -> None:
        """Delete messages, unless they were given to somebody else meanwhile."""
        self._sql.executemany(
            "DELETE FROM messages WHERE id = ? AND holder = ? AND deliveries = ?", _keys(holder, deliveries)
        )

    def requeue(self, holder: str, deliveries: Iterable[Taken]) -> None:
        """Put messages back where they were in their queue, or among the dead letters after too many times."""
        self._sql.executemany(
            "UPDATE messages SET holder = ? WHERE id = ? AND holder = ? AND deliveries = ?",
            [(_RETURNING, *key) for key in _keys(holder, deliveries)],
        )
        self._sort_returned()

    def reject(self, holder: str, deliveries: Iterable[Taken]) -> None:
        """Move messages to the dead letters."""
        for key in _keys(holder, deliveries):
            held = "SELECT 1 FROM messages WHERE id = ? AND holder = ? AND deliveries = ?"
            if self._sql.execute(held, key).fetchone():
                self._bury(key[0], "rejected")

    def _lapsed(self) -> list[str]:
        now = self._now()
        lapsed = "SELECT id FROM holders WHERE expires_at <= ? OR expires_at > ?"
        return [holder for (holder,) in self._sql.execute(lapsed, (now, now + LONGEST_LEASE_S))]

    def _lease(self, holder: str, lease_s: float) -> None:
        self._sql.execute(
            "INSERT INTO holders VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at",
            (holder, self._now() + lease_s),
        )

    def _sort_returned(self) -> None:
        self._sql.execute(
            "UPDATE messages SET holder = NULL WHERE holder = ? AND deliveries <="
            " coalesce((SELECT delivery_limit FROM queues WHERE name = queue), deliveries)",
            (_RETURNING,),
        )
        exhausted = self._sql.execute("SELECT id FROM messages WHERE holder = ?", (_RETURNING,)).fetchall()
        for (message,) in exhausted:
            self._bury(message, "delivery_limit")

    def _bury(self, message: int, reason: str) -> None:
        queue, routing_key, properties, headers, body, exchange, own_key = self._sql.execute(
            "SELECT queue, routing_key, properties, headers, body, dead_letter_exchange, dead_letter_routing_key"
            " FROM messages JOIN queues ON queues.name = messages.queue WHERE id = ?",
            (message,),
        ).fetchone()
        # A message may die twice; what counts is where and why it died first.
        death = {DEATH_REASON: reason, DEATH_QUEUE: queue} | json.loads(headers)
        letter = Letter(exchange or "", own_key or routing_key, json.loads(properties), death, body)
        if exchange is None or self._queues.publish([letter]) == [Fate.STORED]:
            self._sql.execute("DELETE FROM messages WHERE id = ?", (message,))
        else:
            self._park(message)

    def _park(self, message: int) -> None:
        # Nobody renews this lease: the message comes back by itself and is tried again.
        self._sql.execute("UPDATE messages SET holder = ? WHERE id = ?", (_PARKED, message))
        self._sql.execute("INSERT INTO holders VALUES (?, ?) ON CONFLICT DO NOTHING", (_PARKED, self._now() + PARKED_S))


def _keys(holder: str, deliveries: Iterable[Taken]) -> list[tuple[int, str, int]]:
    return [(delivery.id, holder, delivery.deliveries) for delivery in deliveries]


def _load_taken(row: tuple[Any, ...]) -> Taken:
    id_, queue, exchange, routing_key, properties, headers, body, deliveries = row
    return Taken(id_, queue, exchange, routing_key, json.loads(properties), json.loads(headers), body, deliveries)
