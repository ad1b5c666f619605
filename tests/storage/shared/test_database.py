"""What every service relies on, whichever database it has."""

import multiprocessing
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, Table, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from shared.database import REST_S, Database, UtcDateTime, new_metadata

METADATA = new_metadata()
COUNTERS = Table(
    "counters", METADATA, Column("id", Integer, primary_key=True), Column("value", Integer), Column("at", UtcDateTime)
)
PROCESSES, ROUNDS = 4, 50
PLANS = "SELECT generic_plans, custom_plans > 0 FROM pg_prepared_statements"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    METADATA.create_all(database.engine)
    yield database
    database.dispose()


def put_counter(database: Database, **values: object) -> None:
    with database.write() as connection:
        connection.execute(insert(COUNTERS).values(id=1, **values))


def count_up(url: str) -> None:
    database = Database(url)
    for _ in range(ROUNDS):
        with database.write() as connection:
            locked = select(COUNTERS.c.value).where(COUNTERS.c.id == 1).with_for_update()
            value = connection.execute(locked).scalar_one()
            connection.execute(update(COUNTERS).where(COUNTERS.c.id == 1).values(value=value + 1))
    database.dispose()


def change_and_fail(database: Database) -> None:
    with database.write() as connection:
        connection.execute(update(COUNTERS).values(value=7))
        connection.execute(insert(COUNTERS).values(id=1))


def test_no_update_of_four_processes_is_lost(database: Database, database_url: str) -> None:
    put_counter(database, value=0)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=count_up, args=(database_url,)) for _ in range(PROCESSES)]

    for process in processes:
        process.start()
    for process in processes:
        process.join(60)

    with database.read() as connection:
        assert connection.execute(select(COUNTERS.c.value)).scalar_one() == PROCESSES * ROUNDS


def test_an_exception_leaves_nothing_behind(database: Database) -> None:
    put_counter(database, value=0)

    with pytest.raises(IntegrityError):
        change_and_fail(database)

    with database.read() as connection:
        assert connection.execute(select(COUNTERS.c.value)).scalar_one() == 0


def test_moments_come_back_aware_and_in_utc(database: Database) -> None:
    berlin = datetime(2026, 11, 23, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    put_counter(database, value=0, at=berlin)

    with database.read() as connection:
        stored = connection.execute(select(COUNTERS.c.at)).scalar_one()

    assert stored == berlin
    assert stored.tzinfo is UTC


def test_a_naive_moment_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="naive"):
        put_counter(database, value=0, at=datetime(2026, 11, 23))  # noqa: DTZ001 - the point of the test


def test_the_pulse_of_a_database_that_is_there(database: Database) -> None:
    database.ping()


def test_sqlite_holds_to_foreign_keys(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new/folder/test.db")

    with database.read() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"


def test_a_statement_asked_often_is_still_planned_for_its_values(postgresql_url: str) -> None:
    database = Database(postgresql_url, custom_plans=True)
    asked = text("SELECT CAST(:number AS integer) + 1")

    with database.read() as connection:
        for number in range(20):
            connection.execute(asked, {"number": number})
        told = connection.execute(text(f"{PLANS} WHERE statement LIKE '%integer) + 1%'")).all()

    assert [tuple(row) for row in told] == [(0, True)]
    database.dispose()


def test_a_restarted_server_is_not_noticed(postgresql_url: str) -> None:
    """Connections that rested in the pool while the server ended them are replaced unseen."""
    database = Database(postgresql_url)
    for connect in (database.read, database.write):
        with connect() as connection:
            connection.execute(text("SELECT 1"))
    _end_all_connections(postgresql_url)
    time.sleep(REST_S)

    for connect in (database.read, database.write):
        with connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
    database.dispose()


def _end_all_connections(url: str) -> None:
    other = Database(url)
    others = "pid <> pg_backend_pid() AND datname = current_database()"
    ending = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
    with other.read() as connection:
        assert len(connection.execute(text(ending)).all()) == 2
    other.dispose()
