"""The worker publishes, renews and tidies, and goes on when something is away."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from services.auth.storage.tables import outbox, sessions, signing_leaves
from services.auth.worker import tidy, work
from shared.config import Secret
from shared.messaging.topology import declare_topology
from tests.support.auth import PASSWORD, AuthFactory, AuthService
from tests.support.waiting import wait_until


@contextmanager
def working(auth: AuthService) -> Iterator[None]:
    stop = threading.Event()
    worker = threading.Thread(target=work, args=(auth.services.settings, stop))
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()


def rows(auth: AuthService, table: str) -> int:
    with auth.database.read() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def test_events_are_published(make_auth: AuthFactory, broker_url: Secret) -> None:
    declare_topology(broker_url)
    auth = make_auth(broker_url=broker_url)
    auth.make_user("jane")
    assert rows(auth, outbox.name) == 2

    with working(auth):
        wait_until(lambda: rows(auth, outbox.name) == 0, what="the outbox is empty")


def test_a_leaf_is_there_as_soon_as_a_worker_runs(auth: AuthService) -> None:
    with working(auth):
        wait_until(lambda: rows(auth, signing_leaves.name) == 1, what="a leaf is minted")


def test_a_round_deletes_what_has_ended(auth: AuthService) -> None:
    auth.make_user("jane")
    auth.client.post("/api/v1/sessions", json={"username": "jane", "password": PASSWORD})
    auth.get_token(user="jane", password="wrong password")
    auth.clock.advance(days=15)

    tidy(auth.services.keyring, auth.database, auth.clock, auth.services.settings)

    with auth.database.read() as connection:
        assert connection.execute(select(sessions)).all() == []
    assert rows(auth, "login_failures") == 0
    assert rows(auth, signing_leaves.name) == 1


def test_two_workers_do_no_more_than_one(auth: AuthService) -> None:
    declare_topology(auth.services.settings.broker_url)

    with working(auth), working(auth):
        auth.make_user("jane")
        wait_until(lambda: rows(auth, outbox.name) == 0, what="the outbox is empty")
        wait_until(lambda: rows(auth, signing_leaves.name) > 0, what="a leaf is minted")

    assert rows(auth, signing_leaves.name) == 1
