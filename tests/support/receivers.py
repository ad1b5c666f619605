"""Somebody who is told of events: a real HTTP server that keeps what it was sent."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import json
from werkzeug import Request, Response

from tests.support.serving import serving


@dataclass(frozen=True)
class Received:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    """By name in lower case."""
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """Answers as it is told, 200 unless it is told otherwise."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Request], Response] = lambda _request: Response("thanks", 200)

    def app(self) -> Callable[..., object]:
        return Request.application(self._take)

    @property
    def events(self) -> list[str]:
        """The ids of the events, as they came."""
        return [one.event["id"] for one in self.received]

    def _take(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(request.method, request.full_path.rstrip("?"), headers, request.get_data()))
        return self.answer(request)


@contextmanager
def receiving(answer: Callable[[Request], Response] | None = None, *, tls: Path | None = None) -> Iterator[Receiver]:
    """Run a receiver for the length of a ``with``."""
    receiver = Receiver()
    if answer:
        receiver.answer = answer
    with serving(receiver.app(), tls=tls) as url:
        receiver.url = url
        yield receiver


@contextmanager
def talking(say: Callable[[socket.socket], None]) -> Iterator[str]:
    """Run a receiver that does as it likes with every connection; the value is its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    say(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
