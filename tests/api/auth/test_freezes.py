"""Freezing by hand: nobody pushes, everybody who tries is told why, and pulls go on."""

from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from services.auth.domain.freezes import MAX_FREEZES
from services.auth.domain.teams import Role
from services.auth.storage.tables import outbox
from tests.support.auth import AuthService, assert_problem, audit_entries_of
from tests.support.machines import freeze as put_frozen

RELEASE = "release 2.0 is being tested"


@pytest.fixture
def team(auth: AuthService) -> AuthService:
    """Namespace ``team-a`` of a team with an owner, a contributor and a viewer; joe is in no team."""
    auth.make_user("admin", administrator=True)
    people = {name: auth.make_user(name) for name in ("olga", "carl", "vera", "joe")}
    made = auth.make_team("team-a", owner=people["olga"], carl=Role.CONTRIBUTOR, vera=Role.VIEWER)
    auth.make_namespace("team-a", team=made)
    return auth


def namespace_id(auth: AuthService) -> int:
    (found,) = auth.call("GET", "/api/v1/namespaces?name=team-a", user="admin").get_json()
    return int(found["id"])


def path_of(auth: AuthService) -> str:
    return f"/api/v1/namespaces/{namespace_id(auth)}/freezes"


def freeze(auth: AuthService, *, user: str = "olga", reason: str = RELEASE, **values: Any) -> TestResponse:
    return auth.call("POST", path_of(auth), user=user, json={"reason": reason, **values})


def refusal(auth: AuthService, repository: str, user: str = "carl") -> str:
    response = auth.get_token(f"repository:{repository}:pull,push", user=user)
    return "" if response.status_code == 200 else response.text


def shown(auth: AuthService, user: str = "vera") -> Any:
    return auth.call("GET", path_of(auth).removesuffix("/freezes"), user=user).get_json()["frozen"]


def test_nobody_pushes_to_a_frozen_namespace_and_all_are_told_why(team: AuthService) -> None:
    made = freeze(team)

    assert (made.status_code, made.get_json()["repository"], made.get_json()["created_by"]) == (201, None, "olga")
    for user in ("carl", "olga", "admin"):
        assert RELEASE in refusal(team, "team-a/app", user)
    assert team.access("repository:team-a/app:pull", user="carl") == ["repository:team-a/app:pull"]
    assert shown(team) == {"reason": RELEASE, "created_by": "olga"}


def test_it_ends(team: AuthService) -> None:
    made = freeze(team)

    assert team.call("DELETE", made.headers["Location"], user="olga").status_code == 204

    assert refusal(team, "team-a/app") == ""
    assert shown(team) is None
    assert_problem(team.call("GET", made.headers["Location"], user="olga"), 404)


def test_a_repository_is_frozen_alone(team: AuthService) -> None:
    freeze(team, repository="team-a/app")

    assert RELEASE in refusal(team, "team-a/app")
    assert refusal(team, "team-a/app2") == refusal(team, "team-a/app/nested") == ""
    assert shown(team) is None


def test_the_reason_changes(team: AuthService) -> None:
    made = freeze(team)
    seen = team.call("GET", made.headers["Location"], user="vera")

    changed = team.call("PUT", made.headers["Location"], user="olga", json={"reason": "an audit"})

    assert changed.get_json()["reason"] == "an audit"
    assert "an audit" in refusal(team, "team-a/app")
    headers = {"If-Match": seen.headers["ETag"]}
    late = team.call("PUT", made.headers["Location"], user="olga", json={"reason": "late"}, headers=headers)
    assert_problem(late, 412)


def test_the_list_is_for_the_team(team: AuthService) -> None:
    freeze(team)
    freeze(team, repository="team-a/secret", reason="z")
    team.make_user("auditor", auditor=True)

    for user in ("vera", "auditor", "admin"):
        rows = team.call("GET", f"{path_of(team)}?sort_attr=repository&sort_order=asc", user=user).get_json()
        assert [row["repository"] for row in rows] == [None, "team-a/secret"]
    assert_problem(team.call("GET", path_of(team), user="joe"), 404)
    team.call("PUT", path_of(team).removesuffix("/freezes"), user="olga", json={"visibility": "protected"})
    assert_problem(team.call("GET", path_of(team), user="joe"), 403)
    assert team.call("GET", f"{path_of(team)}?repository=team-a/secret", user="vera").get_json()[0]["reason"] == "z"


@pytest.mark.parametrize("user", ["carl", "vera"])
def test_only_owners_and_administrators_freeze(team: AuthService, user: str) -> None:
    assert_problem(freeze(team, user=user), 403, "owners")
    assert freeze(team, user="admin").status_code == 201


@pytest.mark.parametrize(
    ("values", "field"),
    [
        pytest.param({"reason": ""}, "reason", id="no reason"),
        pytest.param({"reason": "x" * 1001}, "reason", id="a long reason"),
        pytest.param({"reason": "a\nb"}, "reason", id="a line end"),
        pytest.param({"repository": "other/app"}, "repository", id="another namespace"),
        pytest.param({"repository": "app"}, "repository", id="the global namespace"),
        pytest.param({"repository": "team-a"}, "repository", id="no repository"),
        pytest.param({"repository": "team-a/"}, "repository", id="an empty component"),
        pytest.param({"repository": "team-a/UP"}, "repository", id="outside the grammar"),
        pytest.param({"repository": "team-a/" + "x" * 255}, "repository", id="too long"),
    ],
)
def test_unusable_values_are_told_by_field(team: AuthService, values: dict[str, Any], field: str) -> None:
    assert field in assert_problem(freeze(team, **values), 422)["errors"]
    assert team.call("GET", path_of(team), user="olga").get_json() == []


@pytest.mark.parametrize("where", [{}, {"repository": "team-a/app"}], ids=["namespace", "repository"])
def test_what_is_frozen_is_not_frozen_twice(team: AuthService, where: dict[str, str]) -> None:
    freeze(team, **where)

    assert_problem(freeze(team, reason="again", **where), 422, "frozen already")


def test_so_many_are_frozen_at_most(team: AuthService) -> None:
    """Every token for the namespace reads them."""
    namespace = namespace_id(team)
    for number in range(MAX_FREEZES):
        put_frozen(team, namespace, "x", f"team-a/app{number}")

    assert_problem(freeze(team), 422, str(MAX_FREEZES))


def test_a_freeze_belongs_to_its_namespace(team: AuthService) -> None:
    made = freeze(team).get_json()
    other = team.make_namespace("team-b", team=team.make_team("team-b", owner=team.make_user("otto")))

    stray = f"/api/v1/namespaces/{other.id}/freezes/{made['id']}"
    for method, body in (("GET", None), ("PUT", {"reason": "x"}), ("DELETE", None)):
        assert_problem(team.call(method, stray, user="otto", json=body), 404)
    assert RELEASE in refusal(team, "team-a/app", "olga")


def test_explanations_say_it_and_what_would_help(team: AuthService) -> None:
    freeze(team)

    asked = "/api/v1/explain?repository=team-a/app&username=carl"
    answer = team.call("GET", asked, user="olga")

    assert RELEASE in answer.text
    assert "End the freeze" in answer.text


def test_it_is_recorded_and_told(team: AuthService) -> None:
    location = freeze(team, repository="team-a/app").headers["Location"]
    team.call("PUT", location, user="olga", json={"reason": "an audit"})
    team.call("PUT", location, user="olga", json={"reason": "an audit"})
    team.call("DELETE", location, user="olga")

    entries = [entry for entry in audit_entries_of(team, "namespace") if "frozen" in entry["action"]]
    assert [(entry["action"], entry["after"]) for entry in entries] == [
        ("namespace.frozen", {"repository": "team-a/app", "reason": RELEASE}),
        ("namespace.frozen", {"reason": "an audit"}),
        ("namespace.unfrozen", {}),
    ]
    with team.database.read() as connection:
        told = [one for one in connection.execute(select(outbox.c.envelope)).scalars() if "frozen" in one["type"]]
    assert [(one["type"], one["data"].get("reason"), one["data"]["repository"]) for one in told] == [
        ("auth.namespace.frozen.v1", RELEASE, "team-a/app"),
        ("auth.namespace.frozen.v1", "an audit", "team-a/app"),
        ("auth.namespace.unfrozen.v1", None, "team-a/app"),
    ]
