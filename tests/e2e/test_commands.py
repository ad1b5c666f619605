"""The two commands of a newcomer, as far as they can be seen without a fresh machine."""

import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cli.settings import DEFAULT_PORTS, PORT_VARIABLES
from tests.support.parts import missing, require_program
from tests.support.ports import free_port
from tests.support.processes import Process, descendants
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
_TOOLS = ("sh", "cat", "dirname", "grep", "sha256sum")
"""What the scripts call besides what a test is about."""

RunScript = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_script(tmp_path: Path) -> RunScript:
    """A function that runs a script with a PATH of its own.

    Its keywords are the programs on that PATH and what each of them does.
    """
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in _TOOLS:
        (folder / tool).symlink_to(str(shutil.which(tool)))

    def run(script: Path, *arguments: str, **programs: str) -> subprocess.CompletedProcess[str]:
        for name, body in programs.items():
            write_program(folder / name.replace("_", "-"), body)
        return subprocess.run([script, *arguments], env={"PATH": str(folder)}, capture_output=True, text=True)

    return run


def write_program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


# -- scripts/programs -------------------------------------------------------------------------------


def test_programs_that_are_there_are_not_talked_about(run_script: RunScript) -> None:
    # Had it anything to install, it would ask for `id`, and there is none on this PATH.
    done = run_script(ROOT / "scripts/programs", "absent|present-one=some-package", present_one="exit 1")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "programs",
    [
        pytest.param({"id": "echo 1000", "apt_get": "exit 0"}, id="not root"),
        pytest.param({"id": "echo 0"}, id="not Debian"),
    ],
)
def test_what_cannot_be_installed_is_named_in_one_line(run_script: RunScript, programs: Mapping[str, str]) -> None:
    wanted = ("absent-one=package-one", "present=package-two", "absent-three=package-three")

    done = run_script(ROOT / "scripts/programs", *wanted, present="exit 0", **programs)

    assert done.returncode != 0
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "apt-get install package-one package-three" in line


# -- scripts/environment ----------------------------------------------------------------------------


def test_environment_that_is_complete_is_left_alone(run_script: RunScript, tmp_path: Path) -> None:
    script = make_project(tmp_path / "project", python_says="Python 3.12.1")
    before = listing(script.parents[1])

    done = run_script(script, "run", python3='[ "$1" != -V ] || echo Python 3.12.1')

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert listing(script.parents[1]) == before


def test_python_that_is_too_old_is_named(run_script: RunScript, tmp_path: Path) -> None:
    script = make_project(tmp_path / "project", python_says="Python 3.9.2")

    done = run_script(script, "run", python3="exit 1")

    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert "Python 3.11 or newer is needed, and 'python3' is not that" in line


def make_project(folder: Path, *, python_says: str) -> Path:
    """Return ``scripts/environment`` of a project in which everything is installed."""
    (folder / "scripts").mkdir(parents=True)
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    pins = hashlib.sha256((folder / "requirements/dev.txt").read_bytes()).hexdigest()
    (folder / ".venv/bin").mkdir(parents=True)
    write_program(folder / ".venv/bin/python", '[ "$1" = -c ]')
    (folder / ".venv/portus-pins").write_text(f"dev {python_says} {pins}  -\n")
    return Path(shutil.copy(ROOT / "scripts/environment", folder / "scripts"))


def listing(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


# -- make run ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_make_run_ends_at_a_signal_and_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    make = start_make_run(tmp_path)
    try:
        wait_until(lambda: has_begun(make), what=lambda: f"make run is ready\n{make.output()}", timeout_s=120)
        started = [pid for pid, _ in descendants(make.pid)]
        assert len(started) > len(DEFAULT_PORTS), make.output()

        # Ctrl-C reaches the whole group of the terminal's foreground; `kill` reaches make alone.
        os.killpg(make.pid, number) if number is signal.SIGINT else os.kill(make.pid, number)

        make.wait(timeout_s=60)
        assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []
    finally:
        make.stop()


def has_begun(make: Process) -> bool:
    assert make.status is None, make.output()
    return "Portus is ready" in make.output()


def start_make_run(folder: Path) -> Process:
    """Start `make run` in the repository, with data and ports of its own."""
    require_program("docker-registry", "registry", package="docker-registry")
    if not (ROOT / ".venv/portus-pins").exists():
        missing("the environment .venv was not made by scripts/environment, and would be made anew")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PORTUS_", "MAKE"))}
    environment |= {variable: str(free_port()) for variable in PORT_VARIABLES.values()}
    environment |= {"PORTUS_DATA_DIR": str(folder / "data")}
    command = [require_program("make", package="make"), "run"]
    return Process(command, log=folder / "make-run.log", env=environment, folder=ROOT)
