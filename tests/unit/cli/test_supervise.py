"""Processes are started, started again when they die, and never left behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cli.plan import Program
from cli.preflight import CannotStart
from cli.supervise import Stopped, StopSignals, Supervisor
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def signals() -> StopSignals:
    return StopSignals()


@pytest.fixture
def supervisor(signals: StopSignals, tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(signals, logs=tmp_path, environment=os.environ, folder=ROOT)
    yield supervisor
    supervisor.stop()


def test_failing_command_shows_what_it_printed(supervisor: Supervisor) -> None:
    with pytest.raises(CannotStart, match="broken failed:\nno such luck"):
        supervisor.run_to_end([python("broken", "import sys; sys.exit('no such luck')")])


def test_process_that_ends_before_it_is_ready_is_a_failure(supervisor: Supervisor) -> None:
    with pytest.raises(CannotStart, match="server ended with status 3"):
        supervisor.run_until_ready([python("server", "raise SystemExit(3)", ready_url="http://127.0.0.1:9/")])


def test_process_that_never_gets_ready_is_named_with_its_fault(supervisor: Supervisor) -> None:
    idle = python("idle", "import time; time.sleep(60)", ready_url="http://127.0.0.1:9/")

    with pytest.raises(CannotStart, match="idle: does not answer"):
        supervisor.run_until_ready([idle], timeout_s=0.2)


def test_process_that_dies_is_started_again(supervisor: Supervisor, signals: StopSignals, tmp_path: Path) -> None:
    code = f"import os, time; open({str(tmp_path / 'lives')!r}, 'a').write(f'{{os.getpid()}} '); time.sleep(60)"
    lives = tmp_path / "lives"
    supervisor.run_until_ready([python("worker", code)])
    wait_until(lives.exists, what="the first life")

    def kill_and_see() -> None:
        os.kill(int(wait_until(lambda: lives.read_text().split(), what="a process id")[0]), signal.SIGKILL)
        wait_until(lambda: len(lives.read_text().split()) == 2, what="the second life")
        signals.count += 1

    witness = threading.Thread(target=kill_and_see)
    witness.start()
    supervisor.watch()
    witness.join()

    assert len(lives.read_text().split()) == 2


def test_stop_takes_grandchildren_along(supervisor: Supervisor, tmp_path: Path) -> None:
    code = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True); import time; time.sleep(60)"
    supervisor.run_until_ready([python("parent", code)])
    log = tmp_path / "parent.log"
    grandchild = int(wait_until(lambda: log.read_text().split(), what="the grandchild")[0])

    supervisor.stop()

    wait_until(lambda: has_ended(grandchild), what="the grandchild's end")


def test_process_that_ends_first_ends_while_the_others_work(supervisor: Supervisor, tmp_path: Path) -> None:
    said = tmp_path / "said"
    code = "import signal, time; signal.signal(signal.SIGTERM, {handler}); print('up', flush=True); time.sleep(600)"
    handler = "lambda *_: (time.sleep({after}), open({path!r}, 'a').write({name!r} + ' '), exit())"
    for name, after in (("listener", 0), ("speaker", 0.5)):
        body = code.format(handler=handler.format(after=after, path=str(said), name=name))
        supervisor.run_until_ready([replace(python(name, body), ends_first=name == "speaker")])
        wait_until((tmp_path / f"{name}.log").read_text, what=f"the {name}")

    supervisor.stop()

    assert said.read_text().split() == ["speaker", "listener"]


def test_second_signal_hurries_a_process_that_will_not_end(
    supervisor: Supervisor, signals: StopSignals, tmp_path: Path
) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    supervisor.run_until_ready([python("stubborn", code)])
    wait_until(lambda: (tmp_path / "stubborn.log").read_text(), what="it ignores us")
    signals.count = 1
    threading.Timer(0.3, lambda: setattr(signals, "count", 2)).start()

    supervisor.stop()

    assert supervisor.running() == []


def test_signal_ends_the_wait_for_readiness(supervisor: Supervisor, signals: StopSignals) -> None:
    signals.count = 1

    with pytest.raises(Stopped):
        supervisor.run_until_ready([python("idle", "import time; time.sleep(60)", ready_url="http://127.0.0.1:9/")])


def test_process_does_not_outlive_a_parent_killed_with_9() -> None:
    code = """
import subprocess, time
from cli.leash import die_with_parent
print(subprocess.Popen(["sleep", "600"], preexec_fn=die_with_parent).pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())

        parent.kill()

    wait_until(lambda: has_ended(child), what="the child's end")


def python(name: str, code: str, *, ready_url: str | None = None) -> Program:
    return Program(name, (sys.executable, "-c", code), ready_url)


def has_ended(pid: int) -> bool:
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True
