"""A receiver of webhooks, asked once: only where it may be, for a limited time, and for a limited answer.

A name is resolved once; what was checked is what is connected to, so that a name which means another
address a moment later (DNS rebinding) gains nothing. Redirects are not followed, and no proxy is used.
"""

import io
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog

from services.notifier.domain.addresses import Network, may_reach
from services.notifier.domain.texts import storable
from services.notifier.domain.webhook_requests import Headers, Request
from services.notifier.domain.webhooks import port_of
from services.notifier.usecases.deliver import Answer

MAX_BODY_KEPT_BYTES = 16 * 1024
MAX_HEADERS_KEPT = 50
MAX_HEADER_KEPT = 1024
MAX_READ_BYTES = 1024 * 1024
"""Of one answer, headers included, whatever it says of its length."""

log = structlog.get_logger(__name__)

Resolve = Callable[[str, int], Sequence[str]]
"""Returns the addresses of a host.

Raises:
    OSError: it has none.
"""


class Unreachable(Exception):
    """There is no answer; the text says why."""


class _TooLong(Exception):
    """An answer does not end where it should."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Sends requests of webhooks.

    Args:
        allowed: networks that may be reached besides public addresses.
        timeout_s: how long everything may take, from the first packet to the last.
        ca_bundle: file of CA certificates that are believed beside the well-known ones.
        resolve: finds the addresses of a name.
    """

    allowed: Sequence[Network]
    timeout_s: float
    ca_bundle: Path | None = None
    resolve: Resolve = lambda host, port: resolve_host(host, port)

    def send(self, request: Request) -> Answer:
        """Send a request; whatever happens is an answer."""
        started_s = time.monotonic()
        try:
            return self._ask(request, started_s)
        except Unreachable as fault:
            return Answer(0, str(fault), took_s=time.monotonic() - started_s)
        except Exception as fault:  # noqa: BLE001 (whatever a receiver does must count as an attempt)
            log.warning("webhooks.odd_answer", fault=type(fault).__name__)
            return Answer(0, "Its answer cannot be understood.", took_s=time.monotonic() - started_s)

    def _ask(self, request: Request, started_s: float) -> Answer:
        parts = urlsplit(request.url)
        host, port = parts.hostname or "", port_of(parts)
        addresses = self._checked(host, port)
        connection = _Connection(host, port, addresses, time.monotonic() + self.timeout_s, self._tls(parts.scheme))
        try:
            return _exchange(connection, request, parts.path or "/", parts.query, started_s)
        except TimeoutError as fault:
            raise Unreachable(f"No answer within {self.timeout_s:g} seconds.") from fault
        except ssl.SSLCertVerificationError as fault:
            raise Unreachable(f"Its certificate is not believed: {fault.verify_message}.") from fault
        except ConnectionRefusedError as fault:
            raise Unreachable("It refuses the connection.") from fault
        except _TooLong as fault:
            raise Unreachable(f"Its answer has more than {MAX_READ_BYTES} bytes.") from fault
        except (OSError, HTTPException) as fault:
            raise Unreachable(f"The connection was broken off ({type(fault).__name__}).") from fault
        finally:
            connection.close()

    def _checked(self, host: str, port: int) -> Sequence[str]:
        try:
            found = self.resolve(host, port)
        except (OSError, UnicodeError) as fault:
            raise Unreachable("Its name cannot be resolved.") from fault
        good = [address for address in found if may_reach(address, self.allowed)]
        if not good:
            # Which address it is says something about the network here.
            raise Unreachable("Its address is not public, and not among PORTUS_WEBHOOK_ALLOWED_NETWORKS.")
        return good

    def _tls(self, scheme: str) -> ssl.SSLContext | None:
        if scheme != "https":
            return None
        context = ssl.create_default_context()
        if self.ca_bundle:
            context.load_verify_locations(cafile=self.ca_bundle)
        return context


def resolve_host(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a host.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _exchange(connection: "_Connection", request: Request, path: str, query: str, started_s: float) -> Answer:
    target = f"{path}?{query}" if query else path
    connection.putrequest(request.method, target, skip_accept_encoding=True)
    for name, value in request.headers:
        connection.putheader(name, value.encode())
    connection.putheader("Content-Length", str(len(request.body)))
    connection.putheader("Connection", "close")
    connection.endheaders(request.body)
    with connection.getresponse() as response:
        body = response.read(MAX_BODY_KEPT_BYTES)
        return Answer(
            response.status,
            _fault(response.status),
            _kept_headers(response),
            _text(body),
            time.monotonic() - started_s,
        )


def _fault(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    redirected = " Redirects are not followed: enter the address that it leads to." if 300 <= status < 400 else ""
    return f"It answered {status}.{redirected}"


def _kept_headers(response: HTTPResponse) -> Headers:
    headers = response.getheaders()[:MAX_HEADERS_KEPT]
    return [(storable(name)[:MAX_HEADER_KEPT], storable(value)[:MAX_HEADER_KEPT]) for name, value in headers]


def _text(body: bytes) -> str:
    return storable(body.decode("utf-8", "replace"))


class _Connection(HTTPConnection):
    """Connects to addresses that were checked, and is done by a moment whatever the other side does."""

    def __init__(
        self, host: str, port: int, addresses: Sequence[str], deadline_s: float, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(host, port)
        # What belongs into ``Host`` without its number.
        self.default_port = 443 if tls else 80
        self._addresses = addresses
        self._deadline_s = deadline_s
        self._tls = tls

    def connect(self) -> None:
        """Connect to the first address that takes it."""
        plain = self._connect_to_one()
        if self._tls:
            plain.settimeout(_left(self._deadline_s))
            plain = self._tls.wrap_socket(plain, server_hostname=self.host)
        self.sock = _TimedSocket(plain, self._deadline_s)

    def _connect_to_one(self) -> socket.socket:
        fault: OSError = OSError("no address")
        for address in self._addresses:
            try:
                return socket.create_connection((address, self.port), _left(self._deadline_s))
            except OSError as refused:
                fault = refused
        raise fault


class _TimedSocket:
    """A socket whose every wait ends at one moment: a byte now and then does not prolong it."""

    def __init__(self, plain: socket.socket, deadline_s: float) -> None:
        self._plain = plain
        self._deadline_s = deadline_s

    def sendall(self, data: Any) -> None:
        self._plain.settimeout(_left(self._deadline_s))
        self._plain.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._plain, self._deadline_s))

    def close(self) -> None:
        self._plain.close()


class _TimedReader(io.RawIOBase):
    def __init__(self, plain: socket.socket, deadline_s: float) -> None:
        self._plain = plain
        # Keeps the socket open when the connection is closed, which it is before its answer has been read.
        self._file = plain.makefile("rb", buffering=0)
        self._deadline_s = deadline_s
        self._left = MAX_READ_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._plain.settimeout(_left(self._deadline_s))
        count = self._file.readinto(buffer) or 0
        # http.client takes a chunk of a negative length for all that follows.
        self._left -= count
        if self._left < 0:
            raise _TooLong
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def _left(deadline_s: float) -> float:
    left_s = deadline_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s
