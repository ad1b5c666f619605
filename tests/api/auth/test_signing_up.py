"""People make their own accounts, where the operator lets them, and are nobody special."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.auth.domain.throttle import SIGN_UP_LIMIT
from tests.support.auth import PASSWORD, AuthFactory, AuthService, assert_problem

NEW = {"username": "jane", "email": "jane@example.org", "password": PASSWORD}


@pytest.fixture
def auth(make_auth: AuthFactory) -> AuthService:
    """An installation in which people sign up, and which has its administrator."""
    auth = make_auth(signup=True)
    auth.make_user("admin", administrator=True)
    return auth


def sign_up(auth: AuthService, **values: Any) -> TestResponse:
    return auth.call("POST", "/api/v1/users/signup", json={**NEW, **values})


@pytest.mark.parametrize("wrapped", [False, True], ids=["flat", "nested"])
def test_who_signs_up_has_an_account_and_a_namespace(auth: AuthService, wrapped: bool) -> None:
    response = auth.call("POST", "/api/v1/users/signup", json={"user": NEW} if wrapped else NEW)

    made = response.get_json()
    assert (response.status_code, made["admin"], made["auditor"], made["bot"]) == (201, False, False, False)
    assert made["namespace"]["name"] == "jane"
    assert auth.access("repository:jane/x:pull,push", user="jane") == ["repository:jane/x:pull,push"]
    assert auth.call("GET", "/api/v1/users", user="jane").status_code == 403


def test_everybody_is_told_whether_people_sign_up(make_auth: AuthFactory) -> None:
    assert make_auth(signup=True).call("GET", "/api/v1/setup").get_json()["signup"] is True
    assert make_auth(signup=False).call("GET", "/api/v1/setup").get_json()["signup"] is False


def test_nobody_signs_up_where_it_is_switched_off(make_auth: AuthFactory) -> None:
    auth = make_auth(signup=False)

    assert_problem(sign_up(auth), 403, "ask an administrator")
    auth.make_user("admin", administrator=True)
    assert [user["username"] for user in auth.call("GET", "/api/v1/users", user="admin").get_json()] == ["admin"]


@pytest.mark.parametrize("first_user_admin", [True, False])
@pytest.mark.parametrize("field", ["admin", "administrator", "auditor", "bot"])
def test_nobody_makes_themselves_more_than_a_person(make_auth: AuthFactory, first_user_admin: bool, field: str) -> None:
    """Portus took a hidden field for it while there was no administrator, whatever the switch said."""
    auth = make_auth(signup=True, first_user_admin=first_user_admin)

    for body in ({**NEW, field: True}, {"user": {**NEW, field: True}}):
        refused = auth.call("POST", "/api/v1/users/signup", json=body)
        assert field in assert_problem(refused, 422)["errors"]


@pytest.mark.parametrize("first_user_admin", [True, False])
def test_the_first_person_of_all_is_administrator_if_the_switch_says_so(
    make_auth: AuthFactory, first_user_admin: bool
) -> None:
    auth = make_auth(signup=True, first_user_admin=first_user_admin)

    first = sign_up(auth).get_json()
    second = sign_up(auth, username="joe", email="joe@example.org").get_json()

    assert (first["admin"], second["admin"]) == (first_user_admin, False)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"email": "nonsense"}, "email", id="no e-mail address"),
        pytest.param({"username": "admin"}, "username", id="a taken name"),
        pytest.param({"username": "portus"}, "username", id="the reserved name"),
        pytest.param({"username": "!!!"}, "username", id="case 84: a name without a namespace"),
        pytest.param({"password": "short"}, "password", id="a short password"),
    ],
)
def test_unusable_values_are_told_by_field(auth: AuthService, changes: dict[str, Any], field: str) -> None:
    assert field in assert_problem(sign_up(auth, **changes), 422)["errors"]


def test_one_address_makes_a_few_accounts_and_then_waits(auth: AuthService) -> None:
    """Attempts count whether they succeed or not: nobody tries out which names exist."""
    for number in range(SIGN_UP_LIMIT.free_failures - 1):
        assert sign_up(auth, username=f"jane{number}", email=f"jane{number}@example.org").status_code == 201

    assert sign_up(auth, username="admin").status_code == 422
    refused = sign_up(auth, username="late", email="late@example.org")

    assert_problem(refused, 429, "Too many attempts to sign up")
    assert int(refused.headers["Retry-After"]) > 0
    assert auth.call("POST", "/api/v1/sessions", json={"username": "admin", "password": PASSWORD}).status_code == 201


def test_the_audit_trail_tells_of_it(auth: AuthService) -> None:
    sign_up(auth)

    newest, *_others = auth.call("GET", "/api/v1/audit?action=user.created", user="admin").get_json()
    assert newest["target"]["name"] == "jane"
