"""How a service's process is served: gunicorn, configured in code, the same for all.

Source: gunicorn "Custom Application"; prometheus_client "Multiprocess Mode".
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from environs import Env
from flask import Flask
from gunicorn.app.base import BaseApplication
from marshmallow.validate import Range
from prometheus_client import multiprocess, values


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """How to listen; read by ``load_serving_settings``."""

    bind: str
    """``host:port``."""
    workers: int
    """Processes."""
    threads: int
    """Threads per process."""


def load_serving_settings(env: Env, *, port_variable: str, default_port: int) -> ServingSettings:
    """Read how a service listens: ``PORTUS_BIND``, its port, ``PORTUS_WORKERS``, ``PORTUS_THREADS``."""
    port = env.int(port_variable, default_port, validate=Range(1, 65535))
    return ServingSettings(
        bind=f"{env.str('PORTUS_BIND', '127.0.0.1')}:{port}",
        workers=env.int("PORTUS_WORKERS", 1, validate=Range(1, 64)),
        threads=env.int("PORTUS_THREADS", 8, validate=Range(1, 256)),
    )


def load_trusted_proxies(env: Env) -> int:
    """Read ``PORTUS_TRUSTED_PROXIES``: how many proxies in front may be believed."""
    return env.int("PORTUS_TRUSTED_PROXIES", 0, validate=Range(0, 16))


def serve(build_app: Callable[[], Flask], settings: ServingSettings) -> None:
    """Run a service until it is told to stop (SIGTERM finishes requests in flight first).

    Args:
        build_app: builds the application inside each worker, so that no connection crosses a fork.
        settings: address, processes, threads.
    """
    with _metrics_folder() as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        # The library chose where values live when it was imported, before the directory was known. Metrics
        # with labels make their values at first use, so choosing again now is in time for all of them.
        values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
        _Server(build_app, settings).run()


@contextmanager
def _metrics_folder() -> Iterator[str]:
    # New each time, because it must be empty at start: old files would be counted again.
    folder, owner = tempfile.mkdtemp(prefix="portus-metrics-"), os.getpid()
    try:
        yield folder
    finally:
        # The workers are forks of this process, and when they end they come by here as well.
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, build_app: Callable[[], Flask], settings: ServingSettings) -> None:
        self._build_app = build_app
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": self._settings.bind,
            "workers": self._settings.workers,
            "threads": self._settings.threads,
            "worker_class": "gthread",
            # Without it connections that are kept alive can all land on one worker.
            "reuse_port": True,
            "timeout": 30,
            "graceful_timeout": 10,
            "keepalive": 15,
            # gunicorn's 4094 would cut a token request with some sixty scopes short.
            "limit_request_line": 8190,
            "accesslog": None,
            "loglevel": "warning",
            "control_socket_disable": True,
            "child_exit": lambda _server, worker: multiprocess.mark_process_dead(worker.pid),  # type: ignore[no-untyped-call]
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._build_app()
