"""A kombu transport on one SQLite file: the broker of an installation without servers.

It keeps the promises that this package relies on with RabbitMQ: durable bindings, topic routing,
publisher confirms with returns and refusals, acknowledgements that mean something, redelivery when a
consumer dies, a delivery limit with dead letters, and queues of limited length.

Same machine and local file system only. Options (``transport_options``): ``lease_s`` is how long a
dead consumer's messages stay hidden, ``poll_interval_s`` how often a waiting consumer looks up.
"""

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import structlog
from amqp.exceptions import ChannelError
from kombu.transport import base

from shared.messaging.sqlite_channel import Channel
from shared.messaging.sqlite_file import SqliteFile
from shared.messaging.sqlite_leases import SqliteLeases

URL_PREFIX = "sqlite:///"
DEFAULT_LEASE_S = 6.0
DEFAULT_POLL_INTERVAL_S = 0.025
RECHECK_S = 1.0
"""How often a waiting consumer looks for lapsed leases: time passing does not change the file."""

log = structlog.get_logger(__name__)


class SqliteTransport(base.Transport):
    """``kombu.Connection("sqlite:////absolute/path.db", transport=SqliteTransport)``."""

    can_parse_url = True
    driver_type = "sqlite"
    driver_name = "portus-sqlite"
    connection_errors: Any = (sqlite3.Error, OSError)
    recoverable_connection_errors = connection_errors
    channel_errors: Any = (ChannelError,)
    recoverable_channel_errors = channel_errors

    def establish_connection(self) -> "SqliteSession":
        client: Any = self.client
        options = client.transport_options
        return SqliteSession(
            Path(client.hostname.removeprefix(URL_PREFIX)),
            client=client,
            timeout_s=client.connect_timeout,
            lease_s=options.get("lease_s", DEFAULT_LEASE_S),
            poll_interval_s=options.get("poll_interval_s", DEFAULT_POLL_INTERVAL_S),
        )

    def create_channel(self, connection: "SqliteSession") -> Channel:
        return connection.channel()

    def drain_events(self, connection: "SqliteSession", **options: Any) -> None:
        connection.drain_events(options.get("timeout"))

    def verify_connection(self, connection: "SqliteSession") -> bool:
        return connection.is_open

    def close_connection(self, connection: "SqliteSession") -> None:
        connection.close()

    def _collect(self, connection: "SqliteSession | None") -> None:
        if connection is not None:
            connection.abandon()


class SqliteSession:
    """One connection of one thread to the file, and the channels on it."""

    def __init__(self, path: Path, *, client: Any, timeout_s: float, lease_s: float, poll_interval_s: float) -> None:
        self.client = client
        self.file = SqliteFile(path, timeout_s=timeout_s)
        self.lease_s = lease_s
        self.is_open = True
        self._poll_interval_s = poll_interval_s
        self._channels: list[Channel] = []
        self._keeper = _LeaseKeeper(path, self._channels, timeout_s=timeout_s, lease_s=lease_s)

    def channel(self) -> Channel:
        """Open a channel."""
        channel = Channel(self)
        self._channels.append(channel)
        return channel

    def forget(self, channel: Channel) -> None:
        """Take a channel off the list: it has been closed."""
        self._channels.remove(channel)

    def drain_events(self, timeout_s: float | None = None) -> None:
        """Do what is to be done on all channels; wait for a delivery when there is nothing.

        Raises:
            TimeoutError: nothing was delivered or confirmed in time.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            # Read before looking, so that what arrives in between is not slept through.
            version = self.file.version()
            worked = [self._work(channel) for channel in tuple(self._channels)]
            if any(worked):
                return
            left_s = RECHECK_S if deadline is None else deadline - time.monotonic()
            if left_s <= 0:
                raise TimeoutError("nothing arrived")
            self._await_change(version, min(left_s, RECHECK_S))

    def close(self) -> None:
        """Give back what is held and close the file."""
        try:
            for channel in tuple(self._channels):
                channel.close()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Close the file and nothing else; what is held goes back when its lease ends."""
        self.is_open = False
        self._keeper.stop()
        self.file.close()

    def _work(self, channel: Channel) -> bool:
        published, delivered = channel.flush(), channel.deliver()
        if delivered:
            self._keeper.ensure_running()
        return published or delivered

    def _await_change(self, version: int, limit_s: float) -> None:
        # Asking for the version reads a few bytes of shared memory: 40 questions a second cost
        # nothing that could be noticed.
        end = time.monotonic() + limit_s
        while (left_s := end - time.monotonic()) > 0 and self.file.version() == version:
            time.sleep(min(left_s, self._poll_interval_s))


class _LeaseKeeper:
    """Renews the leases of a session's channels from a thread of its own, however long a handler works."""

    def __init__(self, path: Path, channels: list[Channel], *, timeout_s: float, lease_s: float) -> None:
        self._path = path
        self._channels = channels
        self._timeout_s = timeout_s
        self._lease_s = lease_s
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def ensure_running(self) -> None:
        """Start at the first delivery: a publisher has nothing to renew."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._lease_s / 10):
            try:
                self._keep()
            except sqlite3.Error as fault:
                log.warning("messaging.lease_not_renewed", fault=str(fault))

    def _keep(self) -> None:
        # The main connection may be inside a transaction, so this thread has its own.
        file = SqliteFile(self._path, timeout_s=self._timeout_s)
        try:
            leases = SqliteLeases(file.connection)
            while not self._stopped.wait(self._lease_s / 3):
                self._renew(file, leases)
        finally:
            file.close()

    def _renew(self, file: SqliteFile, leases: SqliteLeases) -> None:
        holders = [channel.holder for channel in tuple(self._channels) if channel.holds]
        if holders:
            with file.write():
                for holder in holders:
                    leases.renew(holder, lease_s=self._lease_s)
