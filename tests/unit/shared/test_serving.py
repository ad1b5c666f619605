"""A service's process leaves nothing behind when it ends."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.support.processes import Process
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[3]
_SERVE = """
import sys
from flask import Flask
from shared.api.serving import ServingSettings, serve
serve(lambda: Flask("empty"), ServingSettings(f"127.0.0.1:{sys.argv[1]}", workers=2, threads=1))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_service_that_is_stopped_leaves_no_metrics(
    free_port: Callable[[], int], tmp_path: Path, number: signal.Signals
) -> None:
    port = free_port()
    server = start(port, tmp_path)
    try:
        wait_until(lambda: answers(port), what="the service answers")
        assert [path.name[:15] for path in tmp_path.glob("portus-*")] == ["portus-metrics-"]
    finally:
        status = server.stop(number)

    assert (status, list(tmp_path.glob("portus-*"))) == (0, []), server.output()


def start(port: int, folder: Path) -> Process:
    environment = {**os.environ, "TMPDIR": str(folder)}
    return Process([sys.executable, "-c", _SERVE, str(port)], log=folder / "log", env=environment, folder=ROOT)


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/", timeout=5).status_code == 404
    except requests.ConnectionError:
        return False
