"""A WSGI application on a real socket, for the time of a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from werkzeug.serving import make_server

from tests.support.ports import free_port


@contextmanager
def serving(app: Any, *, port: int | None = None) -> Iterator[str]:
    """Serve an application on loopback; the value is its address."""
    port = port or free_port()
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
