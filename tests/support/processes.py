"""Programs under a test's control: started, paused, killed, stopped, and never left behind."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from cli.leash import die_with_parent


class Process:
    """A program in a process group of its own; its output goes to a file.

    Start it from a test's own thread: it dies with the thread that started it.

    Args:
        command: program and arguments.
        log: file for both outputs, appended to.
        env: its whole environment; default: ours.
        folder: where it runs.
        user: run as this user (needs root).
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
        user: str | None = None,
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=None if env is None else dict(env),
                cwd=folder,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    @property
    def pid(self) -> int:
        """Process id, and id of the group."""
        return self._popen.pid

    @property
    def status(self) -> int | None:
        """Exit status (negative: the signal that ended it), or ``None`` while it runs."""
        return self._popen.poll()

    def minds(self, number: signal.Signals) -> bool:
        """Tell whether it has said what it does at a signal; until then the signal just ends it.

        Source: proc_pid_status(5), ``SigCgt``.
        """
        with suppress(OSError):
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
            caught = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:"))
            return bool(caught >> (number - 1) & 1)
        return False

    def wait(self, timeout_s: float = 30) -> int:
        """Wait for the end and return the exit status."""
        return self._popen.wait(timeout_s)

    def kill(self) -> None:
        """Kill the whole group with -9, as a crash would."""
        self._signal_group(signal.SIGKILL)
        self._popen.wait()

    def pause(self) -> None:
        """Freeze the whole group: it neither answers nor hangs up."""
        self._signal_group(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen group go on."""
        self._signal_group(signal.SIGCONT)

    def stop(self, number: signal.Signals = signal.SIGTERM, *, timeout_s: float = 20) -> int:
        """Ask the program to end, insist after a while, and return the exit status."""
        if self.status is None:
            self._popen.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(timeout_s)
        # Whatever it left behind in its group goes too.
        self.kill()
        return self._popen.returncode

    def output(self) -> str:
        """Return what it printed so far."""
        return self.log.read_text(errors="replace")

    def _signal_group(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)


def descendants(root: int) -> list[tuple[int, str]]:
    """Return (process id, command line) of every living descendant of a process."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            waiting.append(child)
            found.append((child, _command_line(child)))
    return found


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
