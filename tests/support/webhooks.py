"""Webhooks in a database, and workers that tell them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from threading import Event, Thread
from typing import Any

from sqlalchemy import select

from services.notifier.clients.webhook_receiver import Receiver
from services.notifier.consumers.webhooks import deliver_webhooks
from services.notifier.storage.deliveries import Outcome
from services.notifier.storage.sealing import Seal
from services.notifier.storage.tables import webhook_deliveries
from services.notifier.storage.turns import Lane
from services.notifier.storage.webhooks import insert_webhook
from services.notifier.usecases.deliver import Answer, Deliverer, Turn
from services.notifier.usecases.record_events import record_events
from shared.clock import Clock, utc_now
from shared.config import Secret
from shared.contracts.events import Envelope
from shared.database import Database
from tests.support.visibility import PEER_SECRET
from tests.support.waiting import wait_until

DIGEST = "sha256:" + "a" * 64
TIME = datetime(2026, 11, 23, 12, tzinfo=UTC)


def tag_event(
    id: str, repository: str = "team/app", *, kind: str = "pushed", tag: str = "1.0", **data: Any
) -> Envelope:
    """Return what ``catalog`` tells of a tag."""
    told = {"repository": repository, "tag": tag, "digest": DIGEST, "actor": "jane", **data}
    return Envelope(id, "/catalog", f"catalog.tag.{kind}.v1", TIME, told, subject=repository)


def record(database: Database, *envelopes: Envelope, clock: Clock = utc_now) -> int:
    """Let events come into the log, as the consumer does."""
    return record_events(envelopes, database=database, clock=clock)


def add_webhook(database: Database, url: str = "http://127.0.0.1:9/", *, now: datetime = TIME, **values: Any) -> int:
    """Insert an enabled webhook of the namespace ``team`` and return its id."""
    row = {
        "namespace_id": 1,
        "namespace": "team",
        "name": "ci",
        "url": url,
        "method": "POST",
        "content_type": "application/json",
        "username": "",
        "enabled": True,
        "events": ["push", "delete"],
        "repositories": [],
        "tags": [],
        "created_by": "jane",
    }
    with database.write() as connection:
        return insert_webhook(connection, {**row, **values}, now=now)


def make_deliverer(
    database: Database,
    *,
    send: Callable[..., Answer] | None = None,
    clock: Clock = utc_now,
    max_attempts: int = 3,
    timeout_s: float = 30,
    secret: str = PEER_SECRET,
) -> Deliverer:
    """Return what sends to receivers on this machine, really unless it is told otherwise."""
    receiver = Receiver([ip_network("127.0.0.0/8")], timeout_s)
    return Deliverer(
        send or receiver.send,
        Seal(Secret(secret)),
        database,
        clock,
        max_attempts=max_attempts,
        lease_for=timedelta(seconds=60),
    )


def give_turns(deliverer: Deliverer, *, sound: bool, limit: int = 100) -> list[Turn]:
    """Give turns as if nobody had one, of one host or of many."""
    return deliverer.give_turns(Lane(sound, {}, limit), limit=limit)


def take_turns(deliverer: Deliverer) -> int:
    """Let every webhook that has something due have one turn, one after the other; return how many had."""
    turns = [*give_turns(deliverer, sound=True), *give_turns(deliverer, sound=False)]
    for turn in turns:
        deliverer.take_turn(turn, Event())
    return len(turns)


@contextmanager
def working(deliverer: Deliverer, *, threads: int = 4) -> Iterator[None]:
    """Run a worker for the length of a ``with``."""
    stop = Event()
    options = {"threads": threads, "stop": stop}
    thread = Thread(target=deliver_webhooks, args=(deliverer,), kwargs=options, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive(), "the worker did not stop"


def deliveries(database: Database) -> list[Any]:
    """Return all deliveries, as they were planned."""
    with database.read() as connection:
        return list(connection.execute(select(webhook_deliveries).order_by(webhook_deliveries.c.id)))


def outcomes(database: Database) -> list[str]:
    return [delivery.outcome for delivery in deliveries(database)]


def wait_until_done(database: Database) -> None:
    """Wait until nothing is pending."""
    wait_until(lambda: Outcome.PENDING not in outcomes(database), what="everything is sent")
