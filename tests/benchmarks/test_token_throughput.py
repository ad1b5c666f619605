"""How many tokens a second, beside the floor: the same request parsed and the same token signed.

On PostgreSQL, both routes in one server and one run. What lies between the two numbers is what
knowing costs: the password, the read of the database, the decision.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests

from tests.support.auth import SERVICE, SERVICE_ACCOUNT_SECRET, basic
from tests.support.load import Measured, Target, measure
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.token_server import FLOOR
from tests.support.waiting import wait_until

ADMINISTRATOR = ("root", "password of root")
ROUNDS = 2
ROUND_S = 2.5
CLIENT_PROCESSES, CLIENT_THREADS = 2, 4
SERVER_PROCESSES, SERVER_THREADS = 2, 4


@pytest.fixture
def environment(tmp_path: Path, postgresql_url: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PORTUS_")}
    return {
        **inherited,
        "PORTUS_DATA_DIR": str(tmp_path),
        "PORTUS_AUTH_DATABASE_URL": postgresql_url,
        "PORTUS_AUTH_PORT": str(free_port()),
        "PORTUS_WORKERS": str(SERVER_PROCESSES),
        "PORTUS_THREADS": str(SERVER_THREADS),
        "PORTUS_INTERNAL_SECRET": "internal-secret-of-the-benchmark",
        "PORTUS_SERVICE_ACCOUNT_SECRET": SERVICE_ACCOUNT_SECRET,
        "PORTUS_ADMIN_USERNAME": ADMINISTRATOR[0],
        "PORTUS_ADMIN_PASSWORD": ADMINISTRATOR[1],
    }


@pytest.fixture
def port(environment: dict[str, str], tmp_path: Path) -> Iterator[int]:
    for command in ("init-ca", "migrate", "ensure-admin"):
        subprocess.run(
            [sys.executable, "-m", "services.auth", command], env=environment, check=True, capture_output=True
        )
    server = Process([sys.executable, "-m", "tests.support.token_server"], log=tmp_path / "log", env=environment)
    port = int(environment["PORTUS_AUTH_PORT"])
    try:
        wait_until(lambda: _is_ready(port), what="auth is ready")
        yield port
    finally:
        server.stop()


def _is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200
    except requests.RequestException:
        return False


@pytest.mark.benchmark
def test_tokens_per_second(port: int, show_figures: Callable[[str], None]) -> None:
    """Prints both rates, their latencies and their ratio; asserts only that every answer was 200."""
    query = urlencode({"service": SERVICE, "scope": "repository:root/app:pull,push"})
    headers = basic(*ADMINISTRATOR)
    targets = {
        name: Target(port, f"{path}?{query}", headers) for name, path in (("floor", FLOOR), ("token", "/v2/token"))
    }

    # In turns, so that a neighbour's noise falls on both.
    rounds = [{name: _measure(target) for name, target in targets.items()} for _ in range(ROUNDS)]
    floor, token = (_sum([one[name] for one in rounds]) for name in ("floor", "token"))

    connections = CLIENT_PROCESSES * CLIENT_THREADS
    show_figures(f"PostgreSQL, gunicorn {SERVER_PROCESSES} x {SERVER_THREADS}, {connections} connections")
    show_figures(_line("floor (parse and sign)", floor))
    show_figures(_line("token (password, one scope)", token))
    show_figures(f"{'token / floor':28} {token.rate / floor.rate:7.2f}")


def _line(name: str, measured: Measured) -> str:
    p50, p99 = measured.percentile_ms(50), measured.percentile_ms(99)
    return f"{name:28} {measured.rate:7.0f} per second   p50 {p50:5.1f} ms   p99 {p99:6.1f} ms"


def _measure(target: Target) -> Measured:
    return measure(target, duration_s=ROUND_S, processes=CLIENT_PROCESSES, threads=CLIENT_THREADS)


def _sum(parts: list[Measured]) -> Measured:
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total
