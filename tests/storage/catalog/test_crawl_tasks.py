"""Crawls that several workers read for: the broker carries the tasks, with a real registry."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread
from typing import Any, ClassVar

import pytest
from sqlalchemy.exc import OperationalError
from werkzeug import Request, Response

from services.catalog.domain.drift import Finding, Kind, Report, State
from services.catalog.domain.rounds import CrawlKind
from services.catalog.storage.crawl_results import list_answered
from services.catalog.storage.crawls import find_under_way, open_crawl
from services.catalog.storage.drift import DRIFT, list_drift
from services.catalog.storage.leases import take_lease
from services.catalog.usecases import crawl_readers
from services.catalog.usecases import crawl_registry as crawl_registry_module
from services.catalog.usecases.crawl_outcomes import dump_crawled, dump_fault, load_outcome
from services.catalog.usecases.crawl_plans import CrawlPlan
from services.catalog.usecases.crawl_readers import NewReaders, TasksNotTaken
from services.catalog.usecases.crawl_registry import LEASE, crawl_registry
from services.catalog.usecases.crawl_reports import CrawlReport
from services.catalog.usecases.crawl_repository import CrawledRepository, RepositoryCrawler
from services.catalog.usecases.read_for_crawl import NobodyAsks, TaskReader
from services.catalog.usecases.registry import Registry, RegistryError, RegistryRefused, RegistryUnavailable
from services.catalog.usecases.shared_pace import SharedPace
from shared.api.paging import ListRequest, PageRequest
from shared.clock import utc_now
from shared.config import Secret
from shared.contracts.events import RepositoryCrawlRequested
from shared.database import Database
from shared.messaging.topology import CATALOG_CRAWL_TASKS, queue_length
from shared.oci.names import Digest, RepositoryName, Tag
from tests.storage.catalog.snapshots import shown_index
from tests.support.catalog_clients import new_client, new_fetcher
from tests.support.crawling import asking, working
from tests.support.images import Pusher
from tests.support.registry_proxy import RegistryProxy
from tests.support.serving import serving
from tests.support.waiting import wait_until

APP = RepositoryName("team/app")


@pytest.fixture
def readers(broker_of_database: Secret, database: Database, crawler: RepositoryCrawler) -> Iterator[NewReaders]:
    with asking(broker_of_database, database, crawler.stop) as new_readers:
        yield new_readers


@pytest.fixture
def other_proxy(proxy: RegistryProxy) -> RegistryProxy:
    """What the second worker goes through."""
    return RegistryProxy(proxy.target)


@pytest.fixture
def other(other_proxy: RegistryProxy, database: Database) -> Iterator[RepositoryCrawler]:
    """A second worker's."""
    with serving(other_proxy.app()) as url, ExitStack() as stack:
        client = new_client(url)
        fetcher = new_fetcher(client, database)
        stack.callback(fetcher.close)
        yield RepositoryCrawler(database, client, fetcher, utc_now, Event())


def crawl(crawler: RepositoryCrawler, readers: NewReaders, holder: str = "us") -> CrawlReport:
    plan = CrawlPlan(CrawlKind.FULL, new_readers=readers)
    report = crawl_registry(crawler, holder=holder, database=crawler.database, clock=utc_now, plan=plan)
    assert report is not None
    return report


def fill(pusher: Pusher, count: int) -> list[str]:
    names = [f"team/app-{number:02}" for number in range(count)]
    for name in names:
        pusher.image(name, "1.0")
    return names


def read_repositories(proxy: RegistryProxy) -> set[str]:
    return {path.removeprefix("/v2/").removesuffix("/tags/list") for _, path in proxy.seen if "/tags/list" in path}


def slow(request: Request, answer: Response) -> None:
    if "/tags/list" in request.path:
        time.sleep(0.1)


def test_workers_share_a_crawl(
    database: Database,
    broker_of_database: Secret,
    pusher: Pusher,
    crawler: RepositoryCrawler,
    other: RepositoryCrawler,
    proxy: RegistryProxy,
    other_proxy: RegistryProxy,
    readers: NewReaders,
) -> None:
    names = fill(pusher, 24)
    proxy.spoil = other_proxy.spoil = slow

    with working(broker_of_database, [crawler, other], threads=2):
        report = crawl(crawler, readers)

    assert (report.repositories, report.tags, report.failures, report.finished) == (24, 24, 0, True)
    assert sorted(shown_index(database)) == names
    ours, theirs = read_repositories(proxy), read_repositories(other_proxy)
    assert ours, "the one that leads reads, too"
    assert theirs, "so does the other"
    assert not ours & theirs, "nothing is read twice"
    assert queue_length(broker_of_database, CATALOG_CRAWL_TASKS.name) == 0


def test_what_a_worker_leaves_half_read_is_read_by_another(
    database: Database,
    broker_of_database: Secret,
    pusher: Pusher,
    crawler: RepositoryCrawler,
    other: RepositoryCrawler,
    other_proxy: RegistryProxy,
    readers: NewReaders,
) -> None:
    image = pusher.image(APP, "1.0")
    reached, go_on = Event(), Event()

    def hold(request: Request, answer: Response) -> None:
        if "/tags/list" in request.path:
            reached.set()
            go_on.wait(20)

    other_proxy.spoil = hold
    reports: list[CrawlReport] = []
    leading = Thread(target=lambda: reports.append(crawl(crawler, readers)))
    with working(broker_of_database, [other]):
        leading.start()
        assert reached.wait(20)
        # It is told to stop, and has not read its first tag.
        other.stop.set()
        go_on.set()
    with working(broker_of_database, [crawler]):
        leading.join(30)

    assert [(report.tags, report.failures, report.finished) for report in reports] == [(1, 0, True)]
    assert shown_index(database) == {APP: {"1.0": image["digest"]}}


def test_a_crawl_that_is_told_to_stop_waits_for_nobody(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, readers: NewReaders
) -> None:
    pusher.image(APP, "1.0")
    reports: list[CrawlReport] = []
    leading = Thread(target=lambda: reports.append(crawl(crawler, readers)))
    leading.start()
    wait_until(lambda: under_way(database), what="the crawl has begun")
    time.sleep(0.2)

    crawler.stop.set()
    leading.join(10)

    assert [(report.repositories, report.finished) for report in reports] == [(0, False)]
    assert under_way(database), "whoever comes next goes on with it"


def test_what_an_earlier_run_has_asked_is_not_read(
    database: Database,
    broker_of_database: Secret,
    pusher: Pusher,
    crawler: RepositoryCrawler,
    other: RepositoryCrawler,
    other_proxy: RegistryProxy,
    readers: NewReaders,
) -> None:
    pusher.image(APP, "1.0")
    first = Thread(target=crawl, args=(crawler, readers, "first"))
    first.start()
    wait_until(lambda: queue_length(broker_of_database, CATALOG_CRAWL_TASKS.name) == 1, what="the task is sent")
    crawler.stop.set()
    first.join(10)

    crawler.stop.clear()
    with working(broker_of_database, [other]):
        report = crawl(crawler, readers, "second")

    assert report.finished
    assert [path for _, path in other_proxy.seen if "/tags/list" in path] == [f"/v2/{APP}/tags/list"]


def test_a_repository_of_which_nothing_is_heard_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, pusher: Pusher, crawler: RepositoryCrawler, readers: NewReaders
) -> None:
    monkeypatch.setattr(crawl_readers, "SILENCE", timedelta(seconds=1))
    pusher.image(APP, "1.0")

    report = crawl(crawler, readers)

    assert (report.failures, report.failed, report.finished) == (1, (APP,), True)


def test_one_that_takes_long_is_waited_for_while_somebody_reads(
    monkeypatch: pytest.MonkeyPatch,
    broker_of_database: Secret,
    pusher: Pusher,
    crawler: RepositoryCrawler,
    proxy: RegistryProxy,
    readers: NewReaders,
) -> None:
    monkeypatch.setattr(crawl_readers, "SILENCE", timedelta(seconds=1))
    monkeypatch.setattr("services.catalog.consumers.crawl_tasks.TELL_EVERY_S", 0.25)
    pusher.image(APP, "1.0")

    def very_slow(request: Request, answer: Response) -> None:
        if "/tags/list" in request.path:
            time.sleep(3)

    proxy.spoil = very_slow
    with working(broker_of_database, [crawler]):
        report = crawl(crawler, readers)

    assert (report.tags, report.failures) == (1, 0)


def test_a_fault_of_ours_is_a_failure_of_one_repository(
    monkeypatch: pytest.MonkeyPatch,
    broker_of_database: Secret,
    pusher: Pusher,
    crawler: RepositoryCrawler,
    readers: NewReaders,
) -> None:
    names = fill(pusher, 3)

    class Faulty(RepositoryCrawler):
        def crawl(
            self, repository: RepositoryName, *, deep: bool = True, report: Report | None = None
        ) -> CrawledRepository:
            if repository == names[1]:
                raise ZeroDivisionError
            return super().crawl(repository, deep=deep, report=report)

    faulty = Faulty(crawler.database, crawler.registry, crawler.fetcher, crawler.clock, Event())
    with working(broker_of_database, [faulty]):
        report = crawl(crawler, readers)

    assert (report.tags, report.failures, report.failed) == (2, 1, (names[1],))


def test_a_refused_token_ends_the_crawl(
    database: Database,
    broker_of_database: Secret,
    pusher: Pusher,
    crawler: RepositoryCrawler,
    other: RepositoryCrawler,
    readers: NewReaders,
) -> None:
    fill(pusher, 3)

    class Refused(RepositoryCrawler):
        def crawl(
            self, repository: RepositoryName, *, deep: bool = True, report: Report | None = None
        ) -> CrawledRepository:
            raise RegistryRefused("the registry does not trust our tokens")

    refused = Refused(database, other.registry, other.fetcher, other.clock, Event())
    with working(broker_of_database, [refused]), pytest.raises(RegistryRefused):
        crawl(crawler, readers)

    with database.read() as connection:
        broken_off = find_under_way(connection)
    assert broken_off
    assert broken_off.fault


def test_a_broker_that_is_away_postpones_the_crawl(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler
) -> None:
    pusher.image(APP, "1.0")

    def publish(_tasks: object) -> None:
        raise TasksNotTaken("the broker is away")

    def new_readers(crawl: int, run: str, rate: int) -> crawl_readers.SharedReaders:
        return crawl_readers.SharedReaders(
            crawl, run, rate, publish=publish, database=database, clock=utc_now, stop=crawler.stop
        )

    with pytest.raises(TasksNotTaken):
        crawl(crawler, new_readers)

    with database.read() as connection:
        broken_off = find_under_way(connection)
    assert broken_off
    assert broken_off.fault == "the broker is away"


def test_a_task_is_read_for_the_run_that_waits_for_it_only(database: Database, crawler: RepositoryCrawler) -> None:
    reader = TaskReader(lambda _rate: crawler, database, utc_now)
    task = RepositoryCrawlRequested(APP, 1, "gone", deep=True, rate=0)
    assert reader.find_run() is None

    with database.write() as connection:
        take_lease(connection, LEASE, "us", now=utc_now(), ttl=timedelta(minutes=1))

    assert reader.find_run() == "us"
    assert reader.read(task), "it is done with"


def test_a_task_waits_while_it_is_not_clear_whether_its_run_is_over(
    database: Database, crawler: RepositoryCrawler
) -> None:
    """A lease that was not renewed in time is renewed a moment later, and its holder waits for the answer."""
    reader = TaskReader(lambda _rate: crawler, database, utc_now)

    with pytest.raises(NobodyAsks):
        reader.read(RepositoryCrawlRequested(APP, 1, "us", deep=True, rate=0))


def test_what_takes_long_for_a_run_that_is_over_does_not_hold_up_the_next(
    database: Database,
    broker_of_database: Secret,
    pusher: Pusher,
    crawler: RepositoryCrawler,
    proxy: RegistryProxy,
    readers: NewReaders,
) -> None:
    names = fill(pusher, 3)
    held, let_go = Event(), Event()

    def hold(request: Request, _answer: Response) -> None:
        if names[0] in request.path and not held.is_set():
            held.set()
            assert let_go.wait(30)

    proxy.spoil = hold
    breaks_off = replace(crawler, registry=BreaksOff(crawler.registry, held))
    with working(broker_of_database, [crawler], threads=2):
        with pytest.raises(RegistryUnavailable):
            crawl(breaks_off, readers, "first")
        report = crawl(crawler, readers, "second")
        let_go.set()

    assert (report.repositories, report.failures, report.finished) == (3, 0, True)


class BreaksOff:
    """A registry whose catalogue breaks off as soon as somebody is reading."""

    def __init__(self, registry: Registry, is_reading: Event) -> None:
        self._registry = registry
        self._is_reading = is_reading

    def list_repositories(self, *, after: str = "") -> Iterator[RepositoryName]:
        yield from self._registry.list_repositories(after=after)
        assert self._is_reading.wait(10)
        raise RegistryUnavailable("it is gone")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)


def test_a_lease_is_kept_however_long_a_part_of_the_work_takes(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crawl_registry_module, "LEASE_TTL", timedelta(seconds=1))
    monkeypatch.setattr(crawl_registry_module, "RENEW_EVERY", timedelta(seconds=0.1))
    pusher.image(APP, "1.0")
    others = list[bool]()

    class Slow(RepositoryCrawler):
        def crawl(
            self, repository: RepositoryName, *, deep: bool = True, report: Report | None = None
        ) -> CrawledRepository:
            time.sleep(2)
            with database.write() as connection:
                others.append(take_lease(connection, LEASE, "them", now=utc_now(), ttl=timedelta(minutes=1)))
            return super().crawl(repository, deep=deep, report=report)

    slow_one = Slow(database, crawler.registry, crawler.fetcher, utc_now, Event())
    report = crawl_registry(slow_one, holder="us", database=database, clock=utc_now)

    assert report
    assert others == [False]


def test_a_crawl_that_cannot_begin_leaves_the_lease_to_others(database: Database, crawler: RepositoryCrawler) -> None:
    def new_readers(crawl: int, run: str, rate: int) -> crawl_readers.SharedReaders:
        raise TasksNotTaken("not now")

    with pytest.raises(TasksNotTaken):
        crawl(crawler, new_readers)

    with database.write() as connection:
        assert take_lease(connection, LEASE, "them", now=utc_now(), ttl=timedelta(minutes=1))


@pytest.mark.parametrize("kind", [RegistryError, RegistryRefused, RegistryUnavailable])
def test_a_fault_arrives_as_what_it_was(kind: type[RegistryError]) -> None:
    with pytest.raises(RegistryError, match="what was asked") as fault:
        load_outcome(APP, dump_fault(kind("what was asked")))

    assert type(fault.value) is kind


def test_what_was_read_arrives_whole(pusher: Pusher, crawler: RepositoryCrawler) -> None:
    image = pusher.image(APP, "1.0")
    finding = Finding(Kind.DANGLING_TAG, APP, Tag("2.0"), None, Digest(image["digest"]))
    crawled = replace(crawler.crawl(APP), findings=(finding,), untold=3)

    assert load_outcome(APP, dump_crawled(crawled)) == crawled
    little = replace(crawled, seen_at=None, findings=(), is_deep=False, untold=0)
    assert load_outcome(APP, dump_crawled(little)) == little


class TestPace:
    """So many requests a second, whoever sends them."""

    def test_is_kept_by_all_together(self, database: Database) -> None:
        paces = [SharedPace(50, database, utc_now) for _ in range(2)]
        started = time.monotonic()

        places = [pace.next_pause() + time.monotonic() - started for _ in range(100) for pace in paces]

        # A second's worth comes at once after a pause, the rest one after the other.
        assert max(places) > 2.5

    def test_a_clock_that_was_wrong_keeps_nobody_waiting(self, database: Database) -> None:
        SharedPace(1, database, lambda: utc_now() + timedelta(days=1)).next_pause()

        assert SharedPace(1, database, utc_now).next_pause() < 2

    def test_a_slow_one_is_kept(self, database: Database) -> None:
        pace = SharedPace(1, database, utc_now)

        pauses = [pace.next_pause() for _ in range(4)]

        assert pauses == sorted(pauses)
        assert pauses[-1] > 1.5


@pytest.mark.parametrize(
    ("kind", "requested_by", "rate"),
    [
        (CrawlKind.FIRST, None, 0),
        (CrawlKind.ROUND, None, 7),
        (CrawlKind.ROUND, "root", 7),
        (CrawlKind.FULL, None, 7),
        (CrawlKind.FULL, "root", 0),
    ],
)
@pytest.mark.parametrize("is_taken_up", [True, False])
def test_all_are_paced_but_the_first_and_a_full_one_that_somebody_waits_for(
    kind: CrawlKind, requested_by: str | None, rate: int, is_taken_up: bool, crawler: RepositoryCrawler
) -> None:
    """Whoever takes a crawl up: it goes on as it was planned."""
    asked_for = list[int]()
    plan = CrawlPlan(kind, rate=7, requested_by=requested_by)
    if is_taken_up:
        with crawler.database.write() as connection:
            open_crawl(connection, kind, now=utc_now(), requested_by=requested_by)
        plan = CrawlPlan(CrawlKind.FULL, rate=7)

    def new_readers(crawl: int, run: str, rate: int) -> crawl_readers.OwnReaders:
        asked_for.append(rate)
        return crawl_readers.OwnReaders(crawler, 1, None)

    plan = replace(plan, new_readers=new_readers)
    crawl_registry(crawler, holder="us", database=crawler.database, clock=utc_now, plan=plan)

    assert asked_for == [rate]


def under_way(database: Database) -> bool:
    with database.read() as connection:
        return find_under_way(connection) is not None


def test_what_a_run_was_told_and_has_not_counted_is_taken_by_the_next(
    database: Database,
    broker_of_database: Secret,
    pusher: Pusher,
    crawler: RepositoryCrawler,
    other: RepositoryCrawler,
    proxy: RegistryProxy,
    other_proxy: RegistryProxy,
    readers: NewReaders,
) -> None:
    """What differed there has been put right, so that nobody would find it again."""
    first, second = RepositoryName("team/a"), RepositoryName("team/b")
    for name in (first, second):
        pusher.image(name, "1.0")
    go_on = Event()

    def hold(request: Request, answer: Response) -> None:
        if f"{first}/tags" in request.path:
            go_on.wait(20)

    other_proxy.spoil = hold
    reports: list[CrawlReport] = []
    leading = Thread(target=lambda: reports.append(crawl(crawler, readers, "first")))
    with working(broker_of_database, [other]):
        leading.start()
        wait_until(lambda: answered(database) == {second}, what="the second is read while the first takes long")
        crawler.stop.set()
        leading.join(10)
        other.stop.set()
        go_on.set()
    assert [(report.repositories, report.finished) for report in reports] == [(0, False)]

    crawler.stop.clear()
    with working(broker_of_database, [crawler]):
        report = crawl(crawler, readers, "second")

    assert (report.repositories, report.repaired, report.drift, report.finished) == (2, 2, 2, True)
    assert read_repositories(proxy) == {first}, "the other was read before"
    assert answered(database) == set()


def answered(database: Database) -> set[RepositoryName]:
    with database.read() as connection:
        return list_answered(connection, 1)


class Killed(RepositoryCrawler):
    """Is as good as killed, once, after it has saved what it read and before it can tell it."""

    killed: ClassVar[set[RepositoryName]]

    def crawl(
        self, repository: RepositoryName, *, deep: bool = True, report: Report | None = None
    ) -> CrawledRepository:
        crawled = super().crawl(repository, deep=deep, report=report)
        if repository not in self.killed:
            self.killed.add(repository)
            raise OperationalError("the answer", {}, ConnectionError("it is gone"))
        return crawled


def told_repairs(database: Database) -> list[tuple[Kind, str, str, State]]:
    with database.read() as connection:
        rows = list_drift(connection, ListRequest(PageRequest(per_page=100), DRIFT.order)).rows
    return sorted((row.kind, row.repository, row.tag, row.state) for row in rows)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_killed_reader_has_put_right_is_told(
    workers: int,
    database: Database,
    broker_of_database: Secret,
    pusher: Pusher,
    crawler: RepositoryCrawler,
    other: RepositoryCrawler,
    readers: NewReaders,
) -> None:
    """Whoever reads the repository after it finds the index as the registry is."""
    names = fill(pusher, 6)
    Killed.killed = set()
    killed = [Killed(database, one.registry, one.fetcher, utc_now, Event()) for one in (crawler, other)[:workers]]

    with working(broker_of_database, killed):
        report = crawl(crawler, readers)

    assert Killed.killed == set(names)
    assert told_repairs(database) == [(Kind.MISSING_TAG, name, "1.0", State.REPAIRED) for name in names]
    assert (report.tags, report.repaired, report.drift, report.finished) == (6, 6, 6, True)


def test_so_is_what_a_crawl_on_its_own_has_read_and_not_counted(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy
) -> None:
    first, second = RepositoryName("team/a"), RepositoryName("team/b")
    pusher.image(first, "1.0")
    pusher.image(second, "1.0")

    def stop(request: Request, _answer: Response) -> None:
        if f"{first}/tags" in request.path:
            wait_until(lambda: second in shown_index(database), what="the second is read while the first takes long")
            crawler.stop.set()

    proxy.spoil = stop
    plan = CrawlPlan(CrawlKind.FULL)
    broken_off = crawl_registry(crawler, holder="first", database=database, clock=utc_now, plan=plan)
    crawler.stop.clear()
    proxy.spoil = lambda request, answer: None
    report = crawl_registry(crawler, holder="second", database=database, clock=utc_now, plan=plan)

    assert broken_off
    assert (broken_off.repositories, broken_off.finished) == (0, False)
    assert told_repairs(database) == [(Kind.MISSING_TAG, name, "1.0", State.REPAIRED) for name in (first, second)]
    assert report
    assert (report.repaired, report.drift, report.finished) == (2, 2, True)


def test_a_task_that_is_read_twice_tells_what_was_put_right_once(
    database: Database, pusher: Pusher, crawler: RepositoryCrawler
) -> None:
    pusher.image(APP, "1.0")
    with database.write() as connection:
        number = open_crawl(connection, CrawlKind.FULL, now=utc_now())
        take_lease(connection, LEASE, "us", now=utc_now(), ttl=timedelta(minutes=1))
    task = RepositoryCrawlRequested(APP, number, "us", deep=True, rate=0)
    ours, theirs = (TaskReader(lambda _rate: crawler, database, utc_now) for _ in range(2))

    together = [Thread(target=reader.read, args=(task,)) for reader in (ours, theirs)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join(20)
    assert ours.read(task)

    assert told_repairs(database) == [(Kind.MISSING_TAG, APP, "1.0", State.REPAIRED)]
