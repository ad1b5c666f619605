"""A containerd and its command line ``ctr``, private to a test."""

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
class Ctr:
    """``ctr`` against one containerd."""

    socket: Path

    def pull(self, name: str, credentials: tuple[str, str]) -> Outcome:
        return self._images("pull", "--snapshotter", "native", "--user", ":".join(credentials), name)

    def push(self, name: str, credentials: tuple[str, str]) -> Outcome:
        return self._images("push", "--user", ":".join(credentials), name)

    def run(self, *arguments: str) -> Outcome:
        return run_client("ctr", "--address", str(self.socket), *arguments)

    def _images(self, verb: str, *arguments: str) -> Outcome:
        return self.run("images", verb, "--plain-http", *arguments)


@contextmanager
def containerd() -> Iterator[Ctr]:
    """Start containerd with everything it writes in a folder of its own; stop it at the end.

    Raises:
        Skipped: it is not installed, or we are not root; with ``CI=true`` the test fails instead.
    """
    program = require_program("containerd", package="containerd")
    if os.geteuid() != 0:
        missing("containerd must be started by root")
    # A socket's path may have 107 bytes at most, which a temporary folder of pytest can exceed.
    folder = Path(tempfile.mkdtemp(prefix="containerd-"))
    ctr = Ctr(folder / "socket")
    settings = folder / "config.toml"
    settings.write_text(
        f'version = 2\nroot = "{folder}/root"\nstate = "{folder}/state"\n'
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        f'[grpc]\naddress = "{ctr.socket}"\n'
    )
    process = Process([program, "--config", str(settings)], log=folder / "log")
    try:
        wait_until(
            lambda: ctr.run("version").succeeded,
            what=lambda: f"containerd answers\n{process.output()[-3000:]}",
            timeout_s=60,
        )
        yield ctr
    finally:
        process.stop(timeout_s=30)
        shutil.rmtree(folder, ignore_errors=True)
