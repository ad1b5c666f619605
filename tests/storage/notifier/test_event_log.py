"""The log: each event once, in an order that a reader can rely on, for those who may see it."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from services.notifier.storage import event_queries
from services.notifier.storage.event_log import append_events
from services.notifier.storage.event_queries import EventFilter, LoggedEvent, find_ends, read_log
from services.notifier.storage.tables import event_log_end, events
from services.notifier.usecases.record_events import load_entry, purge_log, record_events
from shared.clock import utc_now
from shared.contracts.events import Envelope, InvalidMessage
from shared.database import Database
from shared.visibility.answers import Caller, RepositoryPattern, Visibility
from tests.storage.notifier.test_quarantine import NOW
from tests.support.messages import make_envelope
from tests.support.statements import commits

EVERYTHING = Visibility(everything=True, caller=Caller("ada", "person", auditor=True))
ALL = EventFilter()


def about(repository: str | None, id: str, type: str = "registry.notification.v1", **data: object) -> Envelope:
    return make_envelope(id, type=type, action="push", **({"repository": repository} if repository else {}), **data)


def record(database: Database, envelopes: Iterable[Envelope]) -> int:
    return record_events(list(envelopes), database=database, clock=utc_now)


def read(
    database: Database,
    visibility: Visibility = EVERYTHING,
    *,
    after: int = 0,
    limit: int = 1000,
    wanted: EventFilter = ALL,
) -> list[LoggedEvent]:
    with database.read() as connection:
        end = find_ends(connection).newest
        stretch = read_log(connection, visibility, wanted, after=after, end=end, limit=limit)
    return list(stretch.events)


def ids(found: Iterable[LoggedEvent]) -> list[str]:
    return [event.id for event in found]


class Follower:
    """Reads on from where it stopped, as a program would."""

    def __init__(self, database: Database, visibility: Visibility = EVERYTHING, *, limit: int = 1000) -> None:
        self.seen: list[LoggedEvent] = []
        self._database = database
        self._visibility = visibility
        self._limit = limit
        self._after = 0

    def read_on(self) -> None:
        with self._database.read() as connection:
            end = find_ends(connection).newest
            stretch = read_log(
                connection, self._visibility, EventFilter(), after=self._after, end=end, limit=self._limit
            )
        self.seen += stretch.events
        self._after = stretch.next_after


def test_an_event_is_kept_as_it_was_told(database: Database) -> None:
    record(database, [about("team/app", "a", tag="1.0")])

    (event,) = read(database)
    assert (event.sequence, event.source, event.id) == (1, "registry/localhost:5000", "a")
    assert (event.type, event.time) == ("registry.notification.v1", make_envelope().time)
    assert (event.repository, event.namespace) == ("team/app", "team")
    assert event.data == {"action": "push", "repository": "team/app", "tag": "1.0"}


def test_events_are_numbered_as_they_come(database: Database) -> None:
    record(database, [about("team/app", "a"), about("app", "b")])
    record(database, [about("team/app", "c")])

    assert [(event.sequence, event.id, event.namespace) for event in read(database)] == [
        (1, "a", "team"),
        (2, "b", None),
        (3, "c", "team"),
    ]


def test_an_event_that_comes_again_is_there_once(database: Database) -> None:
    assert record(database, [about("team/app", "a"), about("team/app", "b"), about("team/app", "a")]) == 2
    assert record(database, [about("team/app", "b"), about("team/app", "c")]) == 1

    assert ids(read(database)) == ["a", "b", "c"]


def test_a_batch_is_one_transaction(database: Database) -> None:
    with commits() as made:
        record(database, [about(f"team/app-{number % 7}", f"event-{number}") for number in range(100)])

    assert made == [1]


def test_the_same_id_from_another_source_is_another_event(database: Database) -> None:
    other = Envelope("a", "/catalog", "catalog.tag.pushed.v1", NOW, {"repository": "team/app"})

    assert record(database, [about("team/app", "a"), other]) == 2


def test_consumers_at_work_at_once_append_everything_once(database: Database) -> None:
    """Four of them, with the same messages in different batches and orders."""
    told = [about(f"team/app-{number % 5}", f"event-{number}") for number in range(60)]

    def consume(offset: int) -> None:
        turned = told[offset:] + told[:offset]
        for start in range(0, len(turned), 7):
            record(database, turned[start : start + 7])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(consume, (0, 13, 29, 47)))

    assert sorted(ids(read(database))) == sorted(f"event-{number}" for number in range(60))


def test_a_transaction_that_commits_late_is_not_skipped(database: Database) -> None:
    """Its number is the smaller one, and a reader who is past it would never look back."""
    follower, appended, commit = Follower(database), Event(), Event()

    def append_late() -> None:
        with database.write() as connection:
            append_events(connection, [load_entry(about("team/app", "late"))], now=NOW)
            appended.set()
            commit.wait(30)

    late = Thread(target=append_late)
    quick = Thread(target=record, args=(database, [about("team/app", "quick")]))
    late.start()
    assert appended.wait(30)
    quick.start()
    # Long enough for it to be done, if nothing made it wait.
    quick.join(0.5)
    follower.read_on()
    commit.set()
    late.join(30)
    quick.join(30)
    follower.read_on()

    assert ids(follower.seen) == ["late", "quick"]


def test_a_follower_sees_all_that_many_write_and_in_order(database: Database) -> None:
    follower, done = Follower(database, limit=3), Event()

    def write(number: int) -> None:
        for part in range(10):
            record(database, [about("team/app", f"{number}-{part}-{each}") for each in range(2)])

    def follow() -> None:
        while not done.is_set():
            follower.read_on()

    reader = Thread(target=follow)
    reader.start()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, range(3)))
    done.set()
    reader.join(30)
    for _ in range(30):
        follower.read_on()

    numbers = [event.sequence for event in follower.seen]
    assert numbers == sorted(numbers)
    assert ids(follower.seen) == ids(read(database))
    assert len(numbers) == 60


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(about("NO/such", "a"), id="no repository name"),
        pytest.param(about("team/app", "x" * 300), id="a long id"),
        pytest.param(about("team/app", "a\x00b"), id="an id that is no text"),
        pytest.param(Envelope("a", "x" * 300, "catalog.x.v1", NOW, {}), id="a long source"),
        pytest.param(Envelope("a", "/catalog", "catalog.\n", NOW, {}), id="a type that is no text"),
    ],
)
def test_a_message_that_cannot_stand_in_the_log_keeps_its_batch_out(database: Database, bad: Envelope) -> None:
    with pytest.raises(InvalidMessage):
        record(database, [about("team/app", "good"), bad])

    assert read(database) == []


def test_bookkeeping_between_services_is_no_event(database: Database) -> None:
    granted = Envelope("a", "/auth", "auth.token.push_granted.v1", NOW, {"repository": "team/app"})

    assert record(database, [granted]) == 0


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.dictionaries(
        st.text(max_size=5), st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists)
    ),
    type=st.sampled_from(["auth.user.created.v1", "auth.namespace.changed.v1", "catalog.crawl.ended.v1"]),
)
def test_whatever_a_service_tells_is_kept(database: Database, data: dict[str, object], type: str) -> None:
    data.pop("repository", None)
    with database.write() as connection:
        connection.execute(delete(events))

    record(database, [Envelope("a", "/auth", type, NOW, data, subject="who\x00")])

    assert read(database)[0].data == data


WORLD = [
    about("jane/app", "jane's"),
    about("team/app-1", "one"),
    about("team/other", "other"),
    about("top", "top"),
    Envelope("namespace", "/auth", "auth.namespace.created.v1", NOW, {"name": "jane"}),
    Envelope("granted", "/auth", "auth.grant.created.v1", NOW, {"namespace": "jane", "repository": "jane/app"}),
    Envelope("crawl", "/catalog", "catalog.crawl.ended.v1", NOW, {}),
]


@pytest.mark.parametrize(
    ("visibility", "seen"),
    [
        pytest.param(Visibility(), [], id="nothing"),
        pytest.param(
            EVERYTHING, ["jane's", "one", "other", "top", "namespace", "granted", "crawl"], id="an administrator"
        ),
        pytest.param(
            Visibility(everything=True, caller=Caller("ci", "robot")),
            ["jane's", "one", "other", "top"],
            id="a robot that may pull everything",
        ),
        pytest.param(Visibility(namespaces=("jane",)), ["jane's"], id="one namespace, and no change of rights in it"),
        pytest.param(Visibility(global_namespace=True), ["top"], id="the global namespace"),
        pytest.param(
            Visibility(namespaces=("jane",), repositories=(RepositoryPattern("team", "team/app-*"),)),
            ["jane's", "one"],
            id="single repositories",
        ),
        pytest.param(Visibility(repositories=(RepositoryPattern(None, "t*"),)), ["top"], id="by a pattern at the top"),
    ],
)
def test_a_caller_sees_events_of_what_may_be_pulled(
    database: Database, visibility: Visibility, seen: list[str]
) -> None:
    record(database, WORLD)

    assert ids(read(database, visibility)) == seen
    follower = Follower(database, visibility, limit=1)
    for _ in WORLD:
        follower.read_on()
    assert ids(follower.seen) == seen


def test_where_a_person_is_is_for_those_who_see_everything(database: Database) -> None:
    record(database, [about("team/app", "a", address="192.0.2.7", user_agent="docker", actor="jane")])

    assert "address" in read(database)[0].data
    assert read(database, Visibility(namespaces=("team",)))[0].data == {
        "action": "push",
        "repository": "team/app",
        "actor": "jane",
    }


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ({"type": "auth.namespace.created.v1"}, ["namespace"]),
        ({"type": "auth"}, []),
        ({"repository": "team/other"}, ["other"]),
        ({"repository": "team"}, []),
        ({"namespace": "jane"}, ["jane's", "namespace", "granted"]),
        ({"namespace": "jane", "type": "registry.notification.v1"}, ["jane's"]),
    ],
)
def test_a_list_can_be_narrowed(database: Database, wanted: dict[str, str], seen: list[str]) -> None:
    record(database, WORLD)

    assert ids(read(database, wanted=EventFilter(**wanted))) == seen


def test_a_reading_looks_at_a_bounded_part_and_says_where_to_go_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may see one event in a million must not make the database read a million for it."""
    monkeypatch.setattr(event_queries, "MAX_EXAMINED", 10)
    record(database, [*(about("team/app", f"hidden-{number}") for number in range(25)), about("jane/app", "mine")])
    visibility, after, steps = Visibility(namespaces=("jane",)), 0, list[tuple[int, int]]()

    with database.read() as connection:
        while after < 26:
            stretch = read_log(connection, visibility, EventFilter(), after=after, end=26, limit=5)
            after = stretch.next_after
            steps.append((after, len(stretch.events)))

    assert steps == [(10, 0), (20, 0), (26, 1)]


class TestPurge:
    """What is too old or too much goes, a bounded part at a time."""

    def purge(self, database: Database, *, days: int = 30, keep: int = 1000) -> int:
        return purge_log(database=database, clock=utc_now, keep_for=timedelta(days=days), keep=keep)

    @pytest.fixture
    def filled(self, database: Database) -> Database:
        record(database, [about("team/app", f"event-{number}") for number in range(6)])
        with database.write() as connection:
            old = events.c.sequence <= 2
            connection.execute(update(events).where(old).values(recorded_at=utc_now() - timedelta(days=31)))
        return database

    def test_leaves_what_is_young(self, filled: Database) -> None:
        assert self.purge(filled, days=32) == 0

    def test_takes_what_is_old(self, filled: Database) -> None:
        assert self.purge(filled) == 2
        assert [event.sequence for event in read(filled)] == [3, 4, 5, 6]

    def test_takes_what_is_too_much(self, filled: Database) -> None:
        assert self.purge(filled, days=32, keep=4) == 2
        assert [event.sequence for event in read(filled)] == [3, 4, 5, 6]

    def test_never_gives_a_number_twice(self, filled: Database) -> None:
        self.purge(filled, days=32, keep=0)
        record(filled, [about("team/app", "new")])

        assert [event.sequence for event in read(filled)] == [7]
        with filled.read() as connection:
            assert connection.scalar(select(event_log_end.c.sequence)) == 7
            assert find_ends(connection).oldest == 7
