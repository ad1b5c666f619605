"""A statement that goes to the driver as it is brings what the ordinary way brings."""

from datetime import timedelta

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.exc import DBAPIError, OperationalError

from services.auth.storage.prepared import PreparedSelect
from services.auth.storage.tables import users
from tests.support.auth import AuthService
from tests.support.statements import database_away, statements

_STATEMENT = select(users.c.id, users.c.username, users.c.enabled, users.c.created_at).where(
    users.c.username.in_(bindparam("names", expanding=True)), users.c.created_at < bindparam("now")
)


@pytest.fixture
def prepared(auth: AuthService) -> PreparedSelect:
    for name in ("jane", "kim"):
        auth.make_user(name)
    auth.clock.advance(seconds=1)
    return PreparedSelect(_STATEMENT.order_by(users.c.id), expanding="names")


@pytest.mark.parametrize("names", [["jane"], ["jane", "kim"], ["nobody", "kim", "jane"]], ids=len)
def test_rows_are_those_of_the_ordinary_way(auth: AuthService, prepared: PreparedSelect, names: list[str]) -> None:
    parameters = {"names": names, "now": auth.clock()}

    with auth.database.read() as connection:
        for _ in range(2):
            rows = prepared.rows(connection, parameters)

            assert [tuple(row) for row in rows] == [tuple(row) for row in connection.execute(_STATEMENT, parameters)]
            assert {(row.username, row.enabled, row.created_at.utcoffset()) for row in rows} == {
                (name, True, timedelta()) for name in names if name != "nobody"
            }


def test_whoever_watches_statements_sees_it(auth: AuthService, prepared: PreparedSelect) -> None:
    with auth.database.read() as connection, statements() as seen:
        prepared.rows(connection, {"names": ["jane"], "now": auth.clock()})

    assert len(seen) == 1


def test_what_the_driver_refuses_is_reported_the_ordinary_way(auth: AuthService) -> None:
    broken = PreparedSelect(
        select(users.c.id).where(users.c.username.in_(bindparam("names", expanding=True))), expanding="names"
    )

    with auth.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE users RENAME TO persons")
    with auth.database.read() as connection, pytest.raises(DBAPIError):
        broken.rows(connection, {"names": ["jane"]})


def test_a_database_that_is_away_is_reported_the_ordinary_way(auth: AuthService, prepared: PreparedSelect) -> None:
    with auth.database.read() as connection, database_away(), pytest.raises(OperationalError):
        prepared.rows(connection, {"names": ["jane"], "now": auth.clock()})
