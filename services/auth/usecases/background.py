"""What is written beside the requests: a buffer that never makes anybody wait.

Records of decisions and the last use of credentials are worth keeping and not worth waiting for. A
thread of the process writes them in batches. While the database is away the buffer fills; when it is
full, what comes next is dropped and counted. What a process holds when it is killed is lost.
"""

import atexit
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

import structlog

from services.auth.metrics import NOTES_DROPPED
from shared.database import DATABASE_AWAY

Note = TypeVar("Note")

CAPACITY = 20_000
"""Weight of all that waits: a note weighs one, and one more for everything of which it holds many."""
BATCH_SIZE = 500
"""Most notes in one transaction."""
GATHER_S = 0.5
"""How long a first note waits for others."""
LONGEST_PAUSE_S = 5.0
"""Longest pause between attempts while the database is away."""
PATIENCE_S = 5.0
"""How long a process that ends goes on writing."""

log = structlog.get_logger(__name__)


class Background(Generic[Note]):
    """Writes notes in batches, in a thread that starts with the first note: after any fork of the server.

    Args:
        write: writes a batch in one transaction; called by one thread at a time.
        capacity: most weight that waits; beyond it, notes are dropped.
        gather_s: how long a first note waits for others.
    """

    def __init__(
        self, write: Callable[[Sequence[Note]], None], *, capacity: int = CAPACITY, gather_s: float = GATHER_S
    ) -> None:
        self._write = write
        self._capacity = capacity
        self._gather_s = gather_s
        self._notes: deque[tuple[Note, int]] = deque()
        self._weight = 0
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._closed = threading.Event()

    def put(self, note: Note, weight: int = 1) -> None:
        """Take a note, or drop it when there is no room; never waits and never fails."""
        with self._lock:
            fits = self._weight + weight <= self._capacity
            if fits:
                self._notes.append((note, weight))
                self._weight += weight
        if not fits:
            NOTES_DROPPED.labels("full").inc()
            return
        if not self._wake.is_set():
            self._wake.set()
        if self._thread is None:
            self._start()

    def flush(self) -> bool:
        """Write everything that waits now; tell whether the database took it."""
        with self._writing:
            return self._write_until(float("inf"), len(self._notes))

    def close(self) -> None:
        """Write what waits, as long as the database takes it and not for long, and end the thread."""
        self._closed.set()
        self._wake.set()
        atexit.unregister(self.close)
        end_s = time.monotonic() + PATIENCE_S
        if self._writing.acquire(timeout=PATIENCE_S):
            try:
                self._write_until(end_s, len(self._notes))
            finally:
                self._writing.release()
        if left := len(self._notes):
            NOTES_DROPPED.labels("shutdown").inc(left)
            log.warning("notes.left", notes=left)

    def _write_until(self, end_s: float, left: int) -> bool:
        # What is put meanwhile waits for others in its turn: under load every batch would be of a few
        # notes otherwise, and the thread would never rest.
        while left > 0 and time.monotonic() < end_s:
            batch = [note for note, _weight in islice(self._notes, min(left, BATCH_SIZE))]
            if not self._write_first(batch):
                return False
            left -= len(batch)
        return True

    def _write_first(self, batch: Sequence[Note]) -> bool:
        """Write the notes that wait longest and forget them; keep them while the database is away.

        A batch that the database refuses is halved until the note at fault is alone, which is dropped.
        """
        try:
            self._write(batch)
        except DATABASE_AWAY as fault:
            log.warning("notes.not_written", fault=type(fault).__name__)
            return False
        except Exception as fault:  # this is the thread's outermost loop: no note may stop the others
            if len(batch) > 1:
                middle = len(batch) // 2
                return self._write_first(batch[:middle]) and self._write_first(batch[middle:])
            NOTES_DROPPED.labels("refused").inc()
            log.error("note.refused", exc_info=fault)
        self._forget(len(batch))
        return True

    def _forget(self, number: int) -> None:
        with self._lock:
            for _ in range(number):
                self._weight -= self._notes.popleft()[1]

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None or self._closed.is_set():
                return
            thread = threading.Thread(target=self._run, name="background", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                # No room for a thread now; the next note tries again.
                return
            self._thread = thread
        # Runs before the interpreter stops its threads.
        atexit.register(self.close)

    def _run(self) -> None:
        pause_s = 0.0
        while not self._closed.is_set():
            self._wake.wait()
            self._closed.wait(self._gather_s + pause_s)
            self._wake.clear()
            if self.flush():
                pause_s = 0.0
            else:
                pause_s = min(2 * pause_s + self._gather_s, LONGEST_PAUSE_S)
                self._wake.set()
