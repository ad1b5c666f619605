"""``python -m services.auth …`` as processes of their own, as an installation runs them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.support.auth import SERVICE_ACCOUNT_SECRET
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.waiting import wait_until

Environment = dict[str, str]
ROOT = ("root", "password of root")
"""The administrator whom ``ensure-admin`` makes."""


def auth_environment(folder: Path, database_url: str) -> Environment:
    """Return the environment of an installation whose data lies in a folder."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PORTUS_")}
    return {
        **inherited,
        "PORTUS_DATA_DIR": str(folder / "data"),
        "PORTUS_AUTH_DATABASE_URL": database_url,
        "PORTUS_AUTH_PORT": str(free_port()),
        "PORTUS_INTERNAL_SECRET": "internal-secret-of-the-tests",
        "PORTUS_SERVICE_ACCOUNT_SECRET": SERVICE_ACCOUNT_SECRET,
        "PORTUS_ADMIN_USERNAME": ROOT[0],
        "PORTUS_ADMIN_PASSWORD": ROOT[1],
    }


def run_auth(environment: Environment, command: str, *options: str, status: int = 0, **changes: str) -> str:
    """Run commands to their end and return both outputs."""
    done = subprocess.run(
        [sys.executable, "-m", "services.auth", command, *options],
        env={**environment, **changes},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def prepare_auth(environment: Environment) -> None:
    """Make all that ``serve`` needs; in one process, because most of the time goes into starting one."""
    run_auth(environment, "init-ca", "migrate", "ensure-admin", "topology")


@contextmanager
def serving_auth(environment: Mapping[str, str], *, log: Path) -> Iterator[str]:
    """Serve until the end of the block, on the port of the environment; the value is the address."""
    server = Process([sys.executable, "-m", "services.auth", "serve"], log=log, env=environment)
    url = f"http://localhost:{environment['PORTUS_AUTH_PORT']}"
    try:
        wait_until(lambda: _is_ready(url), what=lambda: f"auth is ready\n{server.output()}")
        yield url
    finally:
        status = server.stop(signal.SIGTERM)
    assert status == 0, server.output()


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=2).status_code == 200
    except requests.RequestException:
        return False
