"""All processes together: started in order, watched, stopped."""

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from cli.child import Child
from cli.output import ProcessLog
from cli.plan import Program
from cli.preflight import CannotStart
from cli.readiness import readiness_fault

_TICK_S = 0.1
_GRACE_S = 12
"""A little more than the ten seconds that a service gives to requests in flight."""
_HEAD_START_S = 6
"""A little more than the five seconds that the registry gives to them (``draintimeout``)."""


class Stopped(Exception):
    """Somebody asked us to stop."""


class StopSignals:
    """SIGINT, SIGTERM and SIGHUP ask for an orderly stop; the second one hurries."""

    def __init__(self) -> None:
        self.count = 0

    def install(self) -> None:
        """Take the signals over from the defaults."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._receive)

    def _receive(self, _number: int, _frame: object) -> None:
        self.count += 1


class Supervisor:
    """All processes of one `portus up`.

    Args:
        signals: tell when to stop.
        logs: folder of the log files.
        environment: of every process.
        folder: working folder of every process.
    """

    def __init__(self, signals: StopSignals, *, logs: Path, environment: Mapping[str, str], folder: Path) -> None:
        self._signals = signals
        self._logs = logs
        self._environment = environment
        self._folder = folder
        self._children: list[Child] = []

    def run_to_end(self, programs: Sequence[Program]) -> str:
        """Run commands at the same time, wait for all of them, and return what they said at last.

        Raises:
            CannotStart: one failed; the message holds what it printed.
            Stopped: we were asked to stop.
        """
        children = self._start(programs, echo=False)
        self._wait(lambda: all(child.status is not None for child in children))
        for child in children:
            child.end_group()
            self._children.remove(child)
            if child.status:
                raise CannotStart(f"{child.program.name} failed:\n{child.log.tail()}")
        return "\n".join(child.log.tail() for child in children)

    def run_until_ready(self, programs: Sequence[Program], *, timeout_s: float = 60) -> None:
        """Start processes and wait until all of them can work.

        Raises:
            CannotStart: one ended, or could not work in time; the message says which and why.
            Stopped: we were asked to stop.
        """
        children = self._start(programs)
        waiting = {child.program.name: child for child in children if child.program.ready_url}
        faults: dict[str, str] = {}
        deadline = time.monotonic() + timeout_s

        def settled() -> bool:
            self._fail_if_ended()
            for name, child in list(waiting.items()):
                fault = readiness_fault(child.program.ready_url or "")
                if fault is None:
                    del waiting[name]
                else:
                    faults[name] = fault
            return not waiting or time.monotonic() > deadline

        self._wait(settled)
        if waiting:
            raise CannotStart("Not ready in time: " + "; ".join(f"{name}: {faults[name]}" for name in waiting))

    def watch(self) -> None:
        """Keep everything running until we are asked to stop."""
        with suppress(Stopped):
            self._wait(self._revive_all)

    def stop(self) -> None:
        """Stop everything: politely, then after a grace period or a second signal by force."""
        asked = max(self._signals.count, 1)
        self._ask_to_end([child for child in self._children if child.program.ends_first], asked, _HEAD_START_S)
        self._ask_to_end(self._children, asked, _GRACE_S)
        for child in self._children:
            child.end_group()

    def running(self) -> list[str]:
        """Return the names of the processes that run."""
        return [child.program.name for child in self._children if child.status is None]

    def _start(self, programs: Sequence[Program], *, echo: bool = True) -> list[Child]:
        children = []
        for program in programs:
            log = ProcessLog(program.name, self._logs, echo=echo)
            child = Child(program, log, self._environment, self._folder)
            self._children.append(child)
            children.append(child)
            child.start()
        return children

    def _ask_to_end(self, children: Sequence[Child], asked: int, grace_s: float) -> None:
        for child in reversed(children):
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        while any(child.status is None for child in children):
            if time.monotonic() > deadline or self._signals.count > asked:
                break
            time.sleep(_TICK_S)

    def _revive_all(self) -> bool:
        for child in self._children:
            child.revive()
        return False

    def _fail_if_ended(self) -> None:
        for child in self._children:
            if child.status is not None:
                child.end_group()
                raise CannotStart(f"{child.program.name} ended with status {child.status}:\n{child.log.tail()}")

    def _wait(self, done: Callable[[], bool]) -> None:
        while not done():
            if self._signals.count:
                raise Stopped
            time.sleep(_TICK_S)
