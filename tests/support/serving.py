"""A WSGI application on a real socket, for the time of a test."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from werkzeug.serving import make_server


@contextmanager
def serving(app: Any, *, port: int | None = None, tls: Path | None = None) -> Iterator[str]:
    """Serve an application on loopback; the value is its address.

    Args:
        port: where; without one, wherever nobody is.
        tls: folder with ``server.crt`` and ``server.key`` for ``localhost``.
    """
    # Bound by the kernel to a free one, so that none has to be held for as long as the tests run.
    server = make_server("127.0.0.1", port or 0, app, threaded=True, ssl_context=_context(tls) if tls else None)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.port}" if tls else f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    return context
