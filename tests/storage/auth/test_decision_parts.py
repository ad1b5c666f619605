"""Records of decisions are kept for a set time, in parts of a day; none is lost for want of a part."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from services.auth.domain.records import ENTROPY_BYTES, new_record_id
from services.auth.storage.decision_parts import DEFAULT_PART, delete_rows, list_parts, make_parts
from services.auth.storage.decisions import insert_decisions
from services.auth.storage.tables import decisions
from services.auth.usecases.keep_decisions import DAYS_AHEAD, keep_decisions
from tests.support.auth import AuthFactory, AuthService, TestClock

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)
"""Tomorrow's: the CA of the tests is good from today on."""


@pytest.fixture
def auth(make_auth: AuthFactory) -> AuthService:
    return make_auth(clock=TestClock(NOON))


def row(at: datetime, number: int = 0) -> dict[str, Any]:
    texts = dict.fromkeys(
        ("service", "username", "credential_name", "address", "client", "client_id", "account", "action"), ""
    )
    kinds = {"subject_kind": "person", "credential_kind": "password", "verdict": "granted"}
    none = dict.fromkeys(("registry_id", "user_id", "robot_id", "credential_id", "namespace"))
    id = new_record_id(at, number.to_bytes(ENTROPY_BYTES))
    return {
        "id": id,
        "at": at,
        **texts,
        **kinds,
        **none,
        "repository": "",
        "reason": "",
        "scopes": [],
        "degraded": False,
    }


def record(auth: AuthService, *moments: datetime) -> None:
    with auth.database.write() as connection:
        insert_decisions(connection, [row(at, number) for number, at in enumerate(moments)])


def keep(auth: AuthService, days: int = 30) -> None:
    keep_decisions(keep_days=days, database=auth.database, clock=auth.clock)


def kept_days(auth: AuthService) -> list[date]:
    with auth.database.read() as connection:
        return sorted(at.date() for at in connection.execute(select(decisions.c.at)).scalars())


def parts(auth: AuthService) -> set[date]:
    with auth.database.read() as connection:
        return list_parts(connection)


def strays(auth: AuthService) -> int:
    with auth.database.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {DEFAULT_PART}")).scalar_one())


def only_postgresql(auth: AuthService) -> None:
    if auth.database.is_sqlite:
        pytest.skip("SQLite has one table")


def test_records_are_kept_before_anything_was_made_for_them(auth: AuthService) -> None:
    record(auth, NOON, NOON + timedelta(days=400), NOON - timedelta(days=400))

    assert len(kept_days(auth)) == 3


def test_records_that_are_there_already_stay(auth: AuthService) -> None:
    record(auth, NOON)

    record(auth, NOON)

    assert kept_days(auth) == [NOON.date()]


def test_whole_days_are_dropped_when_they_are_old_enough(auth: AuthService) -> None:
    moments = [NOON - timedelta(days=days) for days in (0, 1, 2, 3, 4)]
    record(auth, *moments)
    keep(auth)

    keep(auth, days=2)

    assert kept_days(auth) == sorted(at.date() for at in moments[:3])


def test_old_records_without_a_part_are_dropped_too(auth: AuthService) -> None:
    record(auth, NOON, NOON - timedelta(days=31))

    keep(auth)

    assert kept_days(auth) == [NOON.date()]


def test_parts_are_made_ahead(auth: AuthService) -> None:
    only_postgresql(auth)

    keep(auth)

    assert parts(auth) == {NOON.date() + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)}


def test_what_lay_in_the_default_part_moves_into_the_days(auth: AuthService) -> None:
    only_postgresql(auth)
    record(auth, NOON, NOON - timedelta(days=7), NOON + timedelta(days=200))
    assert strays(auth) == 3

    keep(auth)

    assert strays(auth) == 0
    assert {NOON.date() - timedelta(days=7), NOON.date() + timedelta(days=200)} <= parts(auth)
    assert len(kept_days(auth)) == 3


def test_a_day_begins_and_ends_at_midnight_utc(auth: AuthService) -> None:
    only_postgresql(auth)
    midnight = NOON.replace(hour=0)
    keep(auth)

    record(auth, midnight, midnight + timedelta(days=1) - timedelta(microseconds=1))

    with auth.database.read() as connection:
        name = f"decisions_{NOON:%Y%m%d}"
        assert connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() == 2


def test_a_second_round_has_nothing_to_do(auth: AuthService) -> None:
    only_postgresql(auth)
    keep(auth)
    before = parts(auth)

    keep(auth)
    with auth.database.write() as connection:
        make_parts(connection, before)

    assert parts(auth) == before


def test_old_rows_are_deleted_in_batches(auth: AuthService) -> None:
    moments = [NOON - timedelta(days=40, seconds=second) for second in range(5)]
    record(auth, NOON, *moments)

    with auth.database.write() as connection:
        deleted = [delete_rows(connection, before=NOON - timedelta(days=30), limit=3) for _ in range(3)]

    assert sum(deleted) == 5
    assert max(deleted) < 5
    assert kept_days(auth) == [NOON.date()]


def test_a_part_is_used_for_its_day_only(auth: AuthService) -> None:
    """PostgreSQL looks into no other part when the time is given: a record is found by its id at once."""
    only_postgresql(auth)
    keep(auth)
    record(auth, NOON)

    with auth.database.read() as connection:
        plan = connection.execute(
            text("EXPLAIN SELECT * FROM decisions WHERE at >= :begin AND at < :end"),
            {"begin": NOON, "end": NOON + timedelta(milliseconds=1)},
        ).scalars()
        scanned = "\n".join(plan)

    assert f"decisions_{NOON:%Y%m%d}" in scanned
    assert f"decisions_{NOON + timedelta(days=1):%Y%m%d}" not in scanned


def test_nothing_of_the_batch_is_lost_to_a_value_no_database_takes(auth: AuthService) -> None:
    with auth.database.write() as connection:
        insert_decisions(connection, [row(NOON), {**row(NOON, 1), "client": "ümläut 🐳 \\x00"}])
        count = connection.execute(select(func.count()).select_from(decisions)).scalar_one()

    assert count == 2
