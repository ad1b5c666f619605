"""A person goes: what is theirs alone goes too, what others need gets another owner."""

from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from services.auth.domain.decisions import DeletePolicy, Policy
from services.auth.domain.teams import Role
from services.auth.storage.tables import outbox
from services.auth.storage.users import UserView
from tests.support.auth import PASSWORD, AuthFactory, AuthService, assert_problem, basic
from tests.support.little_catalog import LittleCatalog

DELETING = Policy(delete=DeletePolicy.OWNERS)


@pytest.fixture
def house(make_auth: AuthFactory, catalog: LittleCatalog) -> AuthService:
    auth = make_auth(policy=DELETING, catalog_url=catalog.url)
    auth.make_user("admin", administrator=True)
    return auth


@pytest.fixture
def jane(house: AuthService) -> UserView:
    """Owns blue alone, with vera as a viewer, and green together with zoe."""
    jane = house.make_user("jane")
    house.make_user("vera")
    house.make_user("zoe")
    house.make_team("blue", owner=jane, vera=Role.VIEWER)
    house.make_team("green", owner=jane, zoe=Role.OWNER)
    return jane


def delete(auth: AuthService, user: UserView, query: str = "", *, by: str = "admin", **options: Any) -> TestResponse:
    return auth.call("DELETE", f"/api/v1/users/{user.id}{query}", user=by, **options)


def preview(auth: AuthService, user: UserView, *, by: str = "admin") -> TestResponse:
    return auth.call("GET", f"/api/v1/users/{user.id}/deletion", user=by)


def events(auth: AuthService) -> list[dict[str, Any]]:
    with auth.database.read() as connection:
        envelopes = connection.execute(select(outbox.c.envelope).order_by(outbox.c.sequence)).scalars().all()
    return [{"type": one["type"], **one["data"]} for one in envelopes]


def usernames(auth: AuthService) -> set[str]:
    return {one["username"] for one in auth.call("GET", "/api/v1/users?all=true", user="admin").get_json()}


def test_case_129_who_leaves_nothing_behind_is_deleted_as_in_portus(house: AuthService, catalog: LittleCatalog) -> None:
    """Nothing to settle is 204; the same again is 404."""
    vera = house.make_user("vera")

    assert delete(house, vera).status_code == 204

    assert_problem(delete(house, vera), 404)
    assert catalog.emptied == []
    assert usernames(house) == {"admin"}
    # Name and namespace are free again, without a number behind them.
    again = house.make_user("vera").namespace
    assert (again and again.name) == "vera"


def test_what_is_to_be_settled_is_said_before_anything_goes(
    house: AuthService, jane: UserView, catalog: LittleCatalog
) -> None:
    catalog.repositories["jane/app"] = ["1", "2"]

    problem = assert_problem(delete(house, jane), 422)

    assert "only owner of blue: name who gets them" in problem["errors"]["new_owner"][0]
    assert "jane holds 1 repositories" in problem["errors"]["namespace"][0]
    assert_problem(delete(house, jane, "?delete_namespace=true"), 422, "blue")
    assert catalog.emptied == []
    assert "jane" in usernames(house)


def test_a_preview_tells_what_would_go(house: AuthService, jane: UserView, catalog: LittleCatalog) -> None:
    catalog.repositories["jane/app"] = ["1", "2"]
    house.call("POST", "/api/v1/application_tokens", user="jane", json={"application": "ci"})
    house.call("POST", "/api/v1/grants", user="admin", json={"user": "jane", "actions": ["pull"], "pattern": "ci-*"})

    told = preview(house, jane).get_json()

    assert told["user"] == {"id": jane.id, "username": "jane"}
    assert (told["namespace"]["name"], told["images"]["tags"]) == ("jane", 2)
    assert told["belongings"] == {"application_tokens": 1, "sessions": 0, "refresh_tokens": 0, "grants": 1}
    assert (told["teams_count"], told["ownerless_teams"]) == (2, ["blue"])
    assert told["choices"] == ["namespace", "new_owner"]


def test_the_namespace_goes_to_a_team_with_its_images(
    house: AuthService, jane: UserView, catalog: LittleCatalog
) -> None:
    catalog.repositories["jane/app"] = ["1"]

    assert delete(house, jane, "?new_team=green&new_owner=vera").status_code == 204

    (namespace,) = house.call("GET", "/api/v1/namespaces?name=jane", user="zoe").get_json()
    assert namespace["team"]["name"] == "green"
    assert catalog.emptied == []
    assert house.access("repository:jane/app:push", user="zoe") == ["repository:jane/app:push"]


def test_case_131_teams_get_the_new_owner_and_all_keeps_the_old_name(house: AuthService, jane: UserView) -> None:
    assert delete(house, jane, "?new_owner=vera").status_code == 204

    team, by = {"team": "blue"}, {"actor": "admin"}
    told = [one for one in events(house) if one.get("actor") == "admin" and "namespace" not in one["type"]]
    assert told == [
        {"type": "auth.member.updated.v1", **team, "username": "vera", "role": "owner", **by},
        {"type": "auth.member.removed.v1", **team, "username": "jane", **by},
        {"type": "auth.member.removed.v1", "team": "green", "username": "jane", **by},
        {"type": "auth.user.deleted.v1", "username": "jane", **by},
    ]
    (blue,) = house.call("GET", "/api/v1/teams?name=blue", user="vera").get_json()
    assert blue["role"] == "owner"
    (entry,) = house.call("GET", "/api/v1/audit?action=user.deleted", user="admin").get_json()
    assert entry["before"]["username"] == "jane"


def test_somebody_from_outside_the_team_can_become_its_owner(house: AuthService, jane: UserView) -> None:
    assert delete(house, jane, "?new_owner=zoe").status_code == 204

    (blue,) = house.call("GET", "/api/v1/teams?name=blue", user="zoe").get_json()
    assert blue["role"] == "owner"


def test_every_credential_stops_working_at_once(house: AuthService, jane: UserView) -> None:
    made = house.call("POST", "/api/v1/application_tokens", user="jane", json={"application": "ci"}).get_json()
    signed_in = {"username": "jane", "password": PASSWORD}
    session = house.client.post("/api/v1/sessions", json=signed_in).get_json()
    login = house.get_token(user="jane", query={"offline_token": "true"}).get_json()["refresh_token"]
    bearer = {"Authorization": f"Bearer {session['access_token']}"}
    assert house.client.get("/api/v1/users/self", headers=bearer).status_code == 200

    assert delete(house, jane, "?new_owner=vera").status_code == 204

    assert house.client.get("/api/v1/users/self", headers=bearer).status_code == 401
    refreshed = house.client.post("/api/v1/sessions/refresh", json={"refresh_token": session["refresh_token"]})
    assert refreshed.status_code == 401
    for secret in (PASSWORD, made["plain_token"]):
        assert house.client.get("/api/v1/users/self", headers=basic("jane", secret)).status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": login, "service": "registry", "client_id": "docker"}
    assert house.client.post("/v2/token", data=form).status_code in (400, 401)


def test_what_breaks_off_leaves_the_account_and_is_repeated(
    house: AuthService, jane: UserView, catalog: LittleCatalog
) -> None:
    catalog.repositories |= {"jane/app": ["1"], "jane/web": ["2"]}
    catalog.stubborn = {"jane/web": "the registry refuses"}
    query = "?delete_namespace=true&new_owner=vera"

    problem = assert_problem(delete(house, jane, query), 422, "The namespace jane is still there", "jane/app")
    assert problem["errors"] == {"jane/web": ["2: the registry refuses"]}
    catalog.away = True
    assert_problem(delete(house, jane, query), 503)
    assert "jane" in usernames(house)

    catalog.away, catalog.stubborn = False, {}
    assert delete(house, jane, query).status_code == 204
    assert catalog.repositories == {}
    (gone,) = [event for event in events(house) if event["type"] == "auth.namespace.deleted.v1"]
    assert (gone["name"], gone["team"], gone["actor"]) == ("jane", "jane", "admin")


def test_where_deleting_images_is_off_the_namespace_goes_to_a_team(
    make_auth: AuthFactory, house: AuthService, jane: UserView, catalog: LittleCatalog
) -> None:
    catalog.repositories["jane/app"] = ["1"]
    auth = make_auth(catalog_url=catalog.url)

    assert_problem(delete(auth, jane, "?delete_namespace=true&new_owner=vera"), 403, "PORTUS_DELETE_ENABLED")
    assert catalog.emptied == []
    assert delete(auth, jane, "?new_team=green&new_owner=vera").status_code == 204


@pytest.mark.parametrize("query", ["?new_owner=jane", "?new_owner=nobody", "?new_owner=off", "?new_owner=bot"])
def test_a_new_owner_is_another_person_who_can_act(house: AuthService, jane: UserView, query: str) -> None:
    off = house.make_user("off")
    house.call("PUT", f"/api/v1/users/{off.id}", user="admin", json={"enabled": False})
    house.call("POST", "/api/v1/users", user="admin", json={"username": "bot", "bot": True})

    assert_problem(delete(house, jane, query), 422, "another person")


def test_a_namespace_has_one_future(house: AuthService, jane: UserView) -> None:
    assert_problem(delete(house, jane, "?new_team=green&delete_namespace=true&new_owner=vera"), 422)
    assert_problem(delete(house, jane, "?new_team=none&new_owner=vera"), 404)


def test_case_135_nobody_deletes_themselves_and_the_last_administrator_stays(house: AuthService) -> None:
    (admin,) = house.call("GET", "/api/v1/users?username=admin", user="admin").get_json()
    address = f"/api/v1/users/{admin['id']}"

    assert_problem(house.call("DELETE", address, user="admin"), 422, "last enabled administrator")
    second = house.make_user("second", administrator=True)
    assert_problem(house.call("DELETE", address, user="admin"), 403, "your own account")
    assert delete(house, second).status_code == 204


def test_only_what_was_seen_is_deleted_and_only_by_administrators(house: AuthService, jane: UserView) -> None:
    assert_problem(delete(house, jane, by="vera"), 403)
    assert_problem(preview(house, jane, by="vera"), 403)
    assert_problem(delete(house, jane, "?new_owner=vera", headers={"If-Match": '"another"'}), 412)
    assert "jane" in usernames(house)
