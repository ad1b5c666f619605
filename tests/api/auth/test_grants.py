"""Grants: who may give what to whom, what it comes to, and how it ends."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from services.auth.domain import grants as limits
from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy
from services.auth.domain.teams import Role
from services.auth.storage.grants import GRANTS
from services.auth.storage.namespaces import NamespaceView
from services.auth.storage.tables import grants, outbox
from services.auth.worker import tidy
from tests.support.auth import AuthFactory, AuthService, assert_problem, audit_entries_of


@pytest.fixture
def team_a(auth: AuthService) -> NamespaceView:
    return populate(auth)


def populate(auth: AuthService) -> NamespaceView:
    """A namespace team-a of owner, contributor and viewer; other owns the team blue, kim is in none."""
    for name in ("contributor", "viewer", "kim"):
        auth.make_user(name)
    auth.make_user("admin", administrator=True)
    auth.make_team("blue", owner=auth.make_user("other"))
    team = auth.make_team("red", owner=auth.make_user("owner"), contributor=Role.CONTRIBUTOR, viewer=Role.VIEWER)
    return auth.make_namespace("team-a", team=team)


def post(auth: AuthService, giver: str = "owner", /, **body: Any) -> TestResponse:
    return auth.call("POST", "/api/v1/grants", user=giver, json=body)


def give(auth: AuthService, namespace: NamespaceView, giver: str = "owner", /, **body: Any) -> dict[str, Any]:
    what = {} if "role" in body else {"actions": ["pull"]}
    response = post(auth, giver, namespace_id=namespace.id, **{**what, **body})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.get_json()
    return made


def put(auth: AuthService, grant: dict[str, Any], user: str = "owner", **body: Any) -> TestResponse:
    return auth.call("PUT", f"/api/v1/grants/{grant['id']}", user=user, json=body)


def revoke(auth: AuthService, grant: dict[str, Any], user: str = "owner") -> TestResponse:
    return auth.call("DELETE", f"/api/v1/grants/{grant['id']}", user=user)


def listed(auth: AuthService, reader: str = "owner", /, path: str = "/api/v1/grants", **query: Any) -> list[int]:
    return [grant["id"] for grant in auth.call("GET", path, user=reader, query_string=query).get_json()]


def can(auth: AuthService, user: str, repository: str = "team-a/app") -> list[str]:
    """Return what may be done to a repository; asked one by one, because a refusal refuses the whole request."""
    actions = ("delete", "pull", "push")
    return [action for action in actions if auth.access(f"repository:{repository}:{action}", user=user)]


@pytest.mark.parametrize("giver", ["owner", "admin"])
def test_a_person_gets_what_was_granted_and_nothing_else(auth: AuthService, team_a: NamespaceView, giver: str) -> None:
    assert can(auth, "kim") == []

    grant = give(auth, team_a, giver, user="kim", pattern="team-a/app-*", actions=["push", "pull"])

    assert grant["grantee"]["name"] == "kim"
    assert (grant["actions"], grant["void"]) == (["pull", "push"], {})
    assert can(auth, "kim", "team-a/app-x") == ["pull", "push"]
    assert can(auth, "kim") == []


def test_a_whole_team_gets_it_and_several_teams_share_a_namespace(auth: AuthService, team_a: NamespaceView) -> None:
    grant = give(auth, team_a, team="blue", actions=["pull", "push"])

    assert grant["pattern"] == "team-a/*"
    assert can(auth, "other") == ["pull", "push"]
    assert can(auth, "contributor") == ["pull", "push"]


def test_the_same_below_the_namespace(auth: AuthService, team_a: NamespaceView) -> None:
    path = f"/api/v1/namespaces/{team_a.id}/grants"

    made = auth.call("POST", path, user="owner", json={"user": "kim", "actions": ["pull"]})

    grant = made.get_json()
    assert (made.status_code, grant["namespace"]) == (201, {"id": team_a.id, "name": "team-a"})
    assert made.headers["Location"] == f"/api/v1/grants/{grant['id']}"
    assert listed(auth, path=path) == [grant["id"]]


@pytest.mark.parametrize("giver", ["contributor", "viewer"])
def test_members_who_do_not_own_the_team_give_nothing(auth: AuthService, team_a: NamespaceView, giver: str) -> None:
    assert_problem(post(auth, giver, namespace_id=team_a.id, user="kim", actions=["pull"]), 403, "only owners")


def test_strangers_learn_nothing_of_the_namespace(auth: AuthService, team_a: NamespaceView) -> None:
    for namespace_id in (team_a.id, 99_999):
        assert_problem(post(auth, "other", namespace_id=namespace_id, user="kim", actions=["pull"]), 404)
        assert auth.call("GET", f"/api/v1/namespaces/{namespace_id}/grants", user="other").status_code == 404


def test_only_administrators_grant_in_many_namespaces(auth: AuthService, team_a: NamespaceView) -> None:
    body = {"user": "kim", "pattern": "team-*", "actions": ["pull"]}
    assert_problem(post(auth, "owner", **body), 403, "administrators")

    grant = post(auth, "admin", **body).get_json()

    assert (grant["namespace"], grant["registry"]) == (None, None)
    assert can(auth, "kim") == ["pull"]
    # Those to come, too.
    auth.make_namespace("team-b", team=auth.make_team("green", owner=auth.make_user("green-owner")))
    assert can(auth, "kim", "team-b/app") == ["pull"]
    assert_problem(put(auth, grant, reason="x"), 404)
    assert_problem(put(auth, grant, "kim", reason="x"), 403, "Only administrators")


def test_a_wide_grant_holds_in_one_registry_when_it_says_so(auth: AuthService, team_a: NamespaceView) -> None:
    registry = {"name": "second", "hostname": "second.example.org"}
    auth.call("POST", "/api/v1/registries?force=true", user="admin", json=registry)

    grant = post(auth, "admin", user="kim", pattern="*", actions=["pull"], registry="second").get_json()

    assert grant["registry"]["name"] == "second"
    assert can(auth, "kim") == []


def test_hidden_teams_are_answered_like_those_that_do_not_exist(auth: AuthService, team_a: NamespaceView) -> None:
    answers = [
        post(auth, namespace_id=team_a.id, team=name, actions=["pull"])
        for name in ("nobody", "kim", "portus_global_team")
    ]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert {answer.get_json()["detail"] for answer in answers} == {"There is no such team."}


def test_an_unknown_person_gets_nothing(auth: AuthService, team_a: NamespaceView) -> None:
    assert_problem(post(auth, namespace_id=team_a.id, user="nobody", actions=["pull"]), 404, "no such user")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"actions": ["pull"]}, "grantee", id="nobody"),
        pytest.param({"user": "kim", "team": "blue", "actions": ["pull"]}, "grantee", id="two"),
        pytest.param({"user": "kim"}, "actions", id="nothing"),
        pytest.param({"user": "kim", "actions": []}, "actions", id="no action"),
        pytest.param({"user": "kim", "actions": ["*"]}, "actions", id="an unknown action"),
        pytest.param({"user": "kim", "actions": ["pull"], "role": "x"}, "actions", id="actions and a role"),
        pytest.param({"user": "kim", "role": "viewer"}, "role", id="no custom role"),
        pytest.param({"user": "kim", "actions": ["pull"], "pattern": "*"}, "pattern", id="outside"),
        pytest.param({"user": "kim", "actions": ["pull"], "pattern": "team-a/"}, "pattern", id="nothing inside"),
        pytest.param({"user": "kim", "actions": ["pull"], "pattern": "team-a/A"}, "pattern", id="upper case"),
        pytest.param({"user": "kim", "actions": ["pull"], "pattern": "team-a/" + "*a" * 9}, "pattern", id="many stars"),
        pytest.param({"user": "kim", "actions": ["pull"], "pattern": "team-a/" + "x" * 249}, "pattern", id="long"),
        pytest.param(
            {"user": "kim", "actions": ["pull"], "expires_at": "2001-01-01T00:00:00Z"}, "expires_at", id="past"
        ),
        pytest.param({"user": "kim", "actions": ["pull"], "reason": "x" * 1001}, "reason", id="a long reason"),
        pytest.param({"user": "kim", "actions": ["pull"], "registry": "x"}, "registry", id="two places"),
    ],
)
def test_what_will_not_do(auth: AuthService, team_a: NamespaceView, body: dict[str, Any], field: str) -> None:
    answer = post(auth, namespace_id=team_a.id, **body)

    assert field in assert_problem(answer, 422)["errors"]


def test_in_the_global_namespace_a_pattern_holds_no_slash(auth: AuthService, team_a: NamespaceView) -> None:
    body = {"namespace_id": auth.global_namespace_id, "user": "kim", "actions": ["push"]}
    assert_problem(post(auth, "admin", **body, pattern="team-a/x"), 422, "no slash")

    grant = post(auth, "admin", **body).get_json()

    assert (grant["namespace"]["name"], grant["pattern"]) == ("registry.example.org", "*")
    assert can(auth, "kim", "alpine") == ["pull", "push"]


def test_without_a_namespace_a_pattern_is_needed(auth: AuthService, team_a: NamespaceView) -> None:
    assert_problem(post(auth, "admin", user="kim", actions=["pull"]), 422, "* is everything")


def test_what_is_there_already_is_named(auth: AuthService, team_a: NamespaceView) -> None:
    first = give(auth, team_a, user="kim", actions=["pull", "push"])

    same = post(auth, namespace_id=team_a.id, user="kim", actions=["delete"])
    within = post(auth, namespace_id=team_a.id, user="kim", actions=["push"], pattern="team-a/app-*", ttl_s=60)

    assert_problem(same, 422, f"grant {first['id']} is on the same pattern")
    assert_problem(within, 422, f"grant {first['id']}, on team-a/*")
    # Another right on a part of it, and somebody else, are something new.
    give(auth, team_a, user="kim", actions=["delete"], pattern="team-a/app-*")
    give(auth, team_a, team="blue", actions=["pull", "push"])


def test_one_that_has_expired_stands_in_nobodys_way(auth: AuthService, team_a: NamespaceView) -> None:
    give(auth, team_a, user="kim", ttl_s=60)
    auth.clock.advance(seconds=60)

    give(auth, team_a, user="kim")

    assert can(auth, "kim") == ["pull"]


def test_a_grant_ends_by_itself_and_is_listed_on_demand(auth: AuthService, team_a: NamespaceView) -> None:
    grant = give(auth, team_a, user="kim", ttl_s=3600)
    assert can(auth, "kim") == ["pull"]

    auth.clock.advance(seconds=3600)

    assert can(auth, "kim") == []
    assert listed(auth) == []
    assert listed(auth, expired="true") == [grant["id"]]


def test_a_grant_s_end_can_be_moved_and_taken_away(auth: AuthService, team_a: NamespaceView) -> None:
    grant = give(auth, team_a, user="kim", ttl_s=60)
    until = (auth.clock() + timedelta(days=1)).isoformat()

    assert put(auth, grant, expires_at=until).get_json()["expires_at"] == until
    assert put(auth, grant, expires_at=None).get_json()["expires_at"] is None
    assert_problem(put(auth, grant, expires_at="2001-01-01T00:00:00Z"), 422, "in the future")


def test_what_a_grant_gives_can_be_changed(auth: AuthService, team_a: NamespaceView) -> None:
    grant = give(auth, team_a, user="kim", reason="review")

    changed = put(auth, grant, actions=["push"], reason="release").get_json()

    assert (changed["actions"], changed["reason"], changed["pattern"]) == (["push"], "release", "team-a/*")
    assert can(auth, "kim") == ["push"]


def test_a_revoked_grant_gives_nothing_from_the_next_token_on(auth: AuthService, team_a: NamespaceView) -> None:
    grant = give(auth, team_a, user="kim")

    assert revoke(auth, grant).status_code == 204

    assert can(auth, "kim") == []
    assert_problem(revoke(auth, grant), 404)


def test_whoever_has_a_grant_sees_it_and_cannot_change_it(auth: AuthService, team_a: NamespaceView) -> None:
    to_kim, to_team = give(auth, team_a, user="kim"), give(auth, team_a, team="blue")

    assert (listed(auth, "kim"), listed(auth, "other")) == ([to_kim["id"]], [to_team["id"]])
    assert listed(auth) == listed(auth, "admin") == [to_kim["id"], to_team["id"]]
    assert listed(auth, "contributor") == []
    assert_problem(put(auth, to_kim, "kim", actions=["push"]), 403)
    assert_problem(revoke(auth, to_kim, "kim"), 403)
    assert_problem(revoke(auth, to_kim, "other"), 404)


@pytest.mark.parametrize("policy", [PushPolicy.ADMIN_ONLY, PushPolicy.ALLOW_PERSONAL])
def test_where_only_administrators_let_others_push_the_answer_says_so(
    make_auth: AuthFactory, policy: PushPolicy
) -> None:
    auth = make_auth(policy=Policy(policy))
    team_a = populate(auth)

    from_owner = give(auth, team_a, user="kim", actions=["pull", "push", "delete"])
    from_admin = give(auth, team_a, "admin", user="other", actions=["push"])

    assert set(from_owner["void"]) == {"push", "delete"}
    assert "only administrators" in from_owner["void"]["push"]
    assert "switched off" in from_owner["void"]["delete"]
    assert (from_admin["void"], from_admin["from_administrator"]) == ({}, True)
    assert (can(auth, "kim"), can(auth, "other")) == (["pull"], ["push"])


def test_an_owner_who_changes_an_administrator_s_grant_gives_it_anew(make_auth: AuthFactory) -> None:
    """Otherwise an owner could make more of it than owners may give."""
    auth = make_auth(policy=Policy(PushPolicy.ADMIN_ONLY))
    team_a = populate(auth)
    grant = give(auth, team_a, "admin", user="kim", actions=["pull"])

    described = put(auth, grant, reason="for the release").get_json()
    widened = put(auth, grant, actions=["pull", "push"]).get_json()

    assert (described["from_administrator"], widened["from_administrator"]) == (True, False)
    assert can(auth, "kim") == ["pull"]
    assert put(auth, grant, "admin", actions=["pull", "push"]).get_json()["void"] == {}
    assert can(auth, "kim") == ["pull", "push"]


def test_deleting_is_granted_where_it_is_switched_on(make_auth: AuthFactory) -> None:
    auth = make_auth(policy=Policy(delete=DeletePolicy.OWNERS))
    team_a = populate(auth)

    assert give(auth, team_a, team="red", actions=["delete"])["void"] == {}

    assert can(auth, "viewer") == ["delete", "pull"]


def test_a_custom_role_is_granted_and_changes_with_all_its_grants(auth: AuthService, team_a: NamespaceView) -> None:
    body = {"name": "deployer", "actions": ["pull"]}
    role = auth.call("POST", "/api/v1/roles", user="admin", json=body).get_json()
    grant = give(auth, team_a, user="kim", role="deployer")
    assert (grant["role"], grant["actions"]) == ("deployer", ["pull"])

    auth.call("PUT", f"/api/v1/roles/{role['id']}", user="admin", json={"actions": ["pull", "push"]})

    assert can(auth, "kim") == ["pull", "push"]
    assert put(auth, grant, actions=["pull"]).get_json()["role"] is None


def test_lists_are_narrowed(auth: AuthService, team_a: NamespaceView) -> None:
    soon = give(auth, team_a, user="kim", ttl_s=86400)["id"]
    team = give(auth, team_a, team="blue", pattern="team-a/app-*")["id"]
    wide = post(auth, "admin", user="kim", pattern="*", actions=["pull"]).get_json()["id"]

    assert listed(auth, "admin", user="KIM") == [soon, wide]
    assert listed(auth, "admin", team="blue") == [team]
    assert listed(auth, "admin", namespace="team-a") == [soon, team]
    assert listed(auth, "admin", pattern="team-a/app-*") == [team]
    assert listed(auth, "admin", expires_at_until=(auth.clock() + timedelta(days=14)).isoformat()) == [soon]
    assert listed(auth, "admin", q="app") == [team]


@pytest.mark.parametrize("name", GRANTS.columns)
def test_every_documented_column_sorts(auth: AuthService, team_a: NamespaceView, name: str) -> None:
    give(auth, team_a, user="kim", ttl_s=60)
    give(auth, team_a, team="blue", pattern="team-a/app-*")
    post(auth, "admin", user="other", pattern="*", actions=["pull"])

    forth, back = (listed(auth, "admin", sort_attr=name, sort_order=order) for order in ("asc", "desc"))

    assert len(forth) == 3
    assert forth == back[::-1]


def test_there_are_limits_for_a_namespace_and_for_a_grantee(
    auth: AuthService, team_a: NamespaceView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_GRANTS_OF_NAMESPACE", 2)
    monkeypatch.setattr(limits, "MAX_GRANTS_OF_GRANTEE", 1)
    give(auth, team_a, user="kim")

    assert_problem(post(auth, namespace_id=team_a.id, user="kim", actions=["push"], pattern="team-a/x"), 422, "grantee")
    give(auth, team_a, team="blue")
    assert_problem(post(auth, namespace_id=team_a.id, user="viewer", actions=["push"]), 422, "namespace")


def test_everything_is_in_the_audit_trail_and_told_to_the_others(auth: AuthService, team_a: NamespaceView) -> None:
    grant = give(auth, team_a, team="blue", reason="release")
    put(auth, grant, actions=["push"])
    put(auth, grant, reason="another")
    revoke(auth, grant, "admin")

    entries = audit_entries_of(auth, "grant")
    assert [entry["action"] for entry in entries] == [
        "grant.created",
        "grant.updated",
        "grant.updated",
        "grant.revoked",
    ]
    assert (entries[0]["team"]["name"], entries[0]["namespace"]["name"]) == ("blue", "team-a")
    assert (entries[1]["before"], entries[1]["after"]) == ({"actions": ["pull"]}, {"actions": ["push"]})
    with auth.database.read() as connection:
        told = [row.envelope for row in connection.execute(select(outbox).order_by(outbox.c.sequence))]
    sent = [message for message in told if message["type"].startswith("auth.grant.")]
    # Why it was given concerns nobody else.
    assert [message["type"].split(".")[2] for message in sent] == ["created", "changed", "revoked"]
    assert sent[1]["data"] | {"actor": "owner"} == sent[1]["data"]
    assert (sent[1]["data"]["grantee"], sent[1]["data"]["actions"]) == ("blue", "push")


def test_ended_grants_are_deleted_after_their_time(auth: AuthService, team_a: NamespaceView) -> None:
    give(auth, team_a, user="kim", ttl_s=60)
    kept = give(auth, team_a, user="kim", pattern="team-a/x", ttl_s=61)["id"]
    give(auth, team_a, team="blue")
    auth.clock.advance(days=30, seconds=60)
    tidy(auth.services.keyring, auth.database, auth.clock, auth.services.settings)

    with auth.database.read() as connection:
        left = connection.execute(select(grants.c.id).where(grants.c.expires_at.is_not(None))).scalars().all()
    assert left == [kept]
