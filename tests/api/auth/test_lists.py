"""Every list of the API is sorted, narrowed and paged alike."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.auth.domain.namespaces import Visibility
from services.auth.domain.teams import Role
from services.auth.storage.namespaces import NAMESPACES
from services.auth.storage.teams import MEMBERS, TEAMS
from services.auth.storage.users import USERS
from shared.listing import Listing
from tests.support.auth import PASSWORD, AuthService, assert_problem

LISTS = {"users": USERS, "teams": TEAMS, "teams/{team}/members": MEMBERS, "namespaces": NAMESPACES}

START = "2026-01-01T00:00:00Z"

# What the answer's fields are called where they are not called like the parameter.
FIELDS = {("namespaces", "team"): ("team", "name"), ("namespaces", "team_id"): ("team", "id")}
FIELDS |= {("namespaces", "registry"): ("registry", "name")}


@pytest.fixture
def world(auth: AuthService) -> AuthService:
    jane = auth.make_user("Jane", administrator=True, display_name="Jane D.")
    auth.make_user("vera", display_name="Vera")
    auth.make_user("zoe", email=None)
    team = auth.make_team("blue", owner=jane, vera=Role.VIEWER, zoe=Role.CONTRIBUTOR)
    auth.make_namespace("harbour", team=team, visibility=Visibility.PROTECTED)
    auth.make_team("red", owner=jane)
    second = {"name": "second", "hostname": "second.example.org"}
    auth.call("POST", "/api/v1/registries?force=true", user="jane", json=second)
    for username in ("Jane", "vera", "vera"):
        auth.client.post("/api/v1/sessions", json={"username": username, "password": PASSWORD})
    return auth


def get(auth: AuthService, path: str, **query: Any) -> TestResponse:
    (team,) = auth.call("GET", "/api/v1/teams?name=blue", user="jane").get_json()
    return auth.call("GET", f"/api/v1/{path.format(team=team['id'])}", user="jane", query_string=query)


def field(path: str, name: str, row: Any) -> Any:
    for step in FIELDS.get((path, name), (name,)):
        row = row[step]
    return row


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path, listing in LISTS.items() for name in listing.columns]
)
def test_every_documented_column_sorts_and_narrows(world: AuthService, path: str, name: str) -> None:
    rows = get(world, path).get_json()
    values = [field(path, name, row) for row in rows]

    forth = get(world, path, sort_attr=name).get_json()
    back = get(world, path, sort_attr=name, sort_order="desc").get_json()

    assert len(rows) > 1
    assert [row["id"] for row in back] == [row["id"] for row in forth][::-1]
    assert {row["id"] for row in forth} == {row["id"] for row in rows}
    if name.endswith("_at"):
        times = [value for value in values if value] or [START]
        assert len(get(world, path, **{f"{name}_from": max(times)}).get_json()) == values.count(max(times))
        assert get(world, path, **{f"{name}_until": min(times)}).get_json() == []
        return
    value = next(value for value in values if value is not None)
    # The global namespace is shown by another name than it is stored under.
    wanted = "harbour" if (path, name) == ("namespaces", "name") else value
    narrowed = get(world, path, **{name: str(wanted).lower() if isinstance(wanted, bool) else wanted}).get_json()
    assert [field(path, name, row) for row in narrowed] == [one for one in values if one == wanted]


@pytest.mark.parametrize("listing", LISTS.values(), ids=LISTS)
def test_every_field_of_an_answer_is_a_column(world: AuthService, listing: Listing) -> None:
    path = next(path for path, known in LISTS.items() if known is listing)
    nested = {"namespace", "team_id", "hidden"}
    # What the caller may do, and what another service says, is no column of anything.
    computed = {
        "permissions",
        "updatable",
        "destroyable",
        "orphan",
        "repositories_count",
        "current",
        "frozen",
        "locked_at",
    }

    (row, *_) = get(world, path).get_json()

    assert set(row) - nested - computed == set(listing.columns) - nested - (
        {"team_id"} if path == "namespaces" else set()
    )


def test_names_are_found_in_any_case(world: AuthService) -> None:
    assert [user["username"] for user in get(world, "users", username="jANE").get_json()] == ["Jane"]
    assert [user["username"] for user in get(world, "users", email="JANE@example.org").get_json()] == ["Jane"]


def test_a_part_is_looked_for_in_names_and_addresses(world: AuthService) -> None:
    assert [user["username"] for user in get(world, "users", q="VERA@ex").get_json()] == ["vera"]
    assert get(world, "users", q="%").get_json() == []


def test_case_136_pages_and_all_of_a_list_at_once(world: AuthService) -> None:
    for number in range(16):
        world.make_user(f"user{number}")

    page, everything = get(world, "users", page=2, per_page=10), get(world, "users", all="true")

    assert (len(page.get_json()), page.headers["X-Per-Page"], page.headers["X-Total-Pages"]) == (9, "10", "2")
    assert len(everything.get_json()) == 19
    assert (everything.headers["X-Total"], everything.headers["X-Total-Pages"]) == ("19", "1")
    assert "first" in everything.headers["Link"]


def test_an_unknown_column_is_refused_with_those_that_are_known(world: AuthService) -> None:
    assert_problem(get(world, "users", sort_attr="password_hash"), 422, "must be one of", "username", "created_at")
