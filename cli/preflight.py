"""What must be in order before anything is started: the folder, the ports, the registry's program."""

import errno
import fcntl
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cli.settings import PORT_VARIABLES


class CannotStart(Exception):
    """The stack cannot be started; the message is one line that says what to do."""


@contextmanager
def claimed_folder(folder: Path) -> Iterator[None]:
    """Make the data folder, readable for its owner only, and keep a second `portus up` out of it.

    A folder that is there keeps its mode, because it may be somebody's: what is secret lies in
    folders and files of our own.

    Raises:
        CannotStart: it cannot be written, or somebody uses it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "up.lock").open("a+")
    except OSError as fault:
        reason = f"The data folder {folder} cannot be written ({fault.strerror})"
        raise CannotStart(f"{reason}: choose another one with PORTUS_DATA_DIR.") from fault
    with lock:
        _claim(lock.fileno(), folder)
        yield


def _claim(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(lock, 32, 0).decode().strip()
        raise CannotStart(
            f"Portus already runs in {folder} (process {owner}): stop it first, or choose another folder "
            "with PORTUS_DATA_DIR and other ports."
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())


def check_ports(bind: str, ports: Mapping[str, int], *, patience_s: float = 3) -> None:
    """Make sure that every port can be listened on.

    Args:
        bind: the address.
        ports: port by name.
        patience_s: how long a port may still be held by a run that was killed a moment ago.

    Raises:
        CannotStart: the first port that cannot, and the variable that moves it.
    """
    if len(set(ports.values())) < len(ports):
        listed = ", ".join(f"{PORT_VARIABLES[name]}={port}" for name, port in ports.items())
        raise CannotStart(f"Two processes cannot listen on the same port: {listed}.")
    deadline = time.monotonic() + patience_s
    for name, port in ports.items():
        while (fault := _listening_fault(bind, port)) and fault.errno == errno.EADDRINUSE:
            if time.monotonic() > deadline:
                break
            time.sleep(0.2)
        if fault:
            _explain(name, bind, port, fault)


def _explain(name: str, bind: str, port: int, fault: OSError) -> None:
    if fault.errno == errno.EADDRINUSE:
        raise CannotStart(f"Port {port} ({name}) is in use: set {PORT_VARIABLES[name]} to a free one.")
    raise CannotStart(
        f"Cannot listen on {bind}:{port} ({name}; {fault.strerror}): change PORTUS_BIND or {PORT_VARIABLES[name]}."
    )


def _listening_fault(bind: str, port: int) -> OSError | None:
    with socket.socket() as probe:
        # As the services do: connections of an earlier run that linger are no obstacle. Not
        # SO_REUSEPORT, with which we would share a port with a stranger and not notice.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError as fault:
            return fault
    return None


def find_registry_program() -> str:
    """Return the path of the registry's program, under Debian's or its own name.

    Raises:
        CannotStart: there is none.
    """
    for name in ("docker-registry", "registry"):
        if path := shutil.which(name):
            return path
    raise CannotStart(
        "No registry is on the PATH: install Debian's package docker-registry, or put the program `registry` "
        "of the CNCF project distribution (2.8 or 3.x) there."
    )
