"""A database that is away for a moment, seen from the token endpoint."""

from datetime import timedelta

import pytest

from tests.support.auth import SERVICE, AuthFactory, AuthService, access_of
from tests.support.statements import database_away

SCOPE = "repository:jane/web:pull,push"


@pytest.fixture
def jane(auth: AuthService) -> AuthService:
    auth.make_user("jane")
    return auth


def test_a_push_that_has_begun_goes_on(jane: AuthService) -> None:
    jane.get_token(SCOPE, user="jane")

    with database_away():
        response = jane.get_token(SCOPE, user="jane")

    assert access_of(response.get_json()["token"]) == [SCOPE]


def test_the_record_says_so_when_the_database_is_back(jane: AuthService) -> None:
    jane.make_user("root", administrator=True)
    jane.get_token(SCOPE, user="jane")
    with database_away():
        jane.get_token(SCOPE, user="jane")

    jane.write_notes()

    rows = jane.call("GET", "/api/v1/decisions", user="root").get_json()
    assert sorted(row["degraded"] for row in rows if row["repository"] == "jane/web") == [False, True]


@pytest.mark.parametrize("scope", ["repository:other/web:pull", "repository:jane2/web:pull"])
def test_what_was_not_read_before_is_refused(jane: AuthService, scope: str) -> None:
    jane.get_token(SCOPE, user="jane")

    with database_away():
        response = jane.get_token(scope, user="jane")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("password", ["wrong", "right?"])
def test_nobody_gets_in_with_anything_else(jane: AuthService, password: str) -> None:
    jane.get_token(SCOPE, user="jane")

    with database_away():
        assert jane.get_token(SCOPE, user="jane", password=password).status_code == 503
        assert jane.get_token(SCOPE).status_code == 503


def test_it_ends_after_a_set_time(jane: AuthService) -> None:
    jane.get_token(SCOPE, user="jane")

    with database_away():
        assert jane.get_token(SCOPE, user="jane").status_code == 200
        jane.clock.advance(minutes=5)
        assert jane.get_token(SCOPE, user="jane").status_code == 503


def test_switched_off_means_refused(make_auth: AuthFactory) -> None:
    auth = make_auth(outage_grace=timedelta(0))
    auth.make_user("jane")
    auth.get_token(SCOPE, user="jane")

    with database_away():
        assert auth.get_token(SCOPE, user="jane", service=SERVICE).status_code == 503
