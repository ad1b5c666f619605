"""Answers that are kept: one at a time, for a day, and never in clear."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Column, Integer, Table, func, insert, select

from shared.ciphers import KeyCipher
from shared.database import Database, new_metadata
from shared.idempotency import KEPT_FOR, Answer, Call, KeptAnswers, KeyBusy, KeyTaken, idempotency_table, purge_answers
from tests.support.auth import TestClock

METADATA = new_metadata()
SHIPS = Table("ships", METADATA, Column("id", Integer, primary_key=True))
KEYS = idempotency_table(METADATA)
CALL = Call("jane", "POST /ships", "k", b"body")


def new_cipher() -> KeyCipher:
    return KeyCipher(Fernet.generate_key())


@dataclass
class Dock:
    database: Database
    answers: KeptAnswers
    clock: TestClock

    def make(self, secret: str = "") -> Callable[[], Answer]:
        def make() -> Answer:
            with self.database.write() as connection:
                number = connection.execute(insert(SHIPS).returning(SHIPS.c.id)).scalar_one()
            return Answer(201, {"Location": f"/ships/{number}"}, f"ship {number} {secret}")

        return make

    def count(self) -> int:
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(SHIPS)).scalar_one()


@pytest.fixture
def dock(database_url: str) -> Iterator[Dock]:
    database, clock = Database(database_url), TestClock()
    METADATA.create_all(database.engine)
    yield Dock(database, KeptAnswers(database, KEYS, new_cipher(), clock), clock)
    database.dispose()


def test_an_answer_is_given_again(dock: Dock) -> None:
    made, again = (dock.answers.answer_once(CALL, dock.make()) for _ in range(2))

    assert made == (Answer(201, {"Location": "/ships/1"}, "ship 1 "), False)
    assert again == (made[0], True)


def test_an_answer_is_given_again_for_a_day(dock: Dock) -> None:
    dock.answers.answer_once(CALL, dock.make())

    dock.clock.now += KEPT_FOR - timedelta(seconds=1)
    assert dock.answers.answer_once(CALL, dock.make())[1]
    dock.clock.advance(seconds=1)
    assert not dock.answers.answer_once(CALL, dock.make())[1]
    assert dock.count() == 2


@pytest.mark.parametrize(
    "other",
    [
        Call("john", "POST /ships", "k", b"body"),
        Call("jane", "POST /boats", "k", b"body"),
        Call("jane", "POST /ships", "K", b"body"),
    ],
)
def test_caller_route_and_key_make_a_call(dock: Dock, other: Call) -> None:
    dock.answers.answer_once(CALL, dock.make())

    assert not dock.answers.answer_once(other, dock.make())[1]


def test_another_body_is_another_request(dock: Dock) -> None:
    dock.answers.answer_once(CALL, dock.make())

    with pytest.raises(KeyTaken, match="another body"):
        dock.answers.answer_once(Call(CALL.caller, CALL.route, CALL.key, b"other"), dock.make())


def test_a_secret_in_an_answer_is_not_stored_in_clear(dock: Dock) -> None:
    dock.answers.answer_once(CALL, dock.make("hunter2"))

    with dock.database.read() as connection:
        (row,) = connection.execute(select(KEYS)).all()
    assert "hunter2" not in str(row)
    assert dock.answers.answer_once(CALL, dock.make())[0].body == "ship 1 hunter2"


def test_an_answer_under_another_key_cannot_be_read(dock: Dock) -> None:
    dock.answers.answer_once(CALL, dock.make())
    elsewhere = KeptAnswers(dock.database, KEYS, new_cipher(), dock.clock)

    with pytest.raises(KeyTaken, match="no longer be read"):
        elsewhere.answer_once(CALL, dock.make())


def test_a_crash_leaves_neither_the_thing_nor_the_answer(dock: Dock) -> None:
    def crash() -> Answer:
        dock.make()()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dock.answers.answer_once(CALL, crash)

    assert dock.count() == 0
    assert not dock.answers.answer_once(CALL, dock.make())[1]


def test_two_at_once_make_one_thing(dock: Dock) -> None:
    """On PostgreSQL the second is told to come again, on SQLite it waits for the first."""
    inside, tried = threading.Event(), threading.Event()

    def slowly() -> Answer:
        inside.set()
        # On SQLite the second one is waiting for us by now, and so nobody says that it has tried.
        tried.wait(timeout=0.2 if dock.database.is_sqlite else 30)
        return dock.make()()

    first = threading.Thread(target=lambda: dock.answers.answer_once(CALL, slowly))
    first.start()
    inside.wait()
    if not dock.database.is_sqlite:
        with pytest.raises(KeyBusy) as busy:
            dock.answers.answer_once(CALL, dock.make())
        assert busy.value.headers == {"Retry-After": "1"}
        tried.set()
        first.join()

    assert dock.answers.answer_once(CALL, dock.make())[1]
    first.join()
    assert dock.count() == 1


def test_old_answers_are_deleted(dock: Dock) -> None:
    dock.answers.answer_once(CALL, dock.make())
    dock.clock.now += KEPT_FOR
    dock.answers.answer_once(Call("john", "POST /ships", "k", b""), dock.make())

    with dock.database.write() as connection:
        assert purge_answers(connection, KEYS, now=dock.clock()) == 1
        assert purge_answers(connection, KEYS, now=dock.clock()) == 0


def test_what_fails_within_is_undone_even_where_the_rest_goes_on(dock: Dock) -> None:
    def make() -> Answer:
        with suppress(RuntimeError), dock.database.write() as connection:
            connection.execute(insert(SHIPS))
            raise RuntimeError
        return dock.make()()

    dock.answers.answer_once(CALL, make)

    assert dock.count() == 1
