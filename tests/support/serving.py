"""A WSGI application on a real socket, for the time of a test."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from werkzeug.serving import make_server

from tests.support.ports import free_port


@contextmanager
def serving(app: Any, *, port: int | None = None, tls: Path | None = None) -> Iterator[str]:
    """Serve an application on loopback; the value is its address.

    Args:
        tls: folder with ``server.crt`` and ``server.key`` for ``localhost``.
    """
    port = port or free_port()
    server = make_server("127.0.0.1", port, app, threaded=True, ssl_context=_context(tls) if tls else None)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    return context
