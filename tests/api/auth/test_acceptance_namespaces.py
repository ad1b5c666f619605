"""The acceptance cases of Portus on namespaces, by their numbers (11.7)."""

from collections.abc import Mapping
from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.auth.domain.decisions import DeletePolicy, Policy
from services.auth.domain.management import Switches
from services.auth.domain.namespaces import Visibility
from services.auth.domain.teams import Role
from tests.support.auth import PASSWORD, AuthFactory, AuthService, assert_problem
from tests.support.little_catalog import LittleCatalog

DELETING = Policy(delete=DeletePolicy.OWNERS)


@pytest.fixture
def house(make_auth: AuthFactory, catalog: LittleCatalog) -> AuthService:
    return furnish(make_auth(policy=DELETING, catalog_url=catalog.url))


def furnish(auth: AuthService) -> AuthService:
    """T of owner, contrib and viewer has N, which is private; other is in no team."""
    auth.make_user("admin", administrator=True)
    for name in ("contrib", "viewer", "other"):
        auth.make_user(name)
    team = auth.make_team("T", owner=auth.make_user("owner"), contrib=Role.CONTRIBUTOR, viewer=Role.VIEWER)
    auth.make_namespace("n", team=team)
    return auth


def namespace(auth: AuthService, name: str = "n") -> Mapping[str, Any]:
    (found,) = auth.call("GET", f"/api/v1/namespaces?name={name}", user="admin").get_json()
    return dict(found)


def path(auth: AuthService, name: str = "n") -> str:
    return f"/api/v1/namespaces/{namespace(auth, name)['id']}"


def put(auth: AuthService, user: str, body: Mapping[str, Any], name: str = "n") -> TestResponse:
    return auth.call("PUT", path(auth, name), user=user, json={"namespace": body})


def audited(auth: AuthService, action: str) -> list[Any]:
    return list(auth.call("GET", f"/api/v1/audit?action={action}", user="admin").get_json())


def test_case_83_a_name_that_is_no_namespace_is_converted(house: AuthService) -> None:
    user = {"username": "!lol!name", "email": "lol@example.org", "password": PASSWORD}

    made = house.call("POST", "/api/v1/users", user="admin", json={"user": user}).get_json()

    assert made["namespace"]["name"] == "lol_name"


def test_case_89_a_taken_name_is_not_valid(house: AuthService) -> None:
    taken = house.call("GET", "/api/v1/namespaces/validate?name=n", user="other").get_json()
    free = house.call("GET", "/api/v1/namespaces/validate?name=free", user="other").get_json()

    assert taken == {"valid": False, "messages": {"name": ["has already been taken"]}}
    assert free == {"valid": True, "messages": {}}


@pytest.mark.parametrize(("user", "status"), [("viewer", 403), ("other", 403), ("contrib", 201), ("owner", 201)])
def test_case_91_contributors_make_namespaces(house: AuthService, user: str, status: int) -> None:
    response = house.call("POST", "/api/v1/namespaces", user=user, json={"name": "fresh", "team": "T"})

    assert response.status_code == status


@pytest.mark.parametrize("visibility", [Visibility.PUBLIC, Visibility.PROTECTED])
def test_case_93_owners_change_the_visibility_and_it_is_logged(house: AuthService, visibility: Visibility) -> None:
    assert put(house, "owner", {"visibility": visibility.value}).get_json()["visibility"] == visibility
    assert put(house, "owner", {"visibility": "private"}).get_json()["visibility"] == "private"
    assert_problem(put(house, "contrib", {"visibility": visibility.value}), 403)

    back, forth = audited(house, "namespace.visibility_changed")
    assert (forth["before"], forth["after"]) == ({"visibility": "private"}, {"visibility": visibility.value})
    assert (back["actor"], back["after"]) == ("owner", {"visibility": "private"})


def test_case_94_the_global_namespace_is_never_private_and_only_for_administrators(house: AuthService) -> None:
    address = f"/api/v1/namespaces/{house.global_namespace_id}"

    assert_problem(house.call("PUT", address, user="admin", json={"visibility": "private"}), 422, "visibility")
    for body in ({"visibility": "protected"}, {"description": "ours"}, {"team": "T"}):
        assert_problem(house.call("PUT", address, user="owner", json=body), 403)


def test_case_95_an_unknown_visibility_is_422_and_an_unknown_team_404(house: AuthService) -> None:
    assert_problem(put(house, "owner", {"visibility": "secret"}), 422, "visibility")
    assert_problem(put(house, "owner", {"team": "nobody's"}), 404)


def test_case_96_where_the_switch_is_off_only_administrators_change_the_visibility(make_auth: AuthFactory) -> None:
    auth = furnish(make_auth(switches=Switches(change_visibility=False)))

    assert_problem(put(auth, "owner", {"visibility": "public"}), 403)
    assert put(auth, "admin", {"visibility": "public"}).status_code == 200


@pytest.mark.parametrize("user", ["owner", "admin"])
def test_case_97_personal_namespaces_and_the_global_one_stay(house: AuthService, user: str) -> None:
    for address in (path(house, "owner"), f"/api/v1/namespaces/{house.global_namespace_id}"):
        assert_problem(house.call("DELETE", address, user=user), 403, "nobody may")


def test_case_98_a_namespace_goes_with_all_its_images(house: AuthService, catalog: LittleCatalog) -> None:
    catalog.repositories = {"n/app": ["1.0", "2.0"], "n/web": ["1.0"], "other/app": ["1.0"]}
    address = path(house)

    response = house.call("DELETE", address, user="owner")

    assert response.status_code == 204
    assert list(catalog.repositories) == ["other/app"]
    assert catalog.emptied == [("n", "owner")]
    assert_problem(house.call("GET", address, user="admin"), 404)


def test_case_98_what_cannot_be_deleted_is_named_and_the_rest_reported(
    house: AuthService, catalog: LittleCatalog
) -> None:
    catalog.repositories = {"n/app": ["1.0"], "n/web": ["1.0"]}
    catalog.stubborn = {"n/app": "the registry refuses"}

    problem = assert_problem(house.call("DELETE", path(house), user="owner"), 422, "These are gone: n/web")

    assert problem["errors"] == {"n/app": ["1.0: the registry refuses"]}
    assert namespace(house)["repositories_count"] == 1


def test_case_98_where_deleting_is_off_nobody_deletes_a_namespace(make_auth: AuthFactory) -> None:
    auth = furnish(make_auth())

    for user in ("owner", "admin"):
        assert_problem(auth.call("DELETE", path(auth), user=user), 403, "PORTUS_DELETE_ENABLED")


def test_case_99_a_namespace_moves_with_its_members(house: AuthService) -> None:
    u = house.make_team("U", owner=house.make_user("owner2"))
    house.call("POST", f"/api/v1/teams/{u.id}/members", user="owner2", json={"user": "owner", "role": "viewer"})
    scope = "repository:n/x:pull"
    assert (house.access(scope, user="viewer"), house.access(scope, user="owner2")) == ([scope], [])

    moved = put(house, "owner", {"team": "U"}).get_json()

    assert moved["team"]["name"] == "U"
    assert (house.access(scope, user="viewer"), house.access(scope, user="owner2")) == ([], [scope])
    (entry,) = audited(house, "namespace.transferred")
    assert (entry["before"], entry["after"]) == ({"team": "T"}, {"team": "U"})


def test_case_100_hyphens_stay(house: AuthService) -> None:
    assert namespace(house, house.make_user("john-doe").namespace.name)["name"] == "john-doe"  # type: ignore[union-attr]
