"""The acceptance cases of Portus on tokens and decisions, by their numbers (11.1 to 11.4).

Those that need a client of the registry are in ``tests/e2e``: 37 to 40; a registry that accepts the
token (18, 19) is in ``test_real_registry``.
"""

import pytest
from werkzeug.test import TestResponse

from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy
from services.auth.domain.namespaces import Visibility
from services.auth.domain.teams import Role
from tests.support.auth import (
    PASSWORD,
    SERVICE_ACCOUNT_SECRET,
    AuthFactory,
    AuthService,
    basic,
    claims_of,
)

NAMES = ("admin", "owner", "contrib", "viewer", "other")
X = "repository:n/x"
INTERNAL = {"user": "portus", "password": SERVICE_ACCOUNT_SECRET}


def furnish(auth: AuthService, visibility: Visibility = Visibility.PRIVATE) -> AuthService:
    """T of owner, contrib and viewer has N; other is in no team; everybody has a personal namespace."""
    auth.make_user("admin", administrator=True)
    for name in ("contrib", "viewer", "other"):
        auth.make_user(name)
    team = auth.make_team("T", owner=auth.make_user("owner"), contrib=Role.CONTRIBUTOR, viewer=Role.VIEWER)
    auth.make_namespace("n", team=team, visibility=visibility)
    return auth


@pytest.fixture
def house(auth: AuthService) -> AuthService:
    return furnish(auth)


def granted(auth: AuthService, repository: str, actions: str, user: str | None, **options: str) -> str:
    """Return which of the actions a token holds."""
    access = auth.access(f"repository:{repository}:{actions}", user=user, **options) or []
    return ",".join(scope.rpartition(":")[2] for scope in access)


def who_gets(auth: AuthService, repository: str, actions: str) -> dict[str, str]:
    return {name: granted(auth, repository, actions, name) for name in NAMES}


def test_case_1_a_login_has_no_access_claim(house: AuthService) -> None:
    response = house.get_token(user="owner")

    assert response.status_code == 200
    assert "access" not in claims_of(response.get_json()["token"])


def test_case_2_a_wrong_password(house: AuthService) -> None:
    assert house.get_token(user="owner", password="wrong password").status_code == 401


def test_case_3_an_unknown_name_is_answered_the_same(house: AuthService) -> None:
    unknown = house.get_token(user="nobody", password="wrong password")
    wrong = house.get_token(user="owner", password="wrong password")

    assert (unknown.status_code, unknown.data) == (wrong.status_code, wrong.data)
    assert unknown.status_code == 401


def test_case_5_a_disabled_person(house: AuthService) -> None:
    (owner,) = house.call("GET", "/api/v1/users?username=owner", user="admin").get_json()
    house.call("PUT", f"/api/v1/users/{owner['id']}", user="admin", json={"enabled": False})

    assert house.get_token(user="owner").status_code == 401


def make_token(auth: AuthService, user: str) -> str:
    made = auth.call("POST", "/api/v1/application_tokens", user=user, json={"application": "ci"})
    return str(made.get_json()["plain_token"])


def test_case_7_an_application_token_is_as_good_as_the_password(house: AuthService) -> None:
    assert granted(house, "other/app", "push,pull", "other", password=make_token(house, "other")) == "pull,push"


def test_case_8_neither_a_token_nor_the_password(house: AuthService) -> None:
    good = make_token(house, "other")
    wrong = good[:-1] + ("a" if good[-1] != "a" else "b")

    assert house.get_token(user="other", password=wrong).status_code == 401
    assert house.get_token(user="other", password="wrong password").status_code == 401
    # Somebody else's name with it is no better.
    assert house.get_token(user="owner", password=good).status_code == 401


@pytest.mark.parametrize("user", ["admin", "owner", None])
def test_case_10_an_unknown_service_opens_nothing(house: AuthService, user: str | None) -> None:
    response = house.get_token(f"{X}:pull,push", user=user, service="elsewhere")

    assert (response.status_code, claims_of(response.get_json()["token"])["access"]) == (200, [])


def test_case_12_an_unknown_type(house: AuthService) -> None:
    assert house.get_token("whale:n/x:pull", user="owner").status_code == 401


def test_case_15_two_scopes_of_one_repository_are_one_entry(house: AuthService) -> None:
    assert house.access(f"{X}:push", f"{X}:pull", user="owner") == [f"{X}:pull,push"]


def test_case_17_life_and_name_of_a_token(house: AuthService) -> None:
    answers = [house.get_token(user="owner").get_json() for _ in range(2)]
    first, second = (claims_of(answer["token"]) for answer in answers)

    assert answers[0]["expires_in"] == first["exp"] - first["iat"] == 900
    assert first["nbf"] == first["iat"] - 5
    assert first["jti"] != second["jti"]


def test_case_19_the_issuer_is_as_configured(make_auth: AuthFactory) -> None:
    auth = furnish(make_auth(issuer="https://portus.example.org"))

    assert claims_of(auth.get_token(user="owner").get_json()["token"])["iss"] == "https://portus.example.org"


def test_case_20_the_service_answers_for_a_registry(house: AuthService) -> None:
    def ping(password: str) -> TestResponse:
        return house.client.get("/v2/", headers=basic("owner", password))

    assert (ping(PASSWORD).status_code, ping("wrong password").status_code) == (200, 401)


def test_case_22_each_action_beside_a_wildcard_is_decided_on_its_own(house: AuthService) -> None:
    assert house.access(f"{X}:*,push,pull") == []
    assert house.access(f"{X}:*,push,pull", user="owner") == [f"{X}:pull,push"]


@pytest.mark.parametrize("user", [None, "owner"])
def test_case_23_an_unknown_action_on_the_registry(house: AuthService, user: str | None) -> None:
    assert house.access("registry:catalog:x,*", user=user) == []


def test_case_24_the_oauth_form(house: AuthService) -> None:
    form = {"grant_type": "password", "service": "portus-registry", "username": "owner", "password": PASSWORD}

    answer = house.client.post("/v2/token", data={**form, "client_id": "docker", "scope": f"{X}:pull,push"})

    assert (answer.status_code, answer.get_json()["scope"]) == (200, f"{X}:pull,push")
    assert answer.get_json()["token_type"] == "Bearer"


def test_case_26_everybody_pulls_what_is_public(auth: AuthService) -> None:
    furnish(auth, Visibility.PUBLIC)

    assert granted(auth, "n/x", "pull", None) == "pull"


def test_case_27_whoever_has_signed_in_pulls_what_is_protected(auth: AuthService) -> None:
    furnish(auth, Visibility.PROTECTED)

    assert (granted(auth, "n/x", "pull", None), granted(auth, "n/x", "pull", "other")) == ("", "pull")


def test_case_29_the_global_namespace(house: AuthService) -> None:
    house.set_global_visibility(Visibility.PUBLIC)
    assert granted(house, "app", "pull", None) == "pull"

    house.set_global_visibility(Visibility.PROTECTED)
    assert (granted(house, "app", "pull", None), granted(house, "app", "pull", "other")) == ("", "pull")


def test_case_30_the_internal_account_reads_everything(house: AuthService) -> None:
    for repository in ("n/x", "other/app", "app"):
        assert granted(house, repository, "pull", **INTERNAL) == "pull"


def test_case_31_nobody_gets_into_a_personal_namespace(house: AuthService) -> None:
    assert granted(house, "owner/app", "push,pull", "other") == ""


def test_case_32_teams_push(house: AuthService) -> None:
    assert who_gets(house, "n/x", "pull,push") == {
        "admin": "pull,push",
        "owner": "pull,push",
        "contrib": "pull,push",
        # Asked to push, and nothing of that is granted: the answer says why.
        "viewer": "",
        "other": "",
    }
    assert granted(house, "n/x", "pull", "viewer") == "pull"


def test_case_33_people_push_to_their_own(make_auth: AuthFactory) -> None:
    auth = furnish(make_auth(policy=Policy(push=PushPolicy.ALLOW_PERSONAL)))

    assert granted(auth, "other/app", "push", "other") == "push"
    assert who_gets(auth, "n/x", "push") == {**dict.fromkeys(NAMES, ""), "admin": "push"}
    assert granted(auth, "other/app", "push", "admin") == granted(auth, "app", "push", "admin") == "push"


def test_case_34_only_administrators_push(make_auth: AuthFactory) -> None:
    auth = furnish(make_auth(policy=Policy(push=PushPolicy.ADMIN_ONLY)))

    for repository in ("n/x", "owner/app", "app"):
        assert who_gets(auth, repository, "push") == {**dict.fromkeys(NAMES, ""), "admin": "push"}


def test_case_36_administrators_push_to_the_global_namespace(house: AuthService) -> None:
    assert who_gets(house, "app", "push") == {**dict.fromkeys(NAMES, ""), "admin": "push"}


def test_case_42_public_is_no_right_to_push(auth: AuthService) -> None:
    furnish(auth, Visibility.PUBLIC)

    assert granted(auth, "n/x", "push", "other") == granted(auth, "n/x", "push", None) == ""


def test_case_43_owners_delete(make_auth: AuthFactory) -> None:
    auth = furnish(make_auth(policy=Policy(delete=DeletePolicy.OWNERS)))

    for action in ("delete", "*"):
        expected = {**dict.fromkeys(NAMES, ""), "admin": action, "owner": action}
        assert who_gets(auth, "n/x", action) == expected


def test_case_44_contributors_delete_if_they_may(make_auth: AuthFactory) -> None:
    owners = furnish(make_auth(policy=Policy(delete=DeletePolicy.OWNERS)))
    contributors = make_auth(policy=Policy(delete=DeletePolicy.CONTRIBUTORS))

    assert granted(owners, "n/x", "delete", "contrib") == ""
    assert granted(contributors, "n/x", "delete", "contrib") == "delete"
    assert granted(contributors, "n/x", "delete", "viewer") == ""


def test_case_45_nobody_deletes_where_it_is_off(house: AuthService) -> None:
    for action in ("delete", "*"):
        assert who_gets(house, "n/x", action) == dict.fromkeys(NAMES, "")


def test_case_47_the_catalogue_of_the_registry(house: AuthService) -> None:
    scope = "registry:catalog:*"

    assert house.access(scope, user="admin") == house.access(scope, **INTERNAL) == [scope]
    for user in ("owner", "other", None):
        assert house.access(scope, user=user) == []


def test_case_48_deciding_on_deletions_works_where_contributors_delete(make_auth: AuthFactory) -> None:
    auth = furnish(make_auth(policy=Policy(delete=DeletePolicy.CONTRIBUTORS)))

    teams = auth.call("GET", "/api/v1/teams", user="contrib").get_json()
    (namespace,) = auth.call("GET", "/api/v1/namespaces?name=n", user="contrib").get_json()

    assert [(team["name"], team["destroyable"]) for team in teams] == [("T", False)]
    assert namespace["destroyable"] is True
    (as_viewer,) = auth.call("GET", "/api/v1/namespaces?name=n", user="viewer").get_json()
    assert as_viewer["destroyable"] is False
