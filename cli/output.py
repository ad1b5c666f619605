"""What the processes print: all of it in a bounded log file each, warnings and errors on the screen."""

import json
import logging
from collections import deque
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

import click

_MAX_BYTES = 5_000_000
_MAX_LINE_BYTES = 65_536
_LOUD = {"warning", "error", "critical"}
_REGISTRY_LOUD = ("level=error", "level=fatal", "level=panic")
_QUIET_KEYS = {"event", "level", "timestamp", "service"}


class ProcessLog:
    """The log of one process over all its restarts: two files of 5 MB at most.

    Args:
        name: stands in front of every line on the screen.
        folder: where ``<name>.log`` lies.
        echo: whether warnings and errors are shown as well.
    """

    def __init__(self, name: str, folder: Path, *, echo: bool = True) -> None:
        self._name = name
        self._echo = echo
        self.path = folder / f"{name}.log"
        self._file = RotatingFileHandler(self.path, maxBytes=_MAX_BYTES, backupCount=1, errors="replace")
        self._last: deque[str] = deque(maxlen=15)

    def copy(self, pipe: IO[bytes]) -> None:
        """Copy a process's output until it ends; runs in a thread of its own."""
        with pipe:
            for raw in iter(lambda: pipe.readline(_MAX_LINE_BYTES), b""):
                self.take(raw.decode(errors="replace").rstrip())

    def take(self, line: str) -> None:
        """Log one line, and show it if it matters."""
        self._last.append(line)
        self._file.handle(logging.makeLogRecord({"msg": line}))
        if self._echo and (shown := readable(line)):
            say(self._name, shown)

    def tail(self) -> str:
        """Return the last lines."""
        return "\n".join(self._last)


def readable(line: str) -> str | None:
    """Return what to show of a line: nothing of what is only information.

    >>> readable('{"level": "warning", "event": "spool.full", "waiting": 7}')
    'warning: spool.full waiting=7'
    """
    if line.startswith("{"):
        return _readable_event(line)
    if line.startswith("time="):
        return line if _matters_to_registry(line) else None
    # Neither our logger nor the registry's: a traceback, or a server that cannot start.
    return line or None


def _readable_event(line: str) -> str | None:
    try:
        event = json.loads(line)
    except ValueError:
        return line
    if event.get("level") not in _LOUD:
        return None
    keys = " ".join(f"{key}={value}" for key, value in event.items() if key not in _QUIET_KEYS)
    return f"{event['level']}: {event.get('event')} {keys}".rstrip()


def _matters_to_registry(line: str) -> bool:
    # The registry logs an error for every answer of 401 and 404, and each client's first request is one.
    return any(level in line for level in _REGISTRY_LOUD) and "response completed with error" not in line


def say(name: str, line: str) -> None:
    """Show a line of one process."""
    click.echo(f"{name:>16} | {line}")
