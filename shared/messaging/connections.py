"""How a broker is reached: which transport an address means, and a limit on every wait."""

import sqlite3
import ssl
from typing import Any
from urllib.parse import urlsplit

from amqp.connection import NEGOTIATE_CAPABILITIES
from amqp.exceptions import AMQPError, NotFound
from environs import Env
from kombu.connection import Connection
from kombu.exceptions import KombuError
from kombu.transport import pyamqp
from marshmallow import ValidationError

from shared.config import Secret, data_file, secret_url
from shared.messaging.sqlite_transport import URL_PREFIX, SqliteTransport

BROKER_FAULTS = (OSError, AMQPError, KombuError, sqlite3.Error)
"""What can be raised when a broker is away, refuses us, or answers nonsense; time-outs are ``OSError``."""


class _PatientNever(pyamqp.Connection):
    """A connection on which no wait is without end: py-amqp's own default is to wait for ever."""

    # With this capability every publish first reads without blocking, and a frame that a frozen
    # broker sent half makes that spin. A blocked connection shows as a missing confirm anyway.
    negotiate_capabilities = NEGOTIATE_CAPABILITIES | {"connection.blocked": False}

    def connect(self, callback: Any = None) -> Any:
        result = super().connect(callback)
        self.sock.settimeout(self.connect_timeout)
        return result


class _AmqpTransport(pyamqp.Transport):
    Connection = _PatientNever


def load_broker_url(env: Env) -> Secret:
    """Read ``PORTUS_BROKER_URL``; it may hold a password."""
    default = f"{URL_PREFIX}{data_file(env, 'broker.db')}"
    return secret_url(env, "PORTUS_BROKER_URL", default, validate=_is_broker_url)


def new_connection(broker_url: Secret, *, timeout_s: float, heartbeat_s: float = 0) -> Connection:
    """Return a connection that is not open yet.

    Args:
        broker_url: ``sqlite:////absolute/path.db`` or ``amqp://user:password@host:port/vhost``;
            ``amqps://`` speaks TLS and believes the certificates that the system believes.
        timeout_s: limit of every wait that has none of its own.
        heartbeat_s: notice a dead peer while waiting for messages (AMQP only); the caller must
            then call ``heartbeat_check`` every second or so.
    """
    url = broker_url.reveal()
    if url.startswith(URL_PREFIX):
        return Connection(url, transport=SqliteTransport, connect_timeout=timeout_s)
    parts = urlsplit(url)
    # Left alone, py-amqp's TLS believes any certificate.
    tls = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": parts.hostname} if parts.scheme == "amqps" else False
    return Connection(url, transport=_AmqpTransport, ssl=tls, connect_timeout=timeout_s, heartbeat=heartbeat_s)


def open_connection(broker_url: Secret, *, timeout_s: float, heartbeat_s: float = 0) -> Connection:
    """Open a connection, with one attempt.

    Raises:
        BROKER_FAULTS: the broker is away or refuses us.
    """
    connection = new_connection(broker_url, timeout_s=timeout_s, heartbeat_s=heartbeat_s)
    connection.ensure_connection(max_retries=0, reraise_as_library_errors=False)
    return connection


def describe_broker(broker_url: Secret) -> str:
    """Return the address without name and password, for people."""
    url = broker_url.reveal()
    if url.startswith(URL_PREFIX):
        return url.removeprefix(URL_PREFIX)
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 5672}{parts.path}"


def explain_fault(fault: BaseException) -> str:
    """Return a broker's fault in one line, with what to do where that is known."""
    if isinstance(fault, NotFound):
        return f"{fault.reply_text}: run the command 'topology'"
    if isinstance(fault, TimeoutError):
        return "it did not answer in time"
    return f"{type(fault).__name__}: {fault}"


def _is_broker_url(value: str) -> None:
    if value.startswith(URL_PREFIX) and len(value) > len(URL_PREFIX):
        return
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("amqp", "amqps") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValidationError("must be sqlite:///<path> or amqp://user:password@host:5672/vhost")
