"""Who reads the repositories of a crawl: threads of our own, or any worker.

The broker carries one task for each repository to the workers, and each tells the database what came
of it; the crawl that has asked takes it from there. A task that nobody may need any more is not read:
it names the run that asked, and a run is over when its lease is.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Protocol
from uuid import uuid4

from services.catalog.domain.drift import Report
from services.catalog.storage.crawl_results import (
    drop_results,
    drop_results_of_others,
    last_heard_at,
    list_answered,
    load_results,
)
from services.catalog.usecases.crawl_outcomes import load_outcome
from services.catalog.usecases.crawl_repository import CrawledRepository, RepositoryCrawler
from services.catalog.usecases.registry import RegistryError
from shared.clock import Clock
from shared.contracts.events import Envelope, RepositoryCrawlRequested, envelope_of
from shared.database import Database
from shared.oci.names import RepositoryName

SOURCE = "/catalog"
POLL_S = 0.05
"""How often is looked for answers; a few dozen come between two looks."""
RESULTS_AT_ONCE = 200
SILENCE = timedelta(minutes=5)
"""After so long without an answer, or a word that somebody is still reading, no answer will come."""


class TasksNotTaken(Exception):
    """The broker does not take the tasks; the text says why."""


class Readers(Protocol):
    """Read repositories, several at a time."""

    def submit(self, repository: RepositoryName, *, deep: bool) -> Future[CrawledRepository]:
        """Have a repository read; the future has what came of it, or a ``RegistryError``.

        It is cancelled when the crawl is told to stop.
        """

    def settle(self, names: Collection[RepositoryName]) -> None:
        """Forget what came of some repositories: it is counted, and that is written down."""

    def close(self) -> None:
        """Forget what has not been read."""


NewReaders = Callable[[int, str, int], Readers]
"""Makes the readers of a run: the crawl's id, the holder of its lease, and its rate, 0 for none."""


class OwnReaders:
    """Threads of this process, without a broker.

    Args:
        report: see ``RepositoryCrawler.crawl``.
    """

    def __init__(self, crawler: RepositoryCrawler, threads: int, report: Report | None) -> None:
        self._crawler = crawler
        self._report = report
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="crawl")

    def submit(self, repository: RepositoryName, *, deep: bool) -> Future[CrawledRepository]:
        """Have a repository read."""
        return self._pool.submit(self._crawler.crawl, repository, deep=deep, report=self._report)

    def settle(self, names: Collection[RepositoryName]) -> None:
        """There is nothing to forget."""

    def close(self) -> None:
        """Forget what has not been read, and wait for the rest."""
        self._pool.shutdown(cancel_futures=True)


class SharedReaders:
    """All workers, by way of the broker.

    What was told to an earlier run of the same crawl, and not counted by it, is as good as new: it need not be read
    again. So it is kept until it is counted.

    Args:
        crawl: its id.
        run: the holder of its lease.
        rate: requests a second of all of them together; 0: as many as they can.
        publish: returns when the broker has the tasks, or raises ``TasksNotTaken``.
        stop: when set, nothing is waited for.
    """

    def __init__(
        self,
        crawl: int,
        run: str,
        rate: int,
        *,
        publish: Callable[[Sequence[Envelope]], None],
        database: Database,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        self._crawl = crawl
        self._run = run
        self._rate = rate
        self._publish = publish
        self._database = database
        self._clock = clock
        self._stop = stop
        self._waiting: dict[RepositoryName, Future[CrawledRepository]] = {}
        self._taken = set[RepositoryName]()
        self._early: dict[RepositoryName, Mapping[str, Any]] = {}
        self._to_send: list[Envelope] = []
        self._fault: Exception | None = None
        self._is_over = False
        self._heard_at = clock()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        with database.write() as connection:
            drop_results_of_others(connection, crawl)
        while self._take():
            pass
        self._thread = threading.Thread(target=self._work, name="crawl-results", daemon=True)
        self._thread.start()

    def submit(self, repository: RepositoryName, *, deep: bool) -> Future[CrawledRepository]:
        """Have a repository read by whoever is free."""
        task = RepositoryCrawlRequested(repository, self._crawl, self._run, deep, self._rate)
        future = Future[CrawledRepository]()
        with self._lock:
            if self._is_over:
                _give_up(future, self._fault)
                return future
            if early := self._early.pop(repository, None):
                _resolve(future, repository, early)
                return future
            if not self._waiting:
                self._heard_at = self._clock()
            waiting = self._waiting.setdefault(repository, future)
            if waiting is future:
                envelope = envelope_of(task, id=uuid4().hex, source=SOURCE, time=self._clock(), subject=repository)
                self._to_send.append(envelope)
        return waiting

    def settle(self, names: Collection[RepositoryName]) -> None:
        """Forget what came of some repositories."""
        with self._database.write() as connection:
            drop_results(connection, self._crawl, names)

    def close(self) -> None:
        """Wait for nothing more; whoever reads for us still finds out by the lease."""
        self._closed.set()
        self._thread.join()

    def _work(self) -> None:
        try:
            while not self._closed.wait(POLL_S) and not self._stop.is_set():
                self._send()
                if self._waiting and not self._take():
                    self._mind_silence()
        except Exception as fault:  # noqa: BLE001 (it is raised where the answers are waited for)
            self._end(fault)
        else:
            self._end(None)

    def _end(self, fault: Exception | None) -> None:
        with self._lock:
            self._is_over, self._fault = True, fault
            waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            _give_up(future, fault)

    def _send(self) -> None:
        with self._lock:
            tasks, self._to_send = self._to_send, []
        if tasks:
            self._publish(tasks)

    def _take(self) -> bool:
        """Take what we were told; return whether there was something."""
        with self._database.read() as connection:
            answered = list_answered(connection, self._crawl)
            # What is settled is answered no more, and a second answer to it would be news.
            self._taken &= answered
            fresh = sorted(answered - self._taken)[:RESULTS_AT_ONCE]
            results = load_results(connection, self._crawl, fresh) if fresh else {}
        if not results:
            return False
        self._heard_at = self._clock()
        self._taken |= results.keys()
        useless = [name for name, result in results.items() if not self._give(name, result)]
        if useless:
            # Else the answer to the next task about it would find its place taken.
            self.settle(useless)
        return True

    def _give(self, repository: RepositoryName, result: Mapping[str, Any]) -> bool:
        """Give a result to whoever waits for it, or will; ``False`` when it is a fault that nobody has waited for."""
        with self._lock:
            future = self._waiting.pop(repository, None)
            if future is None and "fault" not in result:
                self._early[repository] = result
        if future:
            _resolve(future, repository, result)
        return future is not None or "fault" not in result

    def _mind_silence(self) -> None:
        now = self._clock()
        if now - self._heard_at < SILENCE:
            return
        with self._database.read() as connection:
            heard_at = last_heard_at(connection, self._crawl)
        if heard_at and now - heard_at < SILENCE:
            self._heard_at = heard_at
            return
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(RegistryError(f"no worker has answered for {SILENCE}"))


def _give_up(future: Future[CrawledRepository], fault: Exception | None) -> None:
    if fault:
        future.set_exception(fault)
    elif future.cancel():
        future.set_running_or_notify_cancel()


def _resolve(future: Future[CrawledRepository], repository: RepositoryName, result: Mapping[str, Any]) -> None:
    try:
        future.set_result(load_outcome(repository, result))
    except RegistryError as fault:
        future.set_exception(fault)
