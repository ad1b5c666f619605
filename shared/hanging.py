"""A PostgreSQL that takes connections and answers nothing: frozen, or behind a network that drops packets.

A server that is gone refuses at once. One that hangs holds whoever asks it, thread by thread, until
nobody is left to answer anything else. So a connection has a limit to its patience, and after one has
lost it, the others are refused at once; every few seconds one of them looks again.
"""

import threading
import time
from typing import Any

import psycopg
from psycopg import errors
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

LOOK_AGAIN_AFTER_S = 1.0
"""How long everybody is refused after a server was found hanging."""
LOOK_FOR_S = 10.0
"""How long the others are refused at most while one looks again: more than its patience."""


class ServerHangs(psycopg.OperationalError):
    """The server has not answered in time; the connection is closed."""


class PatientConnection(psycopg.Connection[Any]):
    """A connection that is closed when the server lets it wait too long for an answer."""

    patience_s: float | None = None
    """``None``: for ever."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """See ``psycopg.Connection.wait``.

        Raises:
            ServerHangs: the patience is over.
        """
        try:
            return super().wait(gen, interval, self.patience_s if timeout is None else timeout)
        # The driver has no public name for it; other limits than ours are none of our business.
        except errors._WaitTimeout as fault:
            if timeout is not None:
                raise
            self.close()
            raise ServerHangs(f"the server has not answered within {self.patience_s} seconds") from fault


def limit_patience(engine: Engine, patience_s: float) -> None:
    """Let every connection of an engine wait so long for an answer, and no longer."""

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, arguments: Any, parameters: Any) -> PatientConnection:
        connection = PatientConnection.connect(*arguments, **parameters)
        connection.patience_s = patience_s
        return connection


class Breaker:
    """Refuses callers while a server hangs; one of them looks again now and then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hangs = False
        self._refused_until_s = 0.0

    def check(self) -> None:
        """Let a caller ask the server.

        Raises:
            OperationalError: it was found hanging, and somebody else looks, or has just looked.
        """
        if not self._hangs:
            return
        with self._lock:
            now_s = time.monotonic()
            if self._hangs and now_s < self._refused_until_s:
                raise OperationalError("", {}, ServerHangs("the server was found hanging a moment ago"))
            self._refused_until_s = now_s + LOOK_FOR_S

    def settle(self, *, hangs: bool) -> None:
        """Note what came of asking the server."""
        if not (hangs or self._hangs):
            return
        with self._lock:
            self._hangs = hangs
            self._refused_until_s = time.monotonic() + LOOK_AGAIN_AFTER_S


def is_hang(fault: OperationalError) -> bool:
    """Tell whether a server did not answer in time, rather than refuse."""
    return isinstance(fault.orig, ServerHangs | errors.ConnectionTimeout)
