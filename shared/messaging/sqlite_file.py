"""The file behind the SQLite transport: how it is opened, laid out and written to.

Several processes of one machine share it, so it must lie on a local file system.
"""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LAYOUT_VERSION = 1

_LAYOUT = """
CREATE TABLE exchanges (name TEXT PRIMARY KEY, kind TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE queues (
    name TEXT PRIMARY KEY,
    delivery_limit INTEGER,
    max_length INTEGER,
    dead_letter_exchange TEXT REFERENCES exchanges (name),
    dead_letter_routing_key TEXT,
    length INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE bindings (
    exchange TEXT NOT NULL REFERENCES exchanges (name),
    queue TEXT NOT NULL REFERENCES queues (name),
    routing_key TEXT NOT NULL,
    PRIMARY KEY (exchange, queue, routing_key)
) WITHOUT ROWID;

CREATE TABLE holders (id TEXT PRIMARY KEY, expires_at REAL NOT NULL) WITHOUT ROWID;

CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL REFERENCES queues (name),
    exchange TEXT NOT NULL,
    routing_key TEXT NOT NULL,
    properties TEXT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL,
    deliveries INTEGER NOT NULL DEFAULT 0,
    holder TEXT
);
CREATE INDEX messages_ready ON messages (queue, id) WHERE holder IS NULL;
CREATE INDEX messages_held ON messages (holder, queue) WHERE holder IS NOT NULL;

CREATE TRIGGER messages_arrive AFTER INSERT ON messages
    BEGIN UPDATE queues SET length = length + 1 WHERE name = NEW.queue; END;
CREATE TRIGGER messages_leave AFTER DELETE ON messages
    BEGIN UPDATE queues SET length = length - 1 WHERE name = OLD.queue; END;
"""


class SqliteFile:
    """One connection to the file; used by one thread at a time.

    Args:
        path: made, with its folder, when it is not there.
        timeout_s: longest wait for another process's write.

    Raises:
        sqlite3.Error: the file cannot be opened, or a newer Portus has written it.
    """

    def __init__(self, path: Path, *, timeout_s: float) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._timeout_s = timeout_s
        # Transactions are begun by hand: the driver's own begin late, and as readers.
        self.connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except sqlite3.Error:
            self.connection.close()
            raise

    def close(self) -> None:
        """Close the connection; what was not committed is gone."""
        self.connection.close()

    def version(self) -> int:
        """Return a number that changes whenever another connection has committed."""
        return int(self.connection.execute("PRAGMA data_version").fetchone()[0])

    @contextmanager
    def write(self) -> Iterator[None]:
        """Open one write transaction: on disk at the end, rolled back by an exception.

        Raises:
            sqlite3.OperationalError: another process held the file for too long, or the disk is full.
        """
        self._begin()
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def _begin(self) -> None:
        # SQLite's own waiting sleeps longer and longer, up to 100 ms, so that a busy neighbour could
        # keep a patient one out; short random naps share the file evenly.
        self.connection.execute("PRAGMA busy_timeout=0")
        try:
            self._insist("BEGIN IMMEDIATE")
        finally:
            self.connection.execute(f"PRAGMA busy_timeout={round(self._timeout_s * 1000)}")

    def _insist(self, statement: str) -> None:
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                self.connection.execute(statement)
                return
            except sqlite3.OperationalError as fault:
                # The low byte is the primary result code.
                if fault.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(random.uniform(0.0005, 0.003))  # noqa: S311 (spreads load, keeps no secret)

    def _prepare(self) -> None:
        self.connection.execute("PRAGMA foreign_keys=ON")
        # The first change to WAL needs the file for itself, and SQLite does not wait for that.
        self._insist("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=FULL")
        if self._layout_version() != LAYOUT_VERSION:
            with self.write():
                self._lay_out()

    def _lay_out(self) -> None:
        found = self._layout_version()
        if found > LAYOUT_VERSION:
            raise sqlite3.DatabaseError(f"the broker file has layout {found}: a newer Portus wrote it, use that one")
        if found < LAYOUT_VERSION:
            for statement in _statements(_LAYOUT):
                self.connection.execute(statement)
            self.connection.execute(f"PRAGMA user_version={LAYOUT_VERSION}")

    def _layout_version(self) -> int:
        return int(self.connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    """Split a script; ``executescript`` would commit the transaction that we are in."""
    pending = ""
    for line in script.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
