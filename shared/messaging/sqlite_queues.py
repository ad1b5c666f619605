"""Exchanges, bindings and queues in one SQLite file, and publishing to them.

Everything is a row, so a publisher that never declared a queue still reaches it. What changes
something must be called inside ``SqliteFile.write()``.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Any


class Fate(Enum):
    """What became of a published message."""

    STORED = auto()
    UNROUTED = auto()
    REFUSED = auto()


class UnknownExchange(Exception):
    """Nobody has declared this exchange."""


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """What RabbitMQ calls queue arguments; ``None`` means no limit."""

    delivery_limit: int | None = None
    """How often a message may come back before it is a dead letter."""
    max_length: int | None = None
    """Messages a queue holds; more are refused."""
    dead_letter_exchange: str | None = None
    dead_letter_routing_key: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way into the file."""

    exchange: str
    """The empty name is the default exchange: the routing key is then a queue's name."""
    routing_key: str
    properties: Mapping[str, Any]
    headers: Mapping[str, Any]
    body: bytes


class SqliteQueues:
    """The queues in a file, over a connection of a ``SqliteFile``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def declare_exchange(self, name: str, kind: str) -> None:
        """Make an exchange of kind ``topic`` or ``direct``, or leave it as it is."""
        self._sql.execute("INSERT INTO exchanges VALUES (?, ?) ON CONFLICT DO NOTHING", (name, kind))

    def has_exchange(self, name: str) -> bool:
        return self._one("SELECT 1 FROM exchanges WHERE name = ?", name) is not None

    def declare_queue(self, name: str, limits: QueueLimits) -> None:
        """Make a queue, or give one that exists these limits."""
        self._sql.execute(
            "INSERT INTO queues (name, delivery_limit, max_length, dead_letter_exchange, dead_letter_routing_key)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET delivery_limit = excluded.delivery_limit,"
            " max_length = excluded.max_length, dead_letter_exchange = excluded.dead_letter_exchange,"
            " dead_letter_routing_key = excluded.dead_letter_routing_key",
            (name, *astuple(limits)),
        )

    def bind(self, queue: str, exchange: str, routing_key: str) -> None:
        """Let an exchange put what matches into a queue; both must exist."""
        self._sql.execute(
            "INSERT INTO bindings VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (exchange, queue, routing_key)
        )

    def length(self, queue: str) -> int | None:
        """Return how many messages a queue holds, given out or not; ``None`` when there is no such queue."""
        length: int | None = self._one("SELECT length FROM queues WHERE name = ?", queue)
        return length

    def purge(self, queue: str) -> int:
        """Delete what nobody holds and return how many that were."""
        return self._sql.execute("DELETE FROM messages WHERE queue = ? AND holder IS NULL", (queue,)).rowcount

    def publish(self, letters: Sequence[Letter]) -> list[Fate]:
        """Store each letter in every queue that its routing key leads to, or in none of them.

        Raises:
            UnknownExchange: the transaction must be rolled back then.
        """
        return [self._publish(letter) for letter in letters]

    def _publish(self, letter: Letter) -> Fate:
        queues = self._routes(letter.exchange, letter.routing_key)
        if not queues:
            return Fate.UNROUTED
        if not all(map(self._has_room, queues)):
            return Fate.REFUSED
        for queue in queues:
            self._store(queue, letter)
        return Fate.STORED

    def _routes(self, exchange: str, routing_key: str) -> list[str]:
        if not exchange:
            return [] if self.length(routing_key) is None else [routing_key]
        kind = self._one("SELECT kind FROM exchanges WHERE name = ?", exchange)
        if kind is None:
            raise UnknownExchange(exchange)
        bindings = self._sql.execute("SELECT queue, routing_key FROM bindings WHERE exchange = ?", (exchange,))
        matches = _matches_topic if kind == "topic" else str.__eq__
        return sorted({queue for queue, pattern in bindings if matches(pattern, routing_key)})

    def _has_room(self, queue: str) -> bool:
        room = self._one("SELECT max_length IS NULL OR length < max_length FROM queues WHERE name = ?", queue)
        return bool(room)

    def _store(self, queue: str, letter: Letter) -> None:
        properties, headers = json.dumps(dict(letter.properties)), json.dumps(dict(letter.headers))
        self._sql.execute(
            "INSERT INTO messages (queue, exchange, routing_key, properties, headers, body) VALUES (?, ?, ?, ?, ?, ?)",
            (queue, letter.exchange, letter.routing_key, properties, headers, letter.body),
        )

    def _one(self, statement: str, parameter: str) -> Any:
        row = self._sql.execute(statement, (parameter,)).fetchone()
        return row[0] if row else None


@lru_cache(maxsize=1024)
def _matches_topic(pattern: str, routing_key: str) -> bool:
    """Match as AMQP 0-9-1 §3.1.3.3 says: ``*`` is one word, ``#`` is any number of them."""
    return _matches_words(tuple(pattern.split(".")), tuple(routing_key.split(".")))


def _matches_words(pattern: tuple[str, ...], words: tuple[str, ...]) -> bool:
    if not pattern:
        return not words
    head, rest = pattern[0], pattern[1:]
    if head == "#":
        return any(_matches_words(rest, words[count:]) for count in range(len(words) + 1))
    return bool(words) and head in ("*", words[0]) and _matches_words(rest, words[1:])
