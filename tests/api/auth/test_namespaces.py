"""Namespaces: counted, described, given away, deleted; and what happens when the catalog cannot help."""

from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy
from services.auth.domain.errors import StillEmptying
from services.auth.domain.management import Switches
from services.auth.domain.namespaces import Visibility
from services.auth.domain.teams import Role
from services.auth.storage.namespaces import NamespaceView
from services.auth.storage.tables import outbox
from services.auth.usecases.catalog import Deadline
from services.auth.usecases.delete_namespace import delete_namespace
from shared.config import Secret
from tests.support.auth import ROOT, AuthFactory, AuthService, assert_problem
from tests.support.little_catalog import LittleCatalog

DELETING = Policy(delete=DeletePolicy.OWNERS)


@pytest.fixture
def house(make_auth: AuthFactory, catalog: LittleCatalog) -> AuthService:
    auth = make_auth(policy=DELETING, catalog_url=catalog.url)
    auth.make_user("admin", administrator=True)
    auth.make_user("other")
    auth.make_user("viewer")
    return auth


@pytest.fixture
def n(house: AuthService) -> NamespaceView:
    """Namespace n of the team blue, to which owner and viewer belong."""
    return house.make_namespace("n", team=house.make_team("blue", owner=house.make_user("owner"), viewer=Role.VIEWER))


def listed(auth: AuthService, user: str = "admin") -> dict[str, Any]:
    rows = auth.call("GET", "/api/v1/namespaces?per_page=100", user=user).get_json()
    return {row["name"]: row["repositories_count"] for row in rows}


def put(auth: AuthService, namespace: NamespaceView, user: str = "owner", **body: Any) -> TestResponse:
    return auth.call("PUT", f"/api/v1/namespaces/{namespace.id}", user=user, json=body)


def delete(auth: AuthService, namespace: NamespaceView, user: str = "owner", **options: Any) -> TestResponse:
    return auth.call("DELETE", f"/api/v1/namespaces/{namespace.id}", user=user, **options)


def events(auth: AuthService, *kinds: str) -> list[dict[str, Any]]:
    with auth.database.read() as connection:
        envelopes = connection.execute(select(outbox.c.envelope).order_by(outbox.c.sequence)).scalars().all()
    return [{"type": one["type"], **one["data"]} for one in envelopes if one["type"] in kinds]


def test_a_list_counts_repositories_with_one_question(
    house: AuthService, n: NamespaceView, catalog: LittleCatalog
) -> None:
    catalog.repositories = {"n/app": ["1"], "n/web": ["1"], "owner/x": ["1"], "busybox": ["1"]}

    counts = listed(house)

    assert (counts["n"], counts["owner"], counts["other"], counts["registry.example.org"]) == (2, 1, 0, 1)
    assert len(catalog.asked) == 1


def test_names_that_make_a_long_question_are_asked_in_parts(house: AuthService, catalog: LittleCatalog) -> None:
    team = house.make_team("long", owner=house.make_user("owner"))
    names = [f"{number}-{'x' * 250}" for number in range(15)]
    for name in names:
        house.make_namespace(name, team=team)
    catalog.repositories = {f"{name}/app": ["1"] for name in names}

    counts = listed(house)

    assert [counts[name] for name in names] == [1] * len(names)
    assert len(catalog.asked) == 2


def test_without_the_catalog_a_list_has_no_counts(make_auth: AuthFactory, n: NamespaceView) -> None:
    auth = make_auth()

    assert set(listed(auth).values()) == {None}


def test_a_catalog_that_shares_no_secret_gives_no_counts(
    make_auth: AuthFactory, n: NamespaceView, catalog: LittleCatalog
) -> None:
    auth = make_auth(catalog_url=catalog.url, internal_secret=Secret("another secret"))

    assert set(listed(auth).values()) == {None}


def test_a_catalog_that_does_not_answer_is_left_alone_for_a_while(
    house: AuthService, n: NamespaceView, catalog: LittleCatalog
) -> None:
    catalog.away = True

    counts = [*listed(house).values(), *listed(house).values()]

    assert set(counts) == {None}
    assert catalog.calls == 1


@pytest.mark.parametrize("name", ["", "A", "a/b", "x" * 256])
def test_a_name_outside_the_grammar_is_not_valid(house: AuthService, name: str) -> None:
    answer = house.call("GET", "/api/v1/namespaces/validate", user="other", query_string={"name": name}).get_json()

    assert answer["valid"] is False
    assert "must have 1 to 255" in answer["messages"]["name"][0]


def test_validating_nothing_is_400(house: AuthService) -> None:
    assert_problem(house.call("GET", "/api/v1/namespaces/validate", user="other"), 400, "name")


def test_no_namespace_is_renamed(house: AuthService, n: NamespaceView) -> None:
    """Portus changed the row, and left the images where they were."""
    assert_problem(put(house, n, name="other-name"), 422, "the registry keeps images under the path")
    assert put(house, n, name="n", description="ours").get_json()["description"] == "ours"


def test_the_global_namespace_may_be_named_by_its_host(house: AuthService) -> None:
    address = f"/api/v1/namespaces/{house.global_namespace_id}"

    response = house.call("PUT", address, user="admin", json={"name": "registry.example.org", "description": "ours"})

    assert response.get_json()["description"] == "ours"


def test_a_change_that_changes_nothing_is_200_and_leaves_no_trace(house: AuthService, n: NamespaceView) -> None:
    before = len(house.call("GET", "/api/v1/audit", user="admin").get_json())

    assert put(house, n, visibility="private", team="blue").status_code == 200
    assert put(house, n).status_code == 200

    assert len(house.call("GET", "/api/v1/audit", user="admin").get_json()) == before
    assert events(house, "auth.namespace.updated.v1", "auth.namespace.transferred.v1") == []


def test_what_has_changed_is_announced(house: AuthService, n: NamespaceView) -> None:
    green = house.make_team("green", owner=house.make_user("green-owner"))

    put(house, n, visibility="public")
    put(house, n, "admin", team="green")
    delete(house, n, "admin")

    by = ["auth.namespace.updated.v1", "auth.namespace.transferred.v1", "auth.namespace.deleted.v1"]
    assert events(house, *by) == [
        {"type": by[0], "name": "n", "team": "blue", "visibility": "public", "actor": "owner"},
        {
            "type": by[1],
            "name": "n",
            "team": "green",
            "previous_team": "blue",
            "namespace_id": n.id,
            "team_id": green.id,
            "actor": "admin",
        },
        {"type": by[2], "name": "n", "team": "green", "namespace_id": n.id, "actor": "admin"},
    ]


@pytest.mark.parametrize("team", ["green", "other", "portus_global_team", "nobody's"])
def test_an_owner_gives_a_namespace_to_no_team_that_they_are_not_in(
    house: AuthService, n: NamespaceView, team: str
) -> None:
    """Portus moved it into any team, hidden ones too; and a stranger's team looks like none."""
    house.make_team("green", owner=house.make_user("green-owner"))

    problem = assert_problem(put(house, n, team=team), 404)

    assert problem["detail"] == "There is no such team."


@pytest.mark.parametrize("team", ["other", "portus_global_team"])
def test_not_even_administrators_give_a_namespace_to_a_hidden_team(
    house: AuthService, n: NamespaceView, team: str
) -> None:
    assert_problem(put(house, n, "admin", team=team), 404)


def test_an_administrator_gives_a_namespace_to_any_team(house: AuthService, n: NamespaceView) -> None:
    house.make_team("green", owner=house.make_user("green-owner"))

    assert put(house, n, "admin", team="green").get_json()["team"]["name"] == "green"


@pytest.mark.parametrize("user", ["owner", "admin"])
def test_a_personal_namespace_is_given_to_nobody(house: AuthService, n: NamespaceView, user: str) -> None:
    (own,) = house.call("GET", "/api/v1/namespaces?name=owner", user="owner").get_json()

    response = house.call("PUT", f"/api/v1/namespaces/{own['id']}", user=user, json={"team": "blue"})

    assert_problem(response, 403, "personal ones stay")


def test_each_part_of_a_change_has_its_own_right(make_auth: AuthFactory, n: NamespaceView) -> None:
    auth = make_auth(switches=Switches(manage_namespace=False))

    assert put(auth, n, visibility="public").status_code == 200
    assert_problem(put(auth, n, description="ours"), 403)
    assert_problem(put(auth, n, visibility="private", team="blue"), 403)
    assert auth.call("GET", f"/api/v1/namespaces/{n.id}", user="owner").get_json()["visibility"] == "public"


def test_where_only_personal_pushes_are_allowed_owners_do_not_describe_team_namespaces(
    make_auth: AuthFactory, n: NamespaceView
) -> None:
    auth = make_auth(policy=Policy(push=PushPolicy.ALLOW_PERSONAL))

    assert_problem(put(auth, n, description="ours"), 403)
    assert put(auth, n, visibility="public").status_code == 200


def test_a_preview_tells_what_would_go(house: AuthService, n: NamespaceView, catalog: LittleCatalog) -> None:
    catalog.repositories = {"n/app": ["1", "2"], "n/web": ["1"]}

    answer = house.call("GET", f"/api/v1/namespaces/{n.id}/deletion", user="owner").get_json()

    assert answer == {
        "namespace": {"id": n.id, "name": "n"},
        "images": {"repositories": 2, "tags": 3, "size_bytes": 3000},
        "dependants": {"grants": 0, "robots": 0, "freezes": 0},
    }
    assert catalog.emptied == []


@pytest.mark.parametrize(("user", "status"), [("viewer", 403), ("other", 404)])
def test_whoever_may_not_delete_a_namespace_previews_nothing(
    house: AuthService, n: NamespaceView, catalog: LittleCatalog, user: str, status: int
) -> None:
    assert_problem(house.call("GET", f"/api/v1/namespaces/{n.id}/deletion", user=user), status)
    assert_problem(delete(house, n, user), status)
    assert catalog.calls == 0


def test_a_large_namespace_is_emptied_call_by_call(
    house: AuthService, n: NamespaceView, catalog: LittleCatalog
) -> None:
    catalog.repositories = {f"n/app{number}": ["1"] for number in range(5)}
    catalog.at_a_time = 2

    assert delete(house, n).status_code == 204
    assert len(catalog.emptied) == 3


def test_what_takes_too_long_is_gone_on_with_by_the_same_request(
    house: AuthService, n: NamespaceView, catalog: LittleCatalog
) -> None:
    catalog.repositories = {f"n/app{number}": ["1"] for number in range(3)}
    catalog.at_a_time = 2
    auth = house.services
    rules = auth.settings.rules

    with pytest.raises(StillEmptying, match="still holds 1 repositories"):
        delete_namespace(
            ROOT,
            n.id,
            rules=rules,
            catalog=auth.catalog,
            deadline=Deadline(0),
            database=auth.database,
            clock=auth.clock,
        )

    assert delete(house, n).status_code == 204


@pytest.mark.parametrize("method", ["DELETE", "GET"])
def test_without_the_catalog_no_namespace_goes(make_auth: AuthFactory, n: NamespaceView, method: str) -> None:
    auth = make_auth(policy=DELETING)
    address = f"/api/v1/namespaces/{n.id}"

    response = auth.call(method, address if method == "DELETE" else f"{address}/deletion", user="owner")

    assert_problem(response, 503, "The catalog does not answer")
    assert int(response.headers["Retry-After"]) > 0
    assert auth.call("GET", address, user="owner").status_code == 200


def test_a_deletion_may_expect_what_it_has_seen(house: AuthService, n: NamespaceView, catalog: LittleCatalog) -> None:
    seen = house.call("GET", f"/api/v1/namespaces/{n.id}", user="owner").headers["ETag"]
    put(house, n, description="changed")

    assert_problem(delete(house, n, headers={"If-Match": seen}), 412)
    assert catalog.emptied == []


def test_a_deleted_namespace_leaves_an_entry_and_its_name_free(house: AuthService, n: NamespaceView) -> None:
    delete(house, n)

    (entry,) = house.call("GET", "/api/v1/audit?action=namespace.deleted", user="admin").get_json()
    assert (entry["actor"], entry["target"]["name"], entry["before"]["team"]) == ("owner", "n", "blue")
    again = house.call("POST", "/api/v1/namespaces", user="owner", json={"name": "n", "team": "blue"})
    assert again.status_code == 201


def test_contributors_delete_a_namespace_where_they_may_delete_images(
    make_auth: AuthFactory, n: NamespaceView, catalog: LittleCatalog
) -> None:
    auth = make_auth(policy=Policy(delete=DeletePolicy.CONTRIBUTORS), catalog_url=catalog.url)
    members = auth.call("GET", f"/api/v1/teams/{n.team.id}/members", user="owner").get_json()
    (viewer,) = [member["id"] for member in members if member["username"] == "viewer"]
    assert_problem(delete(auth, n, "viewer"), 403)

    auth.call("PUT", f"/api/v1/teams/{n.team.id}/members/{viewer}", user="owner", json={"role": "contributor"})

    assert delete(auth, n, "viewer").status_code == 204


def test_a_visible_namespace_of_others_is_not_deleted(house: AuthService, n: NamespaceView) -> None:
    put(house, n, visibility=Visibility.PUBLIC.value)

    assert_problem(delete(house, n, "other"), 403)


def test_a_namespace_of_another_registry_leaves_its_images_alone(
    house: AuthService, n: NamespaceView, catalog: LittleCatalog
) -> None:
    """The catalog reads the first registry: there, a namespace of the same name is somebody else's."""
    catalog.repositories = {"n/app": ["1"]}
    second = {"name": "second", "hostname": "second.example.org"}
    house.call("POST", "/api/v1/registries?force=true", user="admin", json=second)
    body = {"name": "n", "team": "blue", "registry": "second"}
    twin = house.call("POST", "/api/v1/namespaces", user="owner", json=body).get_json()
    address = f"/api/v1/namespaces/{twin['id']}"

    assert house.call("GET", f"{address}/deletion", user="owner").get_json()["images"] is None
    assert house.call("DELETE", address, user="owner").status_code == 204
    assert catalog.emptied == []
    assert house.call("GET", f"/api/v1/namespaces/{n.id}", user="owner").status_code == 200
