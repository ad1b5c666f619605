"""One process of the stack: started on a leash, started again when it dies, ended for good."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from cli.leash import die_with_parent
from cli.output import ProcessLog, say
from cli.plan import Program

_BACKOFF_S = (1, 2, 4, 8, 15, 30)
_STEADY_S = 60
"""A process that ran as long is thought healthy: its next end starts the back-off anew."""


class Child:
    """One program over all its restarts."""

    def __init__(self, program: Program, log: ProcessLog, environment: Mapping[str, str], folder: Path) -> None:
        self.program = program
        self.log = log
        self._environment = environment
        self._folder = folder
        self._failures = 0
        self._started_at = 0.0
        self._due_at: float | None = None
        self._copying: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it in a process group of its own. Only the main thread may: see ``die_with_parent``."""
        self._started_at, self._due_at = time.monotonic(), None
        self._process = subprocess.Popen(
            self.program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment,
            cwd=self._folder,
            # Ctrl-C in the terminal reaches us alone, and we stop the others in order.
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        pipe = cast("IO[bytes]", self._process.stdout)
        self._copying = threading.Thread(target=self.log.copy, args=(pipe,), daemon=True)
        self._copying.start()

    @property
    def status(self) -> int | None:
        """Exit status, or ``None`` while it runs."""
        return None if self._process is None else self._process.poll()

    def revive(self) -> None:
        """Start it again if it has ended: a second later the first time, ever later after that."""
        if self._process is None or self.status is None:
            return
        now = time.monotonic()
        if self._due_at is None:
            self._failures = 0 if now - self._started_at > _STEADY_S else self._failures
            delay = _BACKOFF_S[min(self._failures, len(_BACKOFF_S) - 1)]
            self._failures += 1
            self._due_at = now + delay
            say(self.program.name, f"ended with status {self.status}; starts again in {delay} s")
            self.end_group()
        elif now >= self._due_at:
            self.start()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program itself."""
        if self._process:
            self._process.send_signal(number)

    def end_group(self) -> None:
        """Kill whatever is left of its process group, and take in what it printed."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._copying:
            self._copying.join(timeout=2)
