"""What was a hole in SUSE Portus is none here: one test for each that concerns ``auth``.

Signing up as administrator through a hidden field is in ``test_signing_up``; the open webhook is the
notifier's (``test_accepting``), starring what is private the catalogue's (``test_people``).
"""

from typing import Any

import pytest

from services.auth.domain.teams import Role
from tests.support.auth import PASSWORD, AuthService, assert_problem, claims_of


@pytest.fixture
def house(auth: AuthService) -> AuthService:
    auth.make_user("admin", administrator=True)
    people = {name: auth.make_user(name) for name in ("owner", "viewer", "other")}
    team = auth.make_team("secret-team", owner=people["owner"], viewer=Role.VIEWER)
    auth.make_namespace("hush", team=team)
    return auth


def user_id(auth: AuthService, name: str) -> int:
    (found,) = auth.call("GET", f"/api/v1/users?username={name}", user="admin").get_json()
    return int(found["id"])


def make_token(auth: AuthService, user: str) -> dict[str, Any]:
    return dict(auth.call("POST", "/api/v1/application_tokens", user=user, json={"application": "ci"}).get_json())


@pytest.mark.parametrize("account", ["admin", "owner", "", "nobody"])
def test_the_account_of_a_request_is_not_who_pushes(house: AuthService, account: str) -> None:
    """The registry reports ``sub`` as the actor of its events; Portus copied it from the query."""
    asked = house.get_token("repository:other/x:push", user="other", query={"account": account})
    assert claims_of(asked.get_json()["token"])["sub"] == "other"

    anonymous = house.get_token(query={"account": account})
    assert claims_of(anonymous.get_json()["token"])["sub"] == ""


@pytest.mark.parametrize("user", [None, "other"])
@pytest.mark.parametrize(
    "scope",
    [
        "repository:hush/x:*,push,pull",
        "repository:hush/x:*,pull",
        "repository:hush/x:push,*,pull,delete",
        "repository:free/x:*,push,pull",
        "registry:catalog:x,*",
        "registry:catalog:*,x",
        "registry:other:*",
    ],
)
def test_no_action_gets_by_in_the_company_of_another(house: AuthService, user: str | None, scope: str) -> None:
    assert house.access(scope, user=user) == []


def test_a_disabled_person_is_out_with_an_application_token_too(house: AuthService) -> None:
    token = make_token(house, "other")["plain_token"]
    headers = {"Portus-Auth": f"other:{token}"}
    assert house.client.get("/api/v1/users/self", headers=headers).status_code == 200

    house.call("PUT", f"/api/v1/users/{user_id(house, 'other')}", user="admin", json={"enabled": False})

    assert_problem(house.client.get("/api/v1/users/self", headers=headers), 401)
    assert house.get_token(user="other", password=token).status_code == 401


def test_no_cookie_says_who_is_calling(house: AuthService) -> None:
    """So no page of another site can write in somebody's name."""
    opened = house.client.post("/api/v1/sessions", json={"username": "admin", "password": PASSWORD})
    assert "Set-Cookie" not in opened.headers

    client = house.client
    for name in ("_portus_session", "session", "access_token"):
        client.set_cookie(name, opened.get_json()["access_token"])
    body = {"user": {"username": "new", "email": "new@example.org", "password": PASSWORD}}

    assert_problem(client.post("/api/v1/users", json=body), 401)


def test_nobody_lists_the_tokens_of_another_person(house: AuthService) -> None:
    make_token(house, "owner")

    for name in ("owner", "admin"):
        path = f"/api/v1/users/{user_id(house, name)}/application_tokens"
        assert_problem(house.call("GET", path, user="other"), 403)


@pytest.mark.parametrize(("maker", "victim"), [("other", "admin"), ("other", "owner"), ("admin", "owner")])
def test_nobody_makes_a_token_for_another_person(house: AuthService, maker: str, victim: str) -> None:
    path = f"/api/v1/users/{user_id(house, victim)}/application_tokens"

    refused = house.call("POST", path, user=maker, json={"application": "mine"})

    assert_problem(refused, 403)
    assert "plain_token" not in refused.text
    assert house.call("GET", "/api/v1/application_tokens", user=victim).get_json() == []


def test_the_typeahead_offers_no_team_that_one_is_not_in(house: AuthService) -> None:
    def offered(user: str, beginning: str) -> list[str]:
        answer = house.call("GET", f"/api/v1/teams/typeahead/{beginning}", user=user).get_json()
        return [team["name"] for team in answer]

    assert offered("owner", "secret") == ["secret-team"]
    assert offered("other", "secret") == []
    # Hidden ones stand behind people: not even their own is offered.
    assert offered("other", "other") == offered("owner", "viewer") == []


@pytest.mark.parametrize("route", ["create", "transfer"])
def test_a_team_that_one_is_not_in_is_like_one_that_is_not_there(house: AuthService, route: str) -> None:
    def answer(team: str) -> tuple[int, Any]:
        if route == "create":
            refused = house.call("POST", "/api/v1/namespaces", user="other", json={"name": "fresh", "team": team})
        else:
            mine = house.call("GET", "/api/v1/users/self", user="other").get_json()["namespace_id"]
            refused = house.call("PUT", f"/api/v1/namespaces/{mine}", user="other", json={"team": team})
        return refused.status_code, refused.get_json()["message"]

    status, message = answer("secret-team")

    assert (status, message) == answer("no-such-team")
    assert status in (403, 404)
    assert "secret-team" not in str(message)


def test_a_name_that_is_private_is_like_one_that_is_not_there(house: AuthService) -> None:
    def refusal(repository: str) -> str:
        answer = house.get_token(f"repository:{repository}:pull,push", user="other")
        assert answer.status_code == 401
        return (
            answer.text.partition("; see ")[0].replace(repository, "NAME").replace(repository.partition("/")[0], "NAME")
        )

    assert refusal("hush/x") == refusal("free/x")


def test_health_is_told_without_work_and_without_secrets(house: AuthService) -> None:
    """Portus forked a process for every anonymous call; see also ``test_about``."""
    answer = house.client.get("/api/v1/health")

    assert set(answer.get_json()) == {"database", "registry"}
    settings = house.services.settings
    for secret in (settings.database_url, settings.internal_secret, settings.service_account_secret):
        assert secret.reveal() not in answer.text
