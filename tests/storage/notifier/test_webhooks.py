"""Webhooks are told of each event once, in turns, by any number of workers, until they have taken it."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug import Request, Response

from services.notifier.consumers.webhooks import _give_turns
from services.notifier.storage.deliveries import ask_again, count_waiting
from services.notifier.storage.sealing import Seal
from services.notifier.storage.tables import webhook_deliveries, webhook_headers, webhooks
from services.notifier.storage.webhooks import count_webhooks, delete_webhook, find_webhook, insert_header
from services.notifier.usecases.deliver import SENT_PER_TURN, Answer
from services.notifier.usecases.webhook_deliveries import purge_old_deliveries
from services.notifier.usecases.webhooks import WebhookDesk
from shared.api.etags import anything
from shared.clock import utc_now
from shared.config import Secret
from shared.contracts.events import Envelope
from shared.database import Database
from shared.visibility.answers import Caller, Permission, Rights
from tests.support.receivers import receiving
from tests.support.statements import commits
from tests.support.waiting import wait_until
from tests.support.webhooks import (
    TIME,
    add_webhook,
    deliveries,
    give_turns,
    make_deliverer,
    outcomes,
    record,
    tag_event,
    take_turns,
    wait_until_done,
    working,
)


class Clock:
    def __init__(self) -> None:
        self.now = TIME

    def __call__(self) -> Any:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def told(database: Database) -> list[tuple[int, str]]:
    return [(delivery.webhook_id, delivery.event_id) for delivery in deliveries(database)]


def test_each_event_is_planned_once_for_each_webhook(database: Database) -> None:
    first, second = add_webhook(database), add_webhook(database)

    record(database, tag_event("a"), tag_event("b"), tag_event("a"))
    record(database, tag_event("b"), tag_event("c"))

    assert sorted(told(database)) == sorted((hook, id) for hook in (first, second) for id in "abc")


def test_planning_is_part_of_the_transaction_that_records(database: Database) -> None:
    add_webhook(database)

    with commits() as made:
        record(database, *(tag_event(f"event-{number}") for number in range(700)))

    assert made == [1]
    assert len(told(database)) == 700


def test_consumers_at_work_at_once_plan_everything_once(database: Database) -> None:
    hook = add_webhook(database)
    events = [tag_event(f"event-{number}") for number in range(40)]

    def consume(offset: int) -> None:
        turned = events[offset:] + events[:offset]
        for start in range(0, len(turned), 7):
            record(database, *turned[start : start + 7])

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(consume, (0, 13, 29)))

    assert Counter(told(database)) == Counter((hook, event.id) for event in events)


def test_only_what_a_webhook_asked_for_is_planned(database: Database) -> None:
    hook = add_webhook(database, repositories=["team/*"], tags=["1.*"])
    add_webhook(database, enabled=False)
    add_webhook(database, namespace_id=2, namespace="other")

    record(
        database,
        tag_event("push"),
        tag_event("delete", kind="deleted"),
        tag_event("overwritten", kind="overwritten", previous_digest="x", rule_id=1),
        tag_event("tag", tag="latest"),
        tag_event("global", "app"),
        Envelope("pull", "registry/x", "registry.notification.v1", TIME, {"action": "pull", "repository": "team/app"}),
        Envelope("people", "/auth", "auth.team.created.v1", TIME, {"name": "team"}),
    )

    assert told(database) == [(hook, "push"), (hook, "delete")]


def test_the_installation_is_told_of_every_namespace(database: Database) -> None:
    everything = add_webhook(database, namespace_id=None, namespace=None, events=["push", "overwritten"])
    in_global = add_webhook(database, namespace_id=3, namespace="")

    record(database, tag_event("a"), tag_event("b", "app"), tag_event("c", "other/x", kind="overwritten"))

    assert sorted(told(database)) == [
        (everything, "a"),
        (everything, "b"),
        (everything, "c"),
        (in_global, "b"),
    ]


def test_an_event_is_told_as_the_log_shows_it_without_what_is_private(database: Database) -> None:
    add_webhook(database)

    record(database, tag_event("a", address="192.0.2.1", user_agent="docker/1"))

    assert json.loads(deliveries(database)[0].request_body) == {
        "specversion": "1.0",
        "id": "a",
        "source": "/catalog",
        "type": "catalog.tag.pushed.v1",
        "time": "2026-11-23T12:00:00+00:00",
        "subject": "team/app",
        "sequence": 1,
        "repository": "team/app",
        "namespace": "team",
        "datacontenttype": "application/json",
        "data": {"repository": "team/app", "tag": "1.0", "digest": "sha256:" + "a" * 64, "actor": "jane"},
    }


def purge(database: Database, clock: Callable[[], datetime]) -> int:
    return purge_old_deliveries(database=database, clock=clock, keep_for=timedelta(days=1))


def deleted(id: str, name: str, namespace_id: int | None) -> Envelope:
    known = {} if namespace_id is None else {"namespace_id": namespace_id}
    return Envelope(id, "/auth", "auth.namespace.deleted.v1", TIME, {"name": name, "team": "t", **known})


@pytest.mark.parametrize(("namespace_id", "stays"), [(1, False), (2, True), (None, False)])
def test_the_webhooks_of_a_namespace_go_with_it(database: Database, namespace_id: int | None, stays: bool) -> None:
    """One that was made anew under the name has another id, and keeps its own."""
    add_webhook(database)
    everything = add_webhook(database, namespace_id=None, namespace=None)
    record(database, tag_event("a"))

    record(database, deleted("gone", "team", namespace_id))
    purge(database, utc_now)

    with database.read() as connection:
        kept = connection.scalars(select(webhooks.c.id)).all()
        assert connection.scalars(select(webhook_headers.c.id)).all() == []
    assert (len(kept) == 2) is stays
    assert everything in kept
    assert {hook for hook, _ in told(database)} == set(kept)


def test_an_old_message_of_a_deletion_leaves_what_was_made_later(database: Database) -> None:
    hook = add_webhook(database, now=TIME + timedelta(seconds=1))

    record(database, deleted("gone", "team", None), tag_event("a"))

    assert told(database) == [(hook, "a")]


def transferred(id: str, *, team_id: int | None = 2, minutes_later: float = 0, **changes: Any) -> Envelope:
    known = {"namespace_id": 1, "team_id": team_id} if team_id else {}
    told = {"name": "team", "team": "new", "previous_team": "old", **known, **changes}
    return Envelope(id, "/auth", "auth.namespace.transferred.v1", TIME + timedelta(minutes=minutes_later), told)


def test_a_webhook_of_a_namespace_that_went_to_another_team_is_told_nothing_more(database: Database) -> None:
    """Neither what waited, nor what somebody asked for, nor what comes; and it keeps none of its secrets."""
    with receiving() as receiver:
        hook = add_webhook(database, receiver.url, team_id=1, sealed_password="a", sealed_secret="b")
        with database.write() as connection:
            insert_header(connection, hook, name="X-Token", sealed_value="c")
        everything = add_webhook(database, receiver.url, namespace_id=None, namespace=None, events=["delete"])
        record(database, tag_event("waits"), tag_event("asked"))
        with database.write() as connection:
            ask_again(connection, hook, deliveries(database)[1].uuid, now=TIME)

        record(database, transferred("moved"), tag_event("comes"), tag_event("all", kind="deleted"))
        take_turns(make_deliverer(database))

    assert receiver.events == ["all"]
    assert told(database) == [(hook, "waits"), (hook, "asked"), (everything, "all")]
    assert [one.fault for one in deliveries(database)[:2]] == [
        "The namespace went to another team before this was sent."
    ] * 2
    with database.read() as connection:
        row = connection.execute(select(webhooks).where(webhooks.c.id == hook)).one()
        assert connection.scalars(select(webhook_headers.c.id)).all() == []
    assert (row.enabled, row.sealed_password, row.sealed_secret) == (False, None, None)


@pytest.mark.parametrize(
    ("event", "goes_on"),
    [
        (transferred("to the team that it was made for", team_id=1), True),
        (transferred("long before it was made", minutes_later=-5), True),
        (transferred("another namespace of this name", namespace_id=9), True),
        (transferred("another name", name="other"), True),
        (transferred("told by an auth that names no numbers", team_id=None), False),
        (transferred("clocks differ", minutes_later=-0.5), False),
        (transferred("not what it should be", namespace_id="x"), True),
    ],
    ids=lambda value: value.id if isinstance(value, Envelope) else "",
)
def test_which_webhooks_a_transfer_is_about(database: Database, event: Envelope, goes_on: bool) -> None:
    add_webhook(database, team_id=1)

    record(database, event, tag_event("a"))

    assert bool(told(database)) == goes_on


def test_what_is_due_is_sent_in_order(database: Database) -> None:
    with receiving() as receiver:
        add_webhook(database, receiver.url)
        record(database, *(tag_event(f"event-{number}") for number in range(5)))
        take_turns(make_deliverer(database))

    assert receiver.events == [f"event-{number}" for number in range(5)]
    assert set(outcomes(database)) == {"delivered"}


def test_a_turn_has_an_end(database: Database) -> None:
    with receiving() as receiver:
        add_webhook(database, receiver.url)
        record(database, *(tag_event(f"event-{number}") for number in range(SENT_PER_TURN + 5)))
        deliverer = make_deliverer(database)
        take_turns(deliverer)
        first = len(receiver.received)
        take_turns(deliverer)

    assert (first, len(receiver.received)) == (SENT_PER_TURN, SENT_PER_TURN + 5)


def test_a_failure_is_tried_again_later_and_a_bounded_number_of_times(database: Database, clock: Clock) -> None:
    with receiving(lambda _: Response("no", 503)) as receiver:
        add_webhook(database, receiver.url)
        record(database, tag_event("a"), clock=clock)
        deliverer = make_deliverer(database, clock=clock, max_attempts=3)
        seen = []
        for _ in range(6):
            take_turns(deliverer)
            seen.append(len(receiver.received))
            clock.advance(seconds=20)

    assert seen == [1, 2, 2, 2, 3, 3]
    (done,) = deliveries(database)
    assert (done.outcome, done.attempts, done.next_try_at, done.status) == ("failed", 3, None, 503)
    assert done.fault == "It answered 503."
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 1


def test_what_is_taken_at_last_is_delivered(database: Database, clock: Clock) -> None:
    answers = [Response("no", 500), Response("yes", 202)]
    with receiving(lambda _: answers.pop(0)) as receiver:
        add_webhook(database, receiver.url)
        record(database, tag_event("a"), clock=clock)
        deliverer = make_deliverer(database, clock=clock)
        take_turns(deliverer)
        clock.advance(seconds=11)
        take_turns(deliverer)

    (done,) = deliveries(database)
    assert (done.outcome, done.attempts, done.status, done.fault, done.response_body) == (
        "delivered",
        2,
        202,
        None,
        "yes",
    )


class Killed(BaseException):
    """The worker ends between sending and noting."""


def test_a_worker_killed_between_sending_and_noting_sends_again_when_its_lease_has_ended(
    database: Database, clock: Clock
) -> None:
    """At least once, and always under the same id."""
    with receiving() as receiver:
        add_webhook(database, receiver.url)
        record(database, tag_event("a"), clock=clock)
        other = make_deliverer(database, clock=clock)

        def send_and_die(request: Any) -> Answer:
            other.send(request)
            raise Killed

        with pytest.raises(Killed):
            take_turns(make_deliverer(database, clock=clock, send=send_and_die))
        assert take_turns(other) == 0
        clock.advance(seconds=61)
        assert take_turns(other) == 1
        assert take_turns(other) == 0

    assert receiver.events == ["a", "a"]
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 1
    assert outcomes(database) == ["delivered"]


def test_whoever_has_lost_the_turn_notes_nothing(database: Database, clock: Clock) -> None:
    """A worker that was asleep for longer than its lease must not undo what another has noted."""
    with receiving() as receiver:
        add_webhook(database, receiver.url)
        record(database, tag_event("a"), clock=clock)
        other = make_deliverer(database, clock=clock)

        def sleep(_request: Any) -> Answer:
            clock.advance(seconds=61)
            assert take_turns(other) == 1
            return Answer(500, "It answered 500.")

        take_turns(make_deliverer(database, clock=clock, send=sleep))

    assert outcomes(database) == ["delivered"]


def test_two_workers_send_everything_once(database: Database) -> None:
    with receiving() as one, receiving() as two, receiving() as three:
        receivers = (one, two, three)
        for receiver in receivers:
            add_webhook(database, receiver.url)
        record(database, *(tag_event(f"event-{number:02}") for number in range(25)))

        with working(make_deliverer(database)), working(make_deliverer(database)):
            wait_until_done(database)

    for receiver in receivers:
        assert receiver.events == [f"event-{number:02}" for number in range(25)]


def test_slow_receivers_do_not_hold_up_the_others(database: Database) -> None:
    """As many as there are threads hang, each with much to be told; one more is told all of its own."""
    hangs = threading.Event()

    def hang(_request: Request) -> Response:
        hangs.wait(60)
        return Response("late")

    with receiving(hang) as slow, receiving() as quick:
        for _ in range(6):
            add_webhook(database, slow.url, sound=False, namespace="slow")
        add_webhook(database, quick.url)
        record(database, *(tag_event(f"slow-{number}", "slow/app") for number in range(5)))
        with working(make_deliverer(database), threads=4):
            wait_until(lambda: len(slow.received) == 2, what="half of the threads hang")
            record(database, *(tag_event(f"quick-{number}") for number in range(30)))
            wait_until(lambda: len(quick.received) == 30, what="the quick one is told all")
            assert len(slow.received) == 2
            hangs.set()


def test_many_webhooks_of_a_host_that_turns_slow_do_not_hold_up_another_one(database: Database) -> None:
    """Nobody knows yet that it is slow, and all of them were good until now."""
    hangs = threading.Event()

    def hang(_request: Request) -> Response:
        hangs.wait(60)
        return Response("late")

    with receiving(hang) as slow, receiving() as quick:
        for _ in range(12):
            add_webhook(database, slow.url, namespace="slow")
        add_webhook(database, quick.url)
        record(database, *(tag_event(f"slow-{number}", "slow/app") for number in range(5)))
        with working(make_deliverer(database), threads=4):
            wait_until(lambda: len(slow.received) == 2, what="half of the threads hang")
            record(database, *(tag_event(f"quick-{number}") for number in range(30)))
            wait_until(lambda: len(quick.received) == 30, what="the quick one is told all")
            assert len(slow.received) == 2
            hangs.set()


def test_what_one_webhook_learns_of_a_host_is_known_of_the_others(database: Database, clock: Clock) -> None:
    """Those that lead to it leave the others alone until it is quick again."""
    hooks = [add_webhook(database, f"http://slow.example.org/{number}") for number in range(3)]
    quick = add_webhook(database, "http://slow.example.org:8080/")
    record(database, tag_event("a"), tag_event("b"), clock=clock)
    took_s = 10.0
    deliverer = make_deliverer(database, clock=clock, send=lambda _: Answer(200, took_s=took_s))

    def waiting(*, sound: bool) -> set[int]:
        given = {turn.webhook for turn in give_turns(deliverer, sound=sound)}
        clock.advance(seconds=61)
        return given

    deliverer.take_turn(give_turns(deliverer, sound=True, limit=1)[0], threading.Event())
    assert (waiting(sound=True), waiting(sound=False)) == ({quick}, set(hooks))
    took_s = 0.1
    (turn,) = give_turns(deliverer, sound=False, limit=1)
    deliverer.take_turn(turn, threading.Event())

    assert turn.webhook == hooks[1]
    assert (waiting(sound=True), waiting(sound=False)) == ({hooks[2], quick}, {hooks[0]})


def test_hosts_take_turns_however_many_webhooks_lead_to_each(database: Database, clock: Clock) -> None:
    many = [add_webhook(database, "http://many.example.org/") for _ in range(5)]
    few = add_webhook(database, "http://few.example.org/")
    record(database, *(tag_event(f"event-{number}") for number in range(30)), clock=clock)
    deliverer, served = make_deliverer(database, clock=clock, send=lambda _: Answer(200)), list[int]()

    for _ in range(6):
        (turn,) = give_turns(deliverer, sound=True, limit=1)
        deliverer.take_turn(turn, threading.Event())
        served.append(turn.webhook)
        clock.advance(seconds=1)

    assert served == [many[0], few, many[1], few, many[2], few]


def test_a_dead_receiver_is_known_after_one_attempt(database: Database, clock: Clock) -> None:
    add_webhook(database, "http://127.0.0.1:9/")
    record(database, tag_event("a"), tag_event("b"), clock=clock)
    deliverer = make_deliverer(database, clock=clock)

    take_turns(deliverer)

    assert [delivery.attempts for delivery in deliveries(database)] == [1, 0]
    assert (len(give_turns(deliverer, sound=True)), len(give_turns(deliverer, sound=False))) == (0, 1)


def test_a_slow_log_waits_for_no_receiver(database: Database) -> None:
    """Recording only plans: whoever is told takes no part in it."""
    hangs = threading.Event()
    with receiving(lambda _: Response("late") if hangs.wait(60) else Response()) as slow:
        add_webhook(database, slow.url)
        with working(make_deliverer(database), threads=1):
            record(database, tag_event("a"))
            wait_until(lambda: slow.received, what="it hangs")
            assert record(database, tag_event("b")) == 1
            hangs.set()


def test_who_was_served_longest_ago_is_served_first(database: Database, clock: Clock) -> None:
    first, second = add_webhook(database), add_webhook(database)
    record(database, *(tag_event(f"event-{number}") for number in range(3)), clock=clock)
    deliverer = make_deliverer(database, clock=clock, send=lambda _: Answer(200))

    (turn,) = give_turns(deliverer, sound=True, limit=1)
    deliverer.take_turn(turn, threading.Event())
    record(database, tag_event("more"), clock=clock)
    clock.advance(seconds=1)
    (following,) = give_turns(deliverer, sound=True, limit=1)

    assert (turn.webhook, following.webhook) == (first, second)


def test_169_nothing_that_waits_is_sent_to_a_webhook_that_was_disabled(database: Database) -> None:
    with receiving() as receiver:
        hook = add_webhook(database, receiver.url)
        record(database, tag_event("a"))
        with database.write() as connection:
            connection.execute(webhooks.update().where(webhooks.c.id == hook).values(enabled=False))
        take_turns(make_deliverer(database))

    (done,) = deliveries(database)
    assert (receiver.received, done.outcome, done.attempts) == ([], "failed", 0)
    assert "disabled" in done.fault


def test_what_was_sealed_under_another_key_is_told_and_nothing_is_sent(database: Database) -> None:
    with receiving() as receiver:
        add_webhook(database, receiver.url, username="jane", sealed_password="gAAAAA")
        record(database, tag_event("a"))
        take_turns(make_deliverer(database))

    assert receiver.received == []
    assert "PORTUS_INTERNAL_SECRET" in deliveries(database)[0].fault


def test_old_deliveries_are_purged_in_batches(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notifier.usecases.webhook_deliveries.PURGE_BATCH", 4)
    add_webhook(database)
    record(database, *(tag_event(f"old-{number}") for number in range(10)), clock=clock)
    with database.write() as connection:
        connection.execute(webhook_deliveries.update().values(outcome="failed", next_try_at=None))
    record(database, tag_event("still to be sent"), clock=clock)
    clock.advance(days=2)
    record(database, tag_event("young"), clock=clock)

    purged = [purge_old_deliveries(database=database, clock=clock, keep_for=timedelta(days=1)) for _ in range(4)]

    assert purged == [4, 4, 2, 0]
    assert [id for _, id in told(database)] == ["still to be sent", "young"]


@pytest.mark.parametrize("with_namespace", [False, True], ids=["by somebody", "with its namespace"])
def test_a_webhook_that_was_told_very_much_goes_in_parts(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch, with_namespace: bool
) -> None:
    """It is told nothing more at once, and keeps no secret; what it was told goes by and by, whatever happens."""
    monkeypatch.setattr("services.notifier.usecases.webhook_deliveries.PURGE_BATCH", 4)
    with receiving() as receiver:
        hook = add_webhook(database, receiver.url, sealed_password="a", sealed_secret="b")
        with database.write() as connection:
            insert_header(connection, hook, name="X-Token", sealed_value="c")
        stays = add_webhook(database, namespace_id=None, namespace=None)
        record(database, *(tag_event(f"event-{number}") for number in range(10)), clock=clock)
        if with_namespace:
            record(database, deleted("gone", "team", 1), clock=clock)
        else:
            with database.write() as connection:
                delete_webhook(connection, hook, now=clock())
        record(database, tag_event("later"), clock=clock)
        take_turns(make_deliverer(database, clock=clock, send=lambda _: Answer(200)))
        left = [Counter(id for id, _ in told(database))[hook]]
        with database.read() as connection:
            assert (find_webhook(connection, hook), count_webhooks(connection, 1)) == (None, 0)
            assert connection.scalars(select(webhook_headers.c.id)).all() == []
            row = connection.execute(select(webhooks).where(webhooks.c.id == hook)).one()
            assert count_waiting(connection, now=clock())[0] == 1, "of the one that stays"
        for _ in range(4):
            purge(database, clock)
            left.append(Counter(id for id, _ in told(database))[hook])

    assert (row.sealed_password, row.sealed_secret, row.url) == (None, None, "")
    assert left == [10, 6, 2, 0, 0]
    assert receiver.received == []
    with database.read() as connection:
        assert connection.scalars(select(webhooks.c.id)).all() == [stays]


def test_what_is_asked_for_before_its_time_is_tried_again_as_often_as_before(database: Database, clock: Clock) -> None:
    hook = add_webhook(database)
    record(database, tag_event("a"), clock=clock)
    deliverer = make_deliverer(database, clock=clock, send=lambda _: Answer(500, "no"), max_attempts=3)
    take_turns(deliverer)

    with database.write() as connection:
        ask_again(connection, hook, deliveries(database)[0].uuid, now=clock())
    take_turns(deliverer)

    (waiting,) = deliveries(database)
    assert (waiting.outcome, waiting.attempts) == ("pending", 2)
    assert waiting.next_try_at > clock()


def test_what_is_asked_for_while_it_is_being_sent_is_sent_once_more(database: Database, clock: Clock) -> None:
    hook = add_webhook(database)
    record(database, tag_event("a"), clock=clock)
    sent = list[str]()

    def send(request: Any) -> Answer:
        sent.append(request.url)
        if len(sent) == 1:
            clock.advance(seconds=1)
            with database.write() as connection:
                ask_again(connection, hook, deliveries(database)[0].uuid, now=clock())
        return Answer(200)

    take_turns(make_deliverer(database, clock=clock, send=send))

    (done,) = deliveries(database)
    assert (len(sent), done.outcome, done.attempts) == (2, "delivered", 2)


def test_receivers_that_fail_are_not_left_out_while_the_others_are_busy(database: Database) -> None:
    """Those that are always due would take every thread that is free."""
    failing = add_webhook(database, sound=False)
    for number in range(6):
        add_webhook(database, f"http://host-{number}/")
    record(database, tag_event("a"))

    given = _give_turns(make_deliverer(database), 4, [])

    assert [turn.webhook for turn in given if not turn.sound] == [failing]
    assert len(given) == 4


def test_a_turn_ends_when_it_has_taken_long(database: Database, clock: Clock) -> None:
    add_webhook(database)
    record(database, *(tag_event(f"event-{number}") for number in range(5)), clock=clock)

    take_turns(make_deliverer(database, clock=clock, send=lambda _: Answer(200, took_s=1.9)))

    assert outcomes(database) == ["delivered", "delivered", "pending", "pending", "pending"]


@pytest.mark.parametrize(
    ("namespace_id", "name", "minutes_later", "stays"),
    [
        (1, "team", 0, False),
        (1, "other", 0, True),
        (2, "team", 0, True),
        (1, "team", -5, True),
        (None, "team", 0, False),
    ],
)
def test_a_namespace_takes_its_own_webhooks_with_it(
    database: Database, namespace_id: int | None, name: str, minutes_later: float, stays: bool
) -> None:
    """A number is given again where the database does that, and so is a name."""
    add_webhook(database)
    data = {"name": name, "team": "t"} | ({"namespace_id": namespace_id} if namespace_id else {})

    ended = TIME + timedelta(minutes=minutes_later)
    record(database, Envelope("gone", "/auth", "auth.namespace.deleted.v1", ended, data))
    record(database, tag_event("a"))

    assert bool(told(database)) == stays


def test_whoever_changes_webhooks_and_whoever_plans_do_not_wait_for_each_other(database: Database) -> None:
    """Both touch the log and webhooks; in another order each would hold what the other wants."""

    def rights(_namespace: int | None, operations: Collection[str]) -> Rights:
        return Rights(Caller("olga", "person"), "team", {one: Permission(True, "you may") for one in operations})

    desk = WebhookDesk(rights, Seal(Secret("a-secret-among-peers")), [], database, utc_now)

    def change(count: int) -> None:
        for _ in range(count):
            hook = desk.create(1, {"name": "a", "url": "a", "method": "GET", "content_type": "b", **NARROWED}).id
            desk.change(hook, {"name": "b"}, expected=anything)
            desk.delete(hook, expected=anything)

    def plan(count: int) -> None:
        for number in range(count):
            record(database, tag_event(f"{threading.get_ident()}-{number}"))

    with ThreadPoolExecutor(4) as pool:
        under_way = [pool.submit(change, 15), pool.submit(change, 15), pool.submit(plan, 40), pool.submit(plan, 40)]
        for one in under_way:
            one.result(60)


NARROWED = {"enabled": True, "events": ["push"], "repositories": [], "tags": []}
