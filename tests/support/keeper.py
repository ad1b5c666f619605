"""A server shared by a whole test run: ``python -m tests.support.keeper <kind> <run folder> <owner>``.

pytest-xdist's workers come and go, so none of them can be the parent of a server that all share.
The keeper is: it starts the server, writes its addresses to ``<run folder>/<kind>.json``, and stops
it on SIGTERM or when the owner (the pytest process that a person started) has ended in any way.
"""

import json
import os
import select
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tests.support.postgresql import PostgresqlCluster
from tests.support.rabbitmq import RabbitmqNode


class Server(Protocol):
    """What a keeper can keep."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


def _postgresql(folder: Path) -> tuple[Server, dict[str, str]]:
    cluster = PostgresqlCluster(folder)
    return cluster, {"url": cluster.url}


def _rabbitmq(folder: Path) -> tuple[Server, dict[str, str]]:
    node = RabbitmqNode(folder)
    return node, {"amqp_url": node.amqp_url, "management_url": node.management_url}


KINDS: dict[str, Callable[[Path], tuple[Server, dict[str, str]]]] = {
    "postgresql": _postgresql,
    "rabbitmq": _rabbitmq,
}


def main(kind: str, run_folder: Path, owner: int) -> None:
    """Keep one server until told to stop, or until the owner has ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    owner_alive = os.pidfd_open(owner)
    server, addresses = KINDS[kind](run_folder / kind)
    try:
        server.start()
        _write(run_folder / f"{kind}.json", addresses | {"pid": str(os.getpid())})
        select.select([owner_alive], [], [])
    finally:
        server.stop()
        shutil.rmtree(run_folder / kind, ignore_errors=True)
    # Only reached when the owner has ended without cleaning up.
    shutil.rmtree(run_folder, ignore_errors=True)


def _write(path: Path, content: dict[str, str]) -> None:
    # A reader sees all of it or nothing.
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(content))
    unfinished.rename(path)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
