"""What `portus up` promises to somebody who has only a terminal: `make run` is nothing but this."""

import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import requests

from cli.settings import DEFAULT_PORTS, PORT_VARIABLES
from tests.support.clients import ApiClient
from tests.support.parts import require_program
from tests.support.ports import free_port
from tests.support.processes import Process, descendants
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
READY = "Portus is ready"

Starter = Callable[..., "PortusUp"]


class PortusUp:
    """`portus up` in a folder of its own and on ports of its own.

    Args:
        folder: everything it writes; a second one in the same folder finds the data of the first.
        ports: by the names of ``DEFAULT_PORTS``.
        variables: further ``PORTUS_*`` variables, or others.
        output: file for what it prints.
    """

    def __init__(
        self, folder: Path, ports: Mapping[str, int], variables: Mapping[str, str], *, output: str = "output"
    ) -> None:
        self.data = folder / "data"
        self.ports = ports
        self.log = folder / output
        self.log.write_bytes(b"")
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment |= {PORT_VARIABLES[name]: str(port) for name, port in ports.items()}
        environment |= {"PORTUS_DATA_DIR": str(self.data), **variables}
        self.process = Process([sys.executable, "-m", "cli", "up"], log=self.log, env=environment, folder=ROOT)

    def wait_until_ready(self) -> "PortusUp":
        def is_ready() -> bool:
            assert self.process.status is None, self.process.output()
            return READY in self.process.output()

        wait_until(is_ready, what="portus up is ready", timeout_s=90)
        return self

    def url(self, name: str) -> str:
        return f"http://localhost:{self.ports[name]}"

    def password(self) -> str:
        return (self.data / "secrets/admin-password").read_text().strip()

    def api(self) -> ApiClient:
        return ApiClient(self.url("auth"), ("admin", self.password()))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """A function that runs `portus up`, each time in the same folder and on the same ports."""
    yield from make_starter(tmp_path)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortusUp]:
    """One that is ready, for the tests that leave it as they found it."""
    starters = make_starter(tmp_path_factory.mktemp("running"))
    yield next(starters)().wait_until_ready()
    next(starters, None)


def make_starter(folder: Path) -> Iterator[Starter]:
    require_program("docker-registry", "registry", package="docker-registry")
    ports = {name: free_port() for name in DEFAULT_PORTS}
    started: list[PortusUp] = []

    def run(**variables: str) -> PortusUp:
        started.append(PortusUp(folder, ports, variables))
        return started[-1]

    yield run
    for up in started:
        up.process.stop()


def test_first_start_makes_everything_and_second_finds_it_again(start: Starter) -> None:
    first = start().wait_until_ready()
    password, output = first.password(), first.process.output()
    first.api().post("/api/v1/users", {"username": "jane", "email": "jane@example.org", "password": "jane's password"})
    first.process.stop()

    second = start().wait_until_ready()

    assert f"shown this once: {password}" in output
    assert password not in second.process.output()
    assert {user["username"] for user in second.api().get("/api/v1/users")} >= {"admin", "jane"}


def test_everything_is_green_and_the_registry_wants_our_tokens(running: PortusUp) -> None:
    services = [name for name in DEFAULT_PORTS if name != "registry"]

    health = {name: requests.get(f"{running.url(name)}/readyz", timeout=5).status_code for name in services}
    challenge = requests.get(f"{running.url('registry')}/v2/", timeout=5).headers["WWW-Authenticate"]

    assert set(health.values()) == {200}
    assert f'realm="{running.url("auth")}/v2/token"' in challenge


def test_data_are_for_their_owner_only(running: PortusUp) -> None:
    secrets = [path.stat().st_mode & 0o777 for path in (running.data / "secrets").iterdir()]

    assert running.data.stat().st_mode & 0o777 == 0o700
    assert set(secrets) == {0o600}


def test_process_that_dies_is_started_again(running: PortusUp) -> None:
    (worker,) = catalog_workers(running)

    os.kill(worker, signal.SIGKILL)

    wait_until(lambda: catalog_workers(running) not in ([], [worker]), what="another worker")
    assert "catalog-worker | ended with status -9" in running.process.output()


def test_second_start_in_the_same_folder_is_refused(running: PortusUp) -> None:
    second = PortusUp(running.data.parent, running.ports, {}, output="second")

    assert second.process.wait() == 1
    assert one_line(second).startswith(f"portus up: Portus already runs in {second.data} (process N): stop it first")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_signal_stops_everything(start: Starter, number: signal.Signals) -> None:
    up = start().wait_until_ready()
    children = processes_of(up)

    status = up.process.stop(number)

    assert (status, alive(children)) == (0, [])
    assert list((up.data / "run").iterdir()) == []


def test_nothing_outlives_a_kill_with_9_and_the_next_start_is_a_good_one(start: Starter) -> None:
    up = start().wait_until_ready()
    children = processes_of(up)

    os.kill(up.process.pid, signal.SIGKILL)

    wait_until(lambda: not alive(children), what="all processes end")
    start().wait_until_ready()
    servers = len(DEFAULT_PORTS) - 1
    assert len(list((up.data / "run").glob("portus-metrics-*"))) == servers


def test_port_in_use_is_named_with_its_variable(start: Starter, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        up = start(PORTUS_NOTIFIER_PORT=str(port))

        assert up.process.wait() == 1
    assert one_line(up) == "portus up: Port N (notifier) is in use: set PORTUS_NOTIFIER_PORT to a free one."


def test_folder_that_cannot_be_written_is_named(start: Starter, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    up = start(PORTUS_DATA_DIR=str(tmp_path / "file"))

    assert up.process.wait() == 1
    assert "cannot be written (File exists): choose another one with PORTUS_DATA_DIR." in one_line(up)


def test_missing_registry_is_named(start: Starter, tmp_path: Path) -> None:
    up = start(PATH=str(tmp_path))

    assert up.process.wait() == 1
    assert one_line(up).startswith("portus up: No registry is on the PATH: install Debian's package docker-registry")


def test_wrong_setting_is_named(start: Starter) -> None:
    up = start(PORTUS_TOKEN_TTL_S="forever")

    assert up.process.wait() == 1
    assert "PORTUS_TOKEN_TTL_S: Not a valid integer." in up.process.output()


def processes_of(up: PortusUp) -> list[int]:
    found = [pid for pid, _ in descendants(up.process.pid)]
    assert len(found) >= 8, up.process.output()
    return found


def catalog_workers(up: PortusUp) -> list[int]:
    return [pid for pid, line in descendants(up.process.pid) if "services.catalog worker" in line]


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def one_line(up: PortusUp) -> str:
    """Return the only line that was printed, with numbers replaced."""
    (line,) = up.process.output().splitlines()
    return re.sub(r"(?<=process )\d+|(?<=Port )\d+", "N", line)
