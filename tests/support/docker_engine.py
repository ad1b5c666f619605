"""A docker engine and its command line, private to a test.

No network and no overlay are needed for login, push and pull, so it runs in a plain container.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.clients import Outcome, run_client
from tests.support.parts import missing, require_program
from tests.support.processes import Process
from tests.support.waiting import wait_until


@dataclass(frozen=True)
class Docker:
    """The docker command line against one engine, with a configuration folder of its own."""

    socket: Path
    config: Path

    def run(self, *arguments: str) -> Outcome:
        return run_client("docker", "--host", f"unix://{self.socket}", "--config", str(self.config), *arguments)

    def as_someone(self, config: Path) -> "Docker":
        """Return the same engine for somebody else, who is not logged in yet."""
        config.mkdir()
        return Docker(self.socket, config)


@contextmanager
def docker_engine(folder: Path) -> Iterator[Docker]:
    """Start dockerd with everything it writes below ``folder``; stop it at the end.

    Raises:
        Skipped: it is not installed, or we are not root; with ``CI=true`` the test fails instead.
    """
    dockerd = require_program("dockerd", package="docker.io")
    if os.geteuid() != 0:
        missing("dockerd must be started by root")
    # A socket's path may have 107 bytes at most, which a temporary folder of pytest can exceed.
    short = Path(tempfile.mkdtemp(prefix="docker-"))
    socket, config = short / "docker.sock", folder / "config"
    config.mkdir(parents=True)
    command = [
        *(dockerd, "--host", f"unix://{socket}", "--data-root", str(folder / "data")),
        *("--exec-root", str(short / "exec"), "--pidfile", str(short / "pid")),
        *("--storage-driver=vfs", "--iptables=false", "--ip6tables=false", "--bridge=none"),
    ]
    engine = Process(command, log=folder / "dockerd.log")
    docker = Docker(socket, config)
    try:
        wait_until(
            lambda: docker.run("version").succeeded,
            what=lambda: f"dockerd answers\n{engine.output()[-3000:]}",
            timeout_s=60,
        )
        yield docker
    finally:
        engine.stop(timeout_s=30)
        shutil.rmtree(short, ignore_errors=True)
