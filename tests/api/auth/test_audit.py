"""Reading the audit trail: who sees what, one part after the other, and as files."""

import csv
import hashlib
import io
import json
from typing import Any

import pytest
from sqlalchemy import delete, insert
from werkzeug.test import TestResponse

from services.auth.domain.audit import PORTUS_KEYS, SHOWN, Action, Change, FieldValue, Ref
from services.auth.domain.namespaces import Visibility
from services.auth.domain.teams import Role
from services.auth.storage.audit_queries import ENTRIES
from services.auth.storage.tables import audit_entries, namespaces, team_members, teams
from services.auth.usecases.audit import audited
from services.auth.usecases.show_audit import MAX_EXPORTED, export_entries
from services.auth.usecases.verify_audit import verify_audit
from shared.api.paging import ListRequest
from tests.support.auth import PASSWORD, ROOT, AuthService, assert_problem, subject_of
from tests.support.statements import database_away, statements

PORTUS_COLUMNS = ["Tracked item", "Item", "Event", "Recipient", "Triggered by", "Time", "Notes"]


@pytest.fixture
def world(auth: AuthService) -> AuthService:
    """Owner has a team with Vera in it and a private namespace; Zoe has nothing to do with them."""
    auth.make_user("admin", administrator=True)
    owner = auth.make_user("owner")
    for name in ("vera", "zoe"):
        auth.make_user(name)
    auth.make_namespace("harbour", team=auth.make_team("blue", owner=owner, vera=Role.VIEWER))
    return auth


def get(auth: AuthService, path: str = "", by: str = "admin", **query: Any) -> TestResponse:
    return auth.call("GET", f"/api/v1/audit{path}", user=by, query_string=query)


def entries(auth: AuthService, by: str = "admin", **query: Any) -> list[dict[str, Any]]:
    answer = get(auth, by=by, **{"per_page": 100, **query})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    rows: list[dict[str, Any]] = answer.get_json()
    return rows


def told(auth: AuthService, by: str, **query: Any) -> list[tuple[str, str]]:
    """Return the actions and targets that somebody reads of, oldest first."""
    return [(row["action"], row["target"]["name"]) for row in reversed(entries(auth, by, **query))]


def record(auth: AuthService, *changes: Change) -> None:
    with auth.database.write() as connection, audited(connection, ROOT, auth.clock) as keep:
        for change in changes:
            keep(change)


class TestList:
    def test_the_newest_comes_first_and_says_everything(self, world: AuthService) -> None:
        headers = {"X-Request-Id": "a-request-id"}
        world.call("POST", "/api/v1/teams", user="zoe", json={"name": "red"}, headers=headers)

        row = entries(world)[0]

        zoe, red = row["actor_id"], row["team"]["id"]
        assert row == {
            "id": row["id"],
            "partition": row["at"][:7],
            "position": row["id"],
            "at": world.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "actor_kind": "person",
            "actor": "zoe",
            "actor_id": zoe,
            "address": "127.0.0.1",
            "request_id": "a-request-id",
            "action": "team.created",
            "portus_key": "team.create",
            "target_type": "team",
            "target": {"id": str(red), "name": "red"},
            "user": {"id": zoe, "name": "zoe"},
            "team": {"id": red, "name": "red"},
            "namespace": None,
            "before": {},
            "after": {"name": "red", "description": ""},
            "previous_hash": row["previous_hash"],
            "hash": row["hash"],
        }

    def test_one_entry_is_had_by_its_id(self, world: AuthService) -> None:
        row = entries(world)[3]

        assert get(world, f"/{row['id']}").get_json() == row

    @pytest.mark.parametrize("name", ENTRIES.columns)
    def test_every_column_narrows(self, world: AuthService, name: str) -> None:
        rows = entries(world)

        def value(row: dict[str, Any]) -> Any:
            if name.startswith("target_") and name != "target_type":
                return row["target"][name.removeprefix("target_")]
            kind, _, part = name.partition("_")
            if kind in ("user", "team", "namespace"):
                return row[kind] and row[kind][part or "name"]
            return row[name]

        wanted = next(value(row) for row in rows if value(row) is not None)
        query = {"at_from": wanted} if name == "at" else {name: wanted}

        assert entries(world, **query) == [row for row in rows if value(row) == wanted]

    @pytest.mark.parametrize(("prefix", "found"), [("team.", 2), ("team.member_", 1), ("TEAM", 0), ("%", 0)])
    def test_actions_are_found_by_how_they_begin(self, world: AuthService, prefix: str, found: int) -> None:
        assert len(entries(world, action_prefix=prefix)) == found

    def test_a_time_is_narrowed_from_both_ends(self, world: AuthService) -> None:
        begin = world.clock()
        world.clock.advance(hours=1)
        world.make_team("red", owner=world.make_user("rose"))
        world.clock.advance(hours=1)
        world.make_user("late")
        limits = {"at_from": f"{begin:%Y-%m-%dT%H:%M:%SZ}", "at_until": f"{world.clock():%Y-%m-%dT%H:%M:%SZ}"}

        names = {row["target"]["name"] for row in entries(world, **limits)}

        assert "red" in names
        assert "late" not in names

    def test_parts_follow_one_another_while_entries_are_added(self, world: AuthService) -> None:
        expected = [row["id"] for row in entries(world)]
        path, seen = "/api/v1/audit?per_page=3", []
        while path:
            answer = world.call("GET", path, user="admin")
            seen += [row["id"] for row in answer.get_json()]
            record(world, Change(Action.USER_PASSWORD_CHANGED, Ref(1, "x")))
            path = answer.headers.get("Link", "").partition("<")[2].partition(">")[0]

        assert seen == expected

    def test_nothing_is_counted(self, world: AuthService) -> None:
        with statements() as sent:
            entries(world)

        assert not [one for one in sent if "count(" in one.lower()]

    @pytest.mark.parametrize("query", ["per_page=101", "after=x", "at_from=yesterday", "made_up=1", "sort_attr=team"])
    def test_a_wrong_parameter_is_named(self, world: AuthService, query: str) -> None:
        assert_problem(world.call("GET", f"/api/v1/audit?{query}", user="admin"), 422, query.partition("=")[0])

    def test_an_entry_that_is_not_there(self, world: AuthService) -> None:
        assert_problem(get(world, "/999999"), 404)


class TestWhoReadsWhat:
    def test_what_somebody_did_and_what_was_done_to_them(self, world: AuthService) -> None:
        zoe = world.call("GET", "/api/v1/users/self", user="zoe").get_json()["id"]
        world.call("PUT", f"/api/v1/users/{zoe}", user="admin", json={"display_name": "Zoe"})
        world.call("POST", "/api/v1/teams", user="zoe", json={"name": "red"})

        assert told(world, "zoe") == [
            ("namespace.created", "zoe"),
            ("user.created", "zoe"),
            ("user.updated", "zoe"),
            ("team.created", "red"),
        ]

    def test_members_read_of_their_team_and_its_namespaces(self, world: AuthService) -> None:
        assert told(world, "vera") == [
            ("namespace.created", "vera"),
            ("user.created", "vera"),
            ("team.created", "blue"),
            ("team.member_added", "blue"),
            ("namespace.created", "harbour"),
        ]

    def test_a_namespace_made_public_is_news_for_everybody(self, world: AuthService) -> None:
        path = f"/api/v1/namespaces/{entries(world, namespace='harbour')[0]['namespace']['id']}"
        world.call("PUT", path, user="owner", json={"visibility": "protected", "description": "secret plans"})
        before = told(world, "zoe")
        world.call("PUT", path, user="owner", json={"visibility": "public"})

        assert told(world, "zoe") == [*before, ("namespace.visibility_changed", "harbour")]

        world.call("PUT", path, user="owner", json={"visibility": "private"})
        assert told(world, "zoe") == before

    def test_what_may_not_be_read_is_not_there(self, world: AuthService) -> None:
        (hidden,) = entries(world, action="team.created")

        assert_problem(get(world, f"/{hidden['id']}", by="zoe"), 404)
        assert get(world, f"/{hidden['id']}", by="vera").status_code == 200

    def test_from_where_others_did_it_is_for_administrators(self, world: AuthService) -> None:
        (row,) = entries(world, "vera", action="team.created")
        (same,) = entries(world, "admin", action="team.created")
        (own,) = entries(world, "owner", action="team.created")

        assert [row[name] for name in ("address", "request_id", "previous_hash", "hash")] == [""] * 4
        assert same["address"] == own["address"] == "192.0.2.77"
        assert own == same

    @pytest.mark.parametrize(
        "query", [{"address": "192.0.2.77"}, {"request_id": "request-of-the-tests"}, {"sort_attr": "address"}]
    )
    def test_nobody_finds_out_by_asking(self, world: AuthService, query: dict[str, str]) -> None:
        """Vera reads of things that came from that address, and is not told that they did."""
        world.call("POST", "/api/v1/teams", user="vera", json={"name": "red"})

        assert {row["actor"] for row in entries(world, "vera", **query)} <= {"vera"}
        assert entries(world, "admin", **query)

    def test_who_leaves_the_team_reads_no_more_of_it(self, world: AuthService) -> None:
        with world.database.write() as connection:
            connection.execute(delete(team_members).where(team_members.c.role == "viewer"))

        own = [("namespace.created", "vera"), ("user.created", "vera"), ("team.member_added", "blue")]
        assert told(world, "vera") == own

    def test_what_has_an_old_id_has_no_old_entries(self, world: AuthService) -> None:
        """SQLite gives the id of what was deleted to the next."""
        id_ = entries(world, action="team.created")[0]["team"]["id"]
        world.clock.advance(seconds=1)
        times = {"created_at": world.clock(), "updated_at": world.clock()}
        zoe = world.call("GET", "/api/v1/users/self", user="zoe").get_json()["id"]
        with world.database.write() as connection:
            connection.execute(delete(namespaces).where(namespaces.c.team_id == id_))
            connection.execute(delete(team_members).where(team_members.c.team_id == id_))
            connection.execute(delete(teams).where(teams.c.id == id_))
            connection.execute(insert(teams).values(id=id_, name="red", description="", hidden=False, **times))
            connection.execute(insert(team_members).values(team_id=id_, user_id=zoe, role="owner", **times))
        record(world, Change(Action.TEAM_UPDATED, Ref(id_, "red"), after={"description": "new"}))

        assert told(world, "zoe", team_id=id_) == [("team.updated", "red")]


class TestFiles:
    def rows(self, auth: AuthService, by: str = "admin", **query: Any) -> list[dict[str, str]]:
        answer = get(auth, ".csv", by=by, **query)
        assert answer.status_code == 200
        return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))

    def test_the_first_columns_are_those_of_suse_portus(self, world: AuthService) -> None:
        line = get(world, ".csv").get_data(as_text=True).splitlines()[0]

        assert line.split(",")[:7] == PORTUS_COLUMNS

    def test_a_row_reads_like_a_sentence(self, world: AuthService) -> None:
        (row,) = self.rows(world, action="team.member_added")

        assert [row[name] for name in PORTUS_COLUMNS if name != "Time"] == [
            "team",
            "blue",
            "member added",
            "vera",
            "root",
            "role: viewer",
        ]

    def test_both_files_hold_the_same_list(self, world: AuthService) -> None:
        expected = entries(world, action_prefix="namespace.")

        assert [int(row["Id"]) for row in self.rows(world, action_prefix="namespace.")] == [
            row["id"] for row in expected
        ]
        assert get(world, ".json", action_prefix="namespace.").get_json() == expected

    def test_a_file_without_entries_is_whole(self, world: AuthService) -> None:
        assert get(world, ".json", actor="nobody").get_json() == []
        assert self.rows(world, actor="nobody") == []

    def test_a_reader_gets_in_a_file_what_they_may_read(self, world: AuthService) -> None:
        assert get(world, ".json", by="vera").get_json() == entries(world, "vera")
        assert {row["Address"] for row in self.rows(world, "vera")} == {""}

    def test_a_file_is_one(self, world: AuthService) -> None:
        answer = get(world, ".csv")

        assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.content_type == "text/csv; charset=utf-8"

    @pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx"])
    def test_no_cell_is_a_formula(self, world: AuthService, name: str) -> None:
        record(world, Change(Action.TEAM_DELETED, Ref(9, name), before={"name": name}))

        (row,) = self.rows(world, action="team.deleted")

        assert (row["Item"], row["Team"]) == (f"'{name}", f"'{name}")

    def test_the_json_file_proves_itself(self, world: AuthService) -> None:
        """As the documentation says it, without any code of Portus."""
        rows = get(world, ".json", sort_attr="id", sort_order="asc").get_json()

        previous = "0" * 64
        for row in rows:
            members = {k: v for k, v in row.items() if k not in ("hash", "portus_key") and v is not None}
            text = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            assert row["previous_hash"] == previous
            previous = hashlib.sha256(text.encode()).hexdigest()
            assert row["hash"] == previous

    def test_what_is_too_much_for_a_file_is_refused_before_it_begins(self, world: AuthService) -> None:
        admin = subject_of(world.make_user("boss", administrator=True))
        total = len(entries(world))

        assert len(list(export_entries(admin, ListRequest(), database=world.database, limit=total))) == total
        with pytest.raises(Exception, match=f"more than {total - 1} entries"):
            export_entries(admin, ListRequest(), database=world.database, limit=total - 1)

    def test_a_file_goes_on_beyond_one_batch(self, world: AuthService) -> None:
        record(world, *(Change(Action.TEAM_DELETED, Ref(number, f"t{number}")) for number in range(2500)))

        items = [row["Item"] for row in self.rows(world, action="team.deleted")]

        assert items == [f"t{number}" for number in reversed(range(2500))]

    def test_a_database_that_is_away_is_told_at_once(self, world: AuthService) -> None:
        token = world.client.post("/api/v1/sessions", json={"username": "admin", "password": PASSWORD}).get_json()
        with database_away():
            answer = world.client.get("/api/v1/audit.csv", headers={"Authorization": f"Bearer {token['access_token']}"})

        assert_problem(answer, 503)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_holds_a_hundred_thousand_entries_at_most(auth: AuthService) -> None:
    auth.make_user("admin", administrator=True)
    copied = [column.name for column in audit_entries.c if column.name not in ("id", "position")]
    with auth.database.write() as connection:
        connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 100 + ?) "
            f"INSERT INTO audit_entries (id, position, {', '.join(copied)}) "
            f"SELECT i, i, {', '.join(copied)} FROM n JOIN audit_entries ON audit_entries.id = 1",
            (MAX_EXPORTED,),
        )

    assert_problem(get(auth, ".json"), 400, f"more than {MAX_EXPORTED}", "at_from")


EXAMPLES: dict[str, FieldValue] = {
    "administrator": True,
    "entries": 3,
    "token_ttl_s": 60,
    "expires_at": None,
    "actions": ["pull", "push"],
    "namespaces": ["a", "b"],
    "allowed_addresses": ["192.0.2.0/24"],
}


@pytest.mark.parametrize("action", Action)
def test_every_action_can_be_read_in_every_form(auth: AuthService, action: Action) -> None:
    """SUSE Portus' page and its export broke on two of theirs."""
    auth.make_user("admin", administrator=True)
    fields = {name: EXAMPLES.get(name, "x") for name in SHOWN[action.target_type]}
    record(
        auth,
        Change(action, Ref(7, "it"), before=fields),
        Change(action, Ref(7, "it"), after=fields, user=Ref(1, "u"), namespace=Ref(3, "n")),
    )

    newest, before = entries(auth)[:2]
    line = get(auth, ".csv").get_data(as_text=True).splitlines()[1]

    assert (newest["action"], newest["portus_key"]) == (action.value, PORTUS_KEYS.get(action))
    assert newest["after"] == before["before"] == json.loads(json.dumps(fields))
    assert get(auth, f"/{newest['id']}").get_json() == newest
    assert get(auth, ".json").get_json()[0] == newest
    assert action.value in line
    assert all(name in line for name in fields)
    assert verify_audit(database=auth.database).broken is None


def test_a_namespace_of_everybody_is_no_secret(world: AuthService) -> None:
    # It was made by the migration, when the tests' clock stood already.
    world.clock.advance(minutes=5)
    world.set_global_visibility(Visibility.PROTECTED)
    world.set_global_visibility(Visibility.PUBLIC)

    assert told(world, "zoe")[-1] == ("namespace.visibility_changed", "")
