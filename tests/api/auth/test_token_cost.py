"""What one token costs: one read, no write, and one slow hash for a whole push."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.support.auth import PASSWORD, SERVICE, AuthFactory, AuthService, assert_problem, basic
from tests.support.machines import make_grant, make_robot, make_token
from tests.support.statements import database_away, statements

SCOPES = ("repository:jane/web:pull,push", "repository:team-a/base:pull")


@pytest.fixture
def jane(auth: AuthService) -> AuthService:
    auth.make_user("jane")
    return auth


@pytest.fixture(params=["anonymous", "password", "application token", "robot"])
def login(request: pytest.FixtureRequest, auth: AuthService) -> dict[str, str]:
    """The header with which each kind of caller asks."""
    jane = auth.make_user("jane")
    if request.param == "anonymous":
        return {}
    if request.param == "password":
        return basic("jane")
    machine = make_robot(auth) if request.param == "robot" else make_token(auth, jane)
    if request.param == "robot":
        # It has nothing but its grants, and whoever is refused pays for a second read.
        make_grant(auth, "pull", "push", robot_id=machine.id)
    return basic(machine.username, machine.secret)


def test_a_token_costs_one_read_and_no_write(auth: AuthService, login: dict[str, str]) -> None:
    query = [("service", SERVICE), *(("scope", scope) for scope in SCOPES)]
    auth.client.get("/v2/token", query_string=query, headers=login)

    with statements() as seen:
        assert auth.client.get("/v2/token", query_string=query, headers=login).status_code == 200

    (statement,) = seen
    assert statement.lstrip().startswith("SELECT")


def test_the_requests_of_one_push_cost_one_slow_hash(jane: AuthService) -> None:
    """docker asks once, then once per layer, all at the same time."""
    with ThreadPoolExecutor(4) as threads:
        first = jane.get_token(SCOPES[0], user="jane").status_code
        others = list(threads.map(lambda _: jane.get_token(*SCOPES, user="jane").status_code, range(4)))

    assert [first, *others] == [200] * 5
    assert jane.hasher.checks == 1


def test_a_password_is_hashed_again_after_a_minute(jane: AuthService) -> None:
    jane.get_token(user="jane")
    jane.clock.advance(seconds=61)

    jane.get_token(user="jane")

    assert jane.hasher.checks == 2


@pytest.mark.parametrize("user", ["jane", "nobody"])
def test_an_unknown_name_costs_as_much_as_a_known_one(jane: AuthService, user: str) -> None:
    jane.get_token(user=user, password="not the password")

    assert jane.hasher.checks == 1


def test_the_internal_account_costs_no_slow_hash(jane: AuthService) -> None:
    secret = jane.services.settings.service_account_secret.reveal()

    assert jane.get_token(user="portus", password=secret).status_code == 200
    assert jane.hasher.checks == 0


def test_a_scope_that_cannot_be_understood_costs_nothing(jane: AuthService) -> None:
    with statements() as seen:
        jane.get_token("whale:a/b:pull", user="jane")

    assert seen == []
    assert jane.hasher.checks == 0


def test_a_database_that_is_away_is_503_for_a_while(make_auth: AuthFactory) -> None:
    auth = make_auth(outage_grace=timedelta(0))
    auth.get_token()
    form = {"grant_type": "password", "username": "jane", "password": PASSWORD, "service": SERVICE}

    with database_away():
        got = auth.get_token("repository:a/b:pull", user="jane")
        posted = auth.client.post("/v2/token", data=form)
        api = auth.client.get("/api/v1/users/self", headers=basic("jane"))

    assert got.get_json()["errors"][0]["code"] == "UNAVAILABLE"
    assert posted.get_json()["error"] == "temporarily_unavailable"
    assert_problem(api, 503)
    for response in (got, posted, api):
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "5"
        assert not {"secret_column", "192.0.2.9", "Traceback"} & set(response.get_data(as_text=True).split())
