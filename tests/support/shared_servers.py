"""Servers started at most once per test run, by whichever worker needs them first."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.support.locks import locked
from tests.support.postgresql import find_programs
from tests.support.rabbitmq import find_server
from tests.support.waiting import wait_until

RUN_VARIABLE = "PORTUS_TEST_RUN"
"""Names the folder of the test run."""
_REQUIRED: dict[str, Callable[[], object]] = {"postgresql": find_programs, "rabbitmq": find_server}
"""Asked here and not in the keeper, where nobody would see that a test is skipped."""
_ROOT = Path(__file__).parents[2]


def open_run() -> None:
    """Make the folder of this test run; workers inherit its name through the environment."""
    folder = Path(tempfile.mkdtemp(prefix="portus-test-"))
    # A PostgreSQL cluster in it belongs to another user, who must be able to pass.
    folder.chmod(0o711)
    (folder / "owner").write_text(str(os.getpid()))
    os.environ[RUN_VARIABLE] = str(folder)


def close_run() -> None:
    """Stop what was started for this run and remove its folder."""
    folder = Path(os.environ.pop(RUN_VARIABLE))
    for path in folder.glob("*.json"):
        _stop(int(json.loads(path.read_text())["pid"]))
    shutil.rmtree(folder, ignore_errors=True)


def shared_server(kind: str) -> dict[str, str]:
    """Return the addresses of a server of this run, started now if nobody has yet.

    Args:
        kind: a key of ``tests.support.keeper.KINDS``.

    Raises:
        Skipped: the server is not installed; with ``CI=true`` the test fails.
        RuntimeError: it does not start; the message holds the end of its log.
    """
    _REQUIRED[kind]()
    folder = Path(os.environ[RUN_VARIABLE])
    ready = folder / f"{kind}.json"
    with locked(folder / f"{kind}.lock"):
        if not ready.exists():
            _start_keeper(kind, folder)
        addresses: dict[str, str] = json.loads(ready.read_text())
        return addresses


def _start_keeper(kind: str, folder: Path) -> None:
    log = folder / f"{kind}.log"
    command = [sys.executable, "-m", "tests.support.keeper", kind, str(folder), (folder / "owner").read_text()]
    with log.open("wb") as output:
        # Ctrl-C in the terminal must reach pytest only: it then ends the run in order.
        keeper = subprocess.Popen(command, cwd=_ROOT, stdout=output, stderr=output, start_new_session=True)

    def settled() -> bool:
        return (folder / f"{kind}.json").exists() or keeper.poll() is not None

    wait_until(settled, what=f"the tests' {kind} is ready", timeout_s=120)
    if keeper.poll() is not None:
        raise RuntimeError(f"the tests' {kind} did not start:\n{log.read_text()[-2000:]}")


def _stop(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: _has_ended(pid), what=f"process {pid} ends")


def _has_ended(pid: int) -> bool:
    with suppress(ChildProcessError):
        # Without workers the keeper is our own child and stays a zombie until somebody asks.
        os.waitpid(pid, os.WNOHANG)
    return not Path(f"/proc/{pid}").exists()
