"""The last use of a credential is noted beside the request, about once a minute."""

from datetime import datetime

import pytest
from sqlalchemy import Table, select

from services.auth.storage.tables import application_tokens, robot_secrets, robots
from tests.support.auth import AuthService
from tests.support.machines import Machine, make_robot, make_token

HOME = "127.0.0.1"


@pytest.fixture
def token(auth: AuthService) -> Machine:
    return make_token(auth, auth.make_user("jane"))


def last_use(auth: AuthService, table: Table, id: int) -> tuple[datetime | None, str | None]:
    with auth.database.read() as connection:
        row = connection.execute(select(table).where(table.c.id == id)).one()
    return row.last_used_at, row._mapping.get("last_used_address")


def log_in(auth: AuthService, machine: Machine, **options: object) -> None:
    assert auth.get_token(user=machine.username, password=machine.secret, **options).status_code == 200


def test_a_tokens_use_is_noted_with_its_address(auth: AuthService, token: Machine) -> None:
    log_in(auth, token, environ_base={"REMOTE_ADDR": "192.0.2.9"})
    auth.write_notes()

    assert last_use(auth, application_tokens, token.id) == (auth.clock.now, "192.0.2.9")


def test_a_robots_use_is_noted_of_the_secret_too(auth: AuthService) -> None:
    robot = make_robot(auth)

    log_in(auth, robot)
    auth.write_notes()

    assert last_use(auth, robots, robot.id) == (auth.clock.now, HOME)
    assert last_use(auth, robot_secrets, robot.secret_id) == (auth.clock.now, None)


def test_another_use_within_a_minute_is_not_noted(auth: AuthService, token: Machine) -> None:
    log_in(auth, token)
    auth.write_notes()
    first = auth.clock.now
    auth.clock.advance(seconds=59)

    log_in(auth, token)
    auth.write_notes()

    assert last_use(auth, application_tokens, token.id)[0] == first


def test_a_use_a_minute_later_is_noted(auth: AuthService, token: Machine) -> None:
    log_in(auth, token)
    auth.write_notes()
    auth.clock.advance(seconds=60)

    log_in(auth, token)
    auth.write_notes()

    assert last_use(auth, application_tokens, token.id)[0] == auth.clock.now


def test_a_process_that_is_late_changes_nothing(auth: AuthService, token: Machine) -> None:
    log_in(auth, token)
    late = auth.clock.now
    with auth.database.write() as connection:
        auth.clock.advance(seconds=30)
        connection.execute(application_tokens.update().values(last_used_at=auth.clock.now))

    auth.write_notes()

    assert last_use(auth, application_tokens, token.id)[0] != late


def test_a_use_of_what_is_gone_meanwhile_is_passed_over(auth: AuthService, token: Machine) -> None:
    robot = make_robot(auth)
    log_in(auth, token)
    log_in(auth, robot)
    with auth.database.write() as connection:
        connection.execute(application_tokens.delete())

    auth.write_notes()

    assert last_use(auth, robots, robot.id)[0] == auth.clock.now
