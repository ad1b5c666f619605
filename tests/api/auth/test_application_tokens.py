"""Application tokens: acceptance cases 122 to 127, and what Portus got wrong (W3, W4, W18)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from services.auth.domain.application_tokens import MAX_NARROWED_NAMESPACES, TokenRules
from services.auth.domain.decisions import DeletePolicy, Policy
from services.auth.domain.namespaces import Visibility
from services.auth.domain.secrets import SecretKind, kind_of
from services.auth.domain.teams import Role
from services.auth.storage.application_tokens import TOKENS
from services.auth.storage.tables import application_tokens, audit_entries, users
from services.auth.storage.users import UserView
from tests.support.auth import AuthFactory, AuthService, assert_problem, audit_entries_of

PATH = "/api/v1/application_tokens"


@pytest.fixture
def people(auth: AuthService) -> dict[str, UserView]:
    """Jane and Kim; an administrator; an auditor; a bot."""
    found = {name: auth.make_user(name) for name in ("jane", "kim", "auditor", "bot")}
    with auth.database.write() as connection:
        connection.execute(update(users).where(users.c.username == "auditor").values(auditor=True))
        connection.execute(update(users).where(users.c.username == "bot").values(bot=True, password_hash=None))
    return {**found, "admin": auth.make_user("admin", administrator=True)}


def post(auth: AuthService, user: str = "jane", *, path: str = PATH, **body: Any) -> TestResponse:
    return auth.call("POST", path, user=user, json={"application": "ci", **body})


def make(auth: AuthService, user: str = "jane", **body: Any) -> dict[str, Any]:
    response = post(auth, user, **body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.get_json()
    return made


def of(user: UserView) -> str:
    return f"/api/v1/users/{user.id}/application_tokens"


def portus_header(auth: AuthService, user: str, secret: str) -> TestResponse:
    return auth.call("GET", "/api/v1/users/self", headers={"Portus-Auth": f"{user}:{secret}"})


def test_case_122_enough_tokens_and_their_names(make_auth: AuthFactory) -> None:
    auth = make_auth(application_tokens=TokenRules(limit=5))
    auth.make_user("jane")
    auth.make_user("kim")

    made = [post(auth, application=f"app {number}").status_code for number in range(5)]

    assert made == [201] * 5
    assert_problem(post(auth, application="one more"), 422, "5 are allowed")
    assert_problem(post(auth, application="app 1"), 422, "already been taken")
    assert post(auth, "kim", application="app 1").status_code == 201


def test_case_123_the_plain_token_is_shown_once_and_works_for_docker_and_the_api(
    auth: AuthService, people: dict[str, UserView]
) -> None:
    made = make(auth)

    secret = made["plain_token"]
    assert kind_of(secret) is SecretKind.APPLICATION_TOKEN
    assert (made["application"], made["user"]) == ("ci", {"id": people["jane"].id, "username": "jane"})
    (shown,) = auth.call("GET", PATH, user="jane").get_json()
    assert shown == {name: value for name, value in made.items() if name != "plain_token"}
    assert auth.access("repository:jane/app:pull,push", user="jane", password=secret) == [
        "repository:jane/app:pull,push"
    ]
    assert portus_header(auth, "jane", secret).get_json()["username"] == "jane"
    assert auth.call("GET", "/api/v1/users/self", user="Jane", password=secret).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/users/application_tokens/{id}", PATH + "/{id}"], ids=["Portus", "ours"])
def test_case_124_a_deleted_token_opens_nothing_at_once(
    auth: AuthService, people: dict[str, UserView], path: str
) -> None:
    made = make(auth)
    assert auth.get_token(user="jane", password=made["plain_token"]).status_code == 200

    gone = auth.call("DELETE", path.format(**made), user="jane")

    assert gone.status_code == 204
    assert auth.get_token(user="jane", password=made["plain_token"]).status_code == 401
    assert_problem(portus_header(auth, "jane", made["plain_token"]), 401)


def test_case_125_administrators_make_and_delete_tokens_of_bots(auth: AuthService, people: dict[str, UserView]) -> None:
    made = make(auth, "admin", path=of(people["bot"]))

    assert made["created_by"] == "admin"
    assert auth.get_token(user="bot", password=made["plain_token"]).status_code == 200
    assert auth.call("DELETE", f"/api/v1/users/application_tokens/{made['id']}", user="admin").status_code == 204
    assert auth.get_token(user="bot", password=made["plain_token"]).status_code == 401


def test_case_127_a_disabled_person_s_token_opens_nothing(auth: AuthService, people: dict[str, UserView]) -> None:
    """W4: Portus went on serving its API to disabled people."""
    secret = make(auth)["plain_token"]

    auth.call("PUT", f"/api/v1/users/{people['jane'].id}", user="admin", json={"enabled": False})

    assert_problem(portus_header(auth, "jane", secret), 401)
    assert_problem(auth.call("GET", "/api/v1/users/self", user="jane", password=secret), 401)
    assert auth.get_token(user="jane", password=secret).status_code == 401
    assert auth.call("GET", "/v2/", user="jane", password=secret).status_code == 401


def test_w3_nobody_lists_or_makes_another_person_s_tokens(auth: AuthService, people: dict[str, UserView]) -> None:
    token = make(auth)

    for target in (people["jane"].id, people["admin"].id, 99_999):
        path = f"/api/v1/users/{target}/application_tokens"
        assert_problem(auth.call("GET", path, user="kim"), 403)
        assert_problem(post(auth, "kim", path=path), 403)
    for target in (token["id"], 99_999):
        assert_problem(auth.call("GET", f"{PATH}/{target}", user="kim"), 404)
        assert_problem(auth.call("DELETE", f"{PATH}/{target}", user="kim"), 404)
        assert_problem(auth.call("DELETE", f"/api/v1/users/application_tokens/{target}", user="kim"), 404)
    assert auth.get_token(user="jane", password=token["plain_token"]).status_code == 200


def test_w3_an_administrator_lists_and_revokes_and_makes_none_for_a_person(
    auth: AuthService, people: dict[str, UserView]
) -> None:
    token = make(auth)

    assert_problem(post(auth, "admin", path=of(people["jane"])), 403, "for themselves")
    listed = auth.call("GET", of(people["jane"]), user="admin").get_json()
    assert [(one["id"], "plain_token" in one) for one in listed] == [(token["id"], False)]
    assert auth.call("DELETE", f"{PATH}/{token['id']}", user="admin").status_code == 204


def test_an_administrator_learns_that_there_is_no_such_account(auth: AuthService, people: dict[str, UserView]) -> None:
    path = "/api/v1/users/99999/application_tokens"

    assert_problem(auth.call("GET", path, user="admin"), 404)
    assert_problem(post(auth, "admin", path=path), 404)


def test_an_auditor_sees_tokens_and_revokes_only_their_own(auth: AuthService, people: dict[str, UserView]) -> None:
    token, own = make(auth), make(auth, "auditor")

    assert auth.call("GET", of(people["jane"]), user="auditor").get_json()[0]["id"] == token["id"]
    assert_problem(auth.call("DELETE", f"{PATH}/{token['id']}", user="auditor"), 403)
    assert_problem(post(auth, "auditor", path=of(people["bot"])), 403)
    assert auth.call("DELETE", f"{PATH}/{own['id']}", user="auditor").status_code == 204


def test_w18_a_token_costs_no_slow_hash_however_many_there_are(auth: AuthService, people: dict[str, UserView]) -> None:
    secrets = [make(auth, application=f"app {number}")["plain_token"] for number in range(5)]
    auth.clock.advance(hours=1)
    checks = auth.hasher.checks

    for secret in secrets:
        assert auth.get_token(user="jane", password=secret).status_code == 200
    assert auth.get_token(user="jane", password=secrets[0][:-1]).status_code == 401
    assert auth.hasher.checks == checks + 1

    assert auth.get_token(user="jane").status_code == 200
    assert auth.hasher.checks == checks + 2


def test_w18_a_token_ends_when_it_was_said_to(auth: AuthService, people: dict[str, UserView]) -> None:
    secret = make(auth, ttl_s=3600)["plain_token"]
    auth.clock.advance(seconds=3599)
    assert auth.get_token(user="jane", password=secret).status_code == 200

    auth.clock.advance(seconds=1)

    assert auth.get_token(user="jane", password=secret).status_code == 401
    assert_problem(portus_header(auth, "jane", secret), 401)
    assert [one["expired"] for one in auth.call("GET", PATH, user="jane").get_json()] == [True]


def test_a_moment_may_be_named_instead_of_a_time(auth: AuthService, people: dict[str, UserView]) -> None:
    moment = (auth.clock() + timedelta(days=1)).isoformat()

    assert make(auth, expires_at=moment)["expires_at"] == moment


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"ttl_s": 0}, id="no time"),
        pytest.param({"ttl_s": 60, "expires_at": "2999-01-01T00:00:00Z"}, id="both"),
        pytest.param({"expires_at": "2001-01-01T00:00:00Z"}, id="the past"),
        pytest.param({"expires_at": "9999-12-31T23:59:59-23:59"}, id="outside the calendar"),
        pytest.param({"application": ""}, id="no name"),
        pytest.param({"application": "x" * 256}, id="a long name"),
        pytest.param({"application": "a\nb"}, id="a line end"),
        pytest.param({"actions": []}, id="no action"),
        pytest.param({"actions": ["*"]}, id="an unknown action"),
        pytest.param({"namespaces": []}, id="no namespace"),
        pytest.param({"namespaces": ["x"] * (MAX_NARROWED_NAMESPACES + 1)}, id="many namespaces"),
        pytest.param({"namespaces": ["nowhere"]}, id="an unknown namespace"),
        pytest.param({"namespaces": ["a b"]}, id="no namespace's name"),
        pytest.param({"admin": True}, id="an unknown field"),
    ],
)
def test_what_will_not_do(auth: AuthService, people: dict[str, UserView], body: dict[str, Any]) -> None:
    assert_problem(post(auth, **body), 422, next(iter(body)))


def test_the_operator_s_ceiling_holds_for_everybody(make_auth: AuthFactory) -> None:
    auth = make_auth(application_tokens=TokenRules(max_ttl=timedelta(days=30)))
    auth.make_user("jane")
    latest = auth.clock() + timedelta(days=30)

    assert_problem(post(auth, ttl_s=30 * 86400 + 1), 422, "2592000 seconds")
    assert make(auth, ttl_s=30 * 86400)["expires_at"] == latest.isoformat()
    # Scripts written for Portus ask for no end.
    assert make(auth, application="another")["expires_at"] == latest.isoformat()


def test_those_that_end_soon_are_found(auth: AuthService, people: dict[str, UserView]) -> None:
    for application, days in (("over", 1), ("soon", 10), ("late", 100)):
        make(auth, application=application, ttl_s=days * 86400)
    make(auth, application="never")
    auth.clock.advance(days=2)

    soon = (auth.clock() + timedelta(days=14)).isoformat()
    query = {"expires_at_until": soon, "expired": "false"}
    found = auth.call("GET", PATH, user="jane", query_string=query).get_json()

    assert [one["application"] for one in found] == ["soon"]
    (over,) = auth.call("GET", PATH, user="jane", query_string={"expired": "true"}).get_json()
    assert over["application"] == "over"


@pytest.mark.parametrize("name", TOKENS.columns)
def test_every_documented_column_sorts(auth: AuthService, people: dict[str, UserView], name: str) -> None:
    for number in range(3):
        make(auth, application=f"app {number}", ttl_s=60 * 10**number)
    auth.clock.advance(minutes=5)

    forth, back = (
        [
            row["id"]
            for row in auth.call(
                "GET", PATH, user="jane", query_string={"sort_attr": name, "sort_order": order}
            ).get_json()
        ]
        for order in ("asc", "desc")
    )

    assert len(forth) == 3
    assert forth == back[::-1]


def test_a_token_is_narrowed_to_actions(make_auth: AuthFactory) -> None:
    auth = make_auth(policy=Policy(delete=DeletePolicy.OWNERS), explain_refusals=False)
    auth.make_user("jane")
    made = make(auth, actions=["pull"])

    assert made["actions"] == ["pull"]
    granted = auth.access("repository:jane/app:delete,pull,push", user="jane", password=made["plain_token"])
    assert granted == ["repository:jane/app:pull"]


def test_a_token_is_narrowed_to_namespaces(auth: AuthService, people: dict[str, UserView]) -> None:
    team = auth.make_team(owner=people["jane"])
    for name in ("team-a", "team-b"):
        auth.make_namespace(name, team=team)
    made = make(auth, namespaces=["team-a"])

    scopes = ("repository:team-a/app:push", "repository:team-b/app:push", "repository:jane/app:push")
    granted = auth.access(*scopes, user="jane", password=made["plain_token"])

    assert made["namespaces"] == ["team-a"]
    assert granted == ["repository:team-a/app:push"]


def test_the_global_namespace_goes_by_the_registry_s_host(auth: AuthService, people: dict[str, UserView]) -> None:
    made = make(auth, namespaces=["registry.example.org"])

    assert made["namespaces"] == ["registry.example.org"]
    scopes = ("repository:alpine:pull", "repository:jane/app:pull")
    assert auth.access(*scopes, user="jane", password=made["plain_token"]) == ["repository:alpine:pull"]


def test_a_namespace_that_the_maker_may_not_see_is_none(auth: AuthService, people: dict[str, UserView]) -> None:
    """Nobody tries out private names: what exists is answered like what does not."""
    auth.make_namespace("secret", team=auth.make_team(owner=people["kim"]))

    private, missing = (post(auth, namespaces=[name]) for name in ("secret", "nowhere"))

    assert private.status_code == missing.status_code == 422
    assert private.text.replace("secret", "nowhere").split("request_id")[0] == missing.text.split("request_id")[0]


def test_a_grant_s_namespace_can_be_named(auth: AuthService, people: dict[str, UserView]) -> None:
    team = auth.make_team(owner=people["kim"], jane=Role.VIEWER)
    auth.make_namespace("shared", team=team)
    auth.make_namespace("open", team=team, visibility=Visibility.PUBLIC)

    assert make(auth, namespaces=["shared", "open"])["namespaces"] == ["open", "shared"]


def test_a_narrowed_token_is_for_the_registry_only_and_makes_no_other(
    auth: AuthService, people: dict[str, UserView]
) -> None:
    secret = make(auth, actions=["pull"])["plain_token"]

    response = auth.call("POST", PATH, user="jane", password=secret, json={"application": "wide"})

    assert_problem(response, 403, "narrowed")
    assert len(auth.call("GET", PATH, user="jane").get_json()) == 1


def test_secrets_are_kept_out_of_the_database_and_of_caches(auth: AuthService, people: dict[str, UserView]) -> None:
    response = post(auth, ttl_s=60)

    secret = response.get_json()["plain_token"]
    with auth.database.read() as connection:
        kept = [*connection.execute(select(application_tokens)), *connection.execute(select(audit_entries))]
    assert secret not in str(kept)
    assert response.headers["Cache-Control"] == "no-store"
    assert auth.call("GET", PATH, user="jane").headers["Cache-Control"] == "no-store"


def test_making_and_revoking_leave_entries_in_the_audit_trail(auth: AuthService, people: dict[str, UserView]) -> None:
    made = make(auth, actions=["pull"], ttl_s=60)
    auth.call("DELETE", f"{PATH}/{made['id']}", user="admin")

    created, revoked = audit_entries_of(auth, "token")
    assert (created["action"], created["actor"], created["user"]["name"]) == ("token.created", "jane", "jane")
    assert (created["after"]["name"], created["after"]["actions"]) == ("ci", ["pull"])
    assert (revoked["action"], revoked["actor"], revoked["user"]["name"]) == ("token.revoked", "admin", "jane")


def test_a_refused_token_leaves_nothing(auth: AuthService, people: dict[str, UserView]) -> None:
    make(auth)

    assert_problem(post(auth), 422)

    with auth.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(application_tokens)).scalar_one() == 1
