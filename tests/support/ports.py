"""Ports that nobody else uses, not even another test run on the same machine."""

import fcntl
import os
import random
import socket
import tempfile
from functools import cache
from pathlib import Path

# Below the range from which the kernel takes ports for outgoing connections, and off the standard
# ports of the servers that a developer may run.
_RANGE = range(20000, 32768)
_HELD: list[int] = []


def free_port() -> int:
    """Return a TCP port on loopback that is free, and stays ours until this process ends.

    A port found by binding to 0 may be given to somebody else before its user listens; so each port
    has a lock file, held for the life of the process that asked for it. That is for servers that are
    processes, and come back to their port: what listens in this process is bound to 0, and what is never
    to answer is at :func:`deserted_port`.
    """
    for port in random.sample(_RANGE, len(_RANGE)):
        if _reserve(port) and _is_free(port):
            return port
    raise RuntimeError("no free port left")


@cache
def deserted_port() -> int:
    """Return a TCP port on loopback where nobody listens, the same one whenever this process asks."""
    return free_port()


def _reserve(port: int) -> bool:
    folder = Path(tempfile.gettempdir()) / f"portus-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    handle = os.open(folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return False
    _HELD.append(handle)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
