"""How many envelopes a second the notifier takes, beside a route that only parses the same JSON.

On RabbitMQ, with confirms, both routes in one server and one run. What lies between them is what
durability costs: reading an event leniently, and waiting until the broker has it on disk.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import requests

from shared.config import Secret
from tests.support.load import Measured, Target, measure
from tests.support.notifier import PATH, SECRET, V1
from tests.support.notifier_server import FLOOR
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.registry_events import load_captured
from tests.support.visibility import PEER_SECRET
from tests.support.waiting import wait_until

ROUNDS = 3
ROUND_S = 2.5
CLIENT_PROCESSES, CONNECTIONS = 2, 8
SHAPES = ((1, 8), (2, 4))
"""Processes and threads of the server: what it has unless told otherwise, and one process for each core of two."""


@pytest.fixture(params=SHAPES, ids=lambda shape: "x".join(map(str, shape)))
def shape(request: pytest.FixtureRequest) -> tuple[int, int]:
    processes, threads = request.param
    return processes, threads


@pytest.fixture
def port(shape: tuple[int, int], tmp_path: Path, rabbitmq_url: Secret) -> Iterator[int]:
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PORTUS_")},
        "PORTUS_DATA_DIR": str(tmp_path),
        "PORTUS_BROKER_URL": rabbitmq_url.reveal(),
        "PORTUS_NOTIFICATIONS_SECRET": SECRET,
        "PORTUS_INTERNAL_SECRET": PEER_SECRET,
        "PORTUS_NOTIFIER_PORT": str(port),
        "PORTUS_WORKERS": str(shape[0]),
        "PORTUS_THREADS": str(shape[1]),
    }
    prepare = [sys.executable, "-m", "services.notifier", "migrate", "topology"]
    subprocess.run(prepare, env=environment, check=True, capture_output=True)
    server = Process([sys.executable, "-m", "tests.support.notifier_server"], log=tmp_path / "log", env=environment)
    try:
        wait_until(lambda: _is_alive(port), what="the notifier answers")
        yield port
    finally:
        server.stop()


def _is_alive(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=2).ok
    except requests.RequestException:
        return False


@pytest.mark.benchmark
@pytest.mark.timeout(300)
def test_envelopes_per_second(shape: tuple[int, int], port: int, show_figures: Callable[[str], None]) -> None:
    """Prints rates, latencies and ratios; asserts only that every answer was 202."""
    measured = _measure_in_turns(_targets(port))
    floor = measured["floor"]
    show_figures(f"RabbitMQ, gunicorn {shape[0]} x {shape[1]}, {CONNECTIONS} connections, {ROUNDS} rounds in turns")
    for name, one in measured.items():
        show_figures(
            f"  {name:8} {one.rate:6.0f} envelopes/s  p50 {one.percentile_ms(50):5.1f} ms"
            f"  p99 {one.percentile_ms(99):6.1f} ms  of the floor: rate {one.rate / floor.rate:.2f}"
        )


def _targets(port: int) -> Mapping[str, Target]:
    body = json.dumps(load_captured("2.8.2")[0].body).encode()
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": V1}
    return {
        "floor": Target(port, FLOOR, headers, body, status=202),
        "events": Target(port, PATH, headers, body, status=202),
    }


def _measure_in_turns(targets: Mapping[str, Target]) -> dict[str, Measured]:
    found: dict[str, Measured] = {}
    # In turns, so that a neighbour's noise falls on both.
    for _ in range(ROUNDS):
        for name, target in targets.items():
            one = measure(
                target,
                duration_s=ROUND_S,
                processes=CLIENT_PROCESSES,
                threads=CONNECTIONS // CLIENT_PROCESSES,
            )
            found[name] = found[name] + one if name in found else one
    return found
