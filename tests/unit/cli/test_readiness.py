"""What a process says about itself becomes one line."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from cli.readiness import readiness_fault

_ANSWERS = {
    "/ready": (200, b"{}"),
    "/registry": (401, b""),
    "/waiting": (503, json.dumps({"faults": {"database": "run 'migrate'", "broker": "away"}}).encode()),
    "/odd": (500, b"<h1>Oops</h1>"),
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = _ANSWERS[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        pytest.param("/ready", None, id="ready"),
        pytest.param("/registry", None, id="asks for a token, so it works"),
        pytest.param("/waiting", "database: run 'migrate', broker: away", id="says what is missing"),
        pytest.param("/odd", "<h1>Oops</h1>", id="says something else"),
    ],
)
def test_answer_is_told_in_one_line(url: str, path: str, fault: str | None) -> None:
    assert readiness_fault(url + path) == fault


def test_silence_is_a_fault(url: str) -> None:
    fault = readiness_fault("http://127.0.0.1:9/")

    assert fault is not None
    assert fault.startswith("does not answer")
