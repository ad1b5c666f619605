"""Every change leaves an entry, in its own transaction, with who made it and from where."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from services.auth.domain.actors import COMMAND_LINE
from services.auth.domain.audit import Action, Change, Ref
from services.auth.domain.audit_chain import GENESIS, Entry, entry_hash
from services.auth.domain.errors import Invalid
from services.auth.domain.namespaces import Visibility
from services.auth.domain.teams import Role
from services.auth.storage.audit import load_entry
from services.auth.storage.tables import audit_entries
from services.auth.usecases.audit import audited
from services.auth.usecases.people import NewPerson, ensure_administrator
from shared.config import Secret
from tests.support.auth import ORIGIN, PASSWORD, ROOT, AuthService


def trail(auth: AuthService) -> list[Entry]:
    with auth.database.read() as connection:
        return [load_entry(row) for row in connection.execute(select(audit_entries).order_by("id"))]


def last(auth: AuthService, *, of: int = 1) -> Entry:
    return trail(auth)[-of]


def record(auth: AuthService, *changes: Change) -> None:
    with auth.database.write() as connection, audited(connection, ROOT, auth.clock) as keep:
        for change in changes:
            keep(change)


def renamed(name: str) -> Change:
    return Change(Action.TEAM_UPDATED, Ref(1, "team"), before={"name": "old"}, after={"name": name})


def test_an_entry_says_who_did_what_from_where(auth: AuthService) -> None:
    jane = auth.make_user("jane")

    entry = last(auth)

    assert (entry.action, entry.target_type, entry.target.id, entry.target.name) == (
        "user.created",
        "user",
        str(jane.id),
        "jane",
    )
    assert (entry.actor_kind, entry.actor, entry.actor_id) == ("person", "root", 0)
    assert (entry.address, entry.request_id) == (ORIGIN.address, ORIGIN.request_id)
    assert (entry.at, entry.user, entry.before) == (auth.clock(), Ref(jane.id, "jane"), {})
    assert entry.after["email"] == "jane@example.org"


def test_entries_are_counted_and_chained(auth: AuthService) -> None:
    record(auth, renamed("a"), renamed("b"))
    record(auth, renamed("c"))

    entries = trail(auth)

    assert [(entry.id, entry.position) for entry in entries] == [(1, 1), (2, 2), (3, 3)]
    assert [entry.previous_hash for entry in entries] == [GENESIS, entries[0].hash, entries[1].hash]
    assert all(entry.hash == entry_hash(entry) for entry in entries)


def test_a_new_month_continues_the_chain_in_a_partition_of_its_own(auth: AuthService) -> None:
    auth.clock.now = auth.clock.now.replace(year=2026, month=11, day=30)
    record(auth, renamed("a"))
    auth.clock.advance(days=1)
    record(auth, renamed("b"))

    before, after = trail(auth)

    assert (before.partition, after.partition) == ("2026-11", "2026-12")
    assert (after.position, after.id, after.previous_hash) == (1, 2, before.hash)


def test_times_go_with_the_order_however_long_somebody_waited(auth: AuthService) -> None:
    times = [auth.clock() + timedelta(seconds=second) for second in range(40)]
    ticking = iter(times)

    def change(number: int) -> None:
        with auth.database.write() as connection, audited(connection, ROOT, lambda: next(ticking)) as keep:
            keep(renamed(f"t{number}"))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(change, range(40)))

    assert [entry.at for entry in trail(auth)] == times


def test_a_clock_that_goes_back_opens_no_older_partition(auth: AuthService) -> None:
    auth.clock.now = auth.clock.now.replace(year=2026, month=12, day=1)
    record(auth, renamed("a"))
    auth.clock.advance(days=-1)
    record(auth, renamed("b"))

    assert [entry.partition for entry in trail(auth)] == ["2026-12", "2026-12"]


def test_a_change_that_fails_leaves_no_entry(auth: AuthService) -> None:
    auth.make_user("jane")

    with pytest.raises(Invalid):
        auth.make_user("jane")

    assert [entry.action for entry in trail(auth)] == ["namespace.created", "user.created"]


def test_a_change_that_changes_nothing_leaves_no_entry(auth: AuthService) -> None:
    record(auth, renamed("old"))

    assert trail(auth) == []


def test_whoever_runs_a_command_is_the_operator(auth: AuthService) -> None:
    person = NewPerson("admin", Secret(PASSWORD), administrator=True)

    ensure_administrator(
        COMMAND_LINE, person, database=auth.database, clock=auth.clock, passwords=auth.services.passwords
    )

    assert (last(auth).actor_kind, last(auth).actor, last(auth).address) == ("operator", "", "")


def admin_id(auth: AuthService) -> int:
    return int(auth.call("GET", "/api/v1/users/self", user="admin").get_json()["id"])


class TestChanges:
    """What each use case says."""

    @pytest.fixture(autouse=True)
    def world(self, auth: AuthService) -> None:
        auth.make_user("admin", administrator=True)

    def call(self, auth: AuthService, method: str, path: str, by: str = "admin", **body: Any) -> Entry:
        headers = {"X-Request-Id": "a-request-id"}
        answer = auth.call(method, path, user=by, json=body, headers=headers)
        assert answer.status_code < 300, answer.get_data(as_text=True)
        entry = last(auth)
        assert (entry.actor, entry.address, entry.request_id) == (by, "127.0.0.1", "a-request-id")
        return entry

    def test_a_user_is_updated(self, auth: AuthService) -> None:
        jane = auth.make_user("jane")

        entry = self.call(auth, "PUT", f"/api/v1/users/{jane.id}", admin=True, email="new@example.org")

        assert (entry.action, entry.user) == ("user.updated", Ref(jane.id, "jane"))
        assert entry.before == {"administrator": False, "email": "jane@example.org"}
        assert entry.after == {"administrator": True, "email": "new@example.org"}

    def test_a_password_is_changed(self, auth: AuthService) -> None:
        jane = auth.make_user("jane")

        entry = self.call(auth, "PUT", f"/api/v1/users/{jane.id}", password="another password", display_name="J")

        assert (entry.action, entry.before, entry.after) == ("user.password_changed", {}, {})
        assert last(auth, of=2).after == {"display_name": "J"}

    def test_a_team_is_created(self, auth: AuthService) -> None:
        entry = self.call(auth, "POST", "/api/v1/teams", name="team", description="d")

        assert (entry.action, entry.team) == ("team.created", Ref(int(entry.target.id), "team"))
        assert entry.user == Ref(admin_id(auth), "admin")
        assert entry.after == {"name": "team", "description": "d"}

    def test_members_come_change_and_go(self, auth: AuthService) -> None:
        jane = auth.make_user("jane")
        team = auth.make_team(owner=auth.make_user("owner"))
        members = f"/api/v1/teams/{team.id}/members"

        added = self.call(auth, "POST", members, by="owner", user="jane", role="viewer")
        listed = auth.call("GET", members, user="owner").get_json()
        (member,) = [f"{members}/{one['id']}" for one in listed if one["username"] == "jane"]
        changed = self.call(auth, "PUT", member, by="owner", role="contributor")
        removed = self.call(auth, "DELETE", member, by="owner")

        assert [entry.action for entry in (added, changed, removed)] == [
            "team.member_added",
            "team.member_changed",
            "team.member_removed",
        ]
        assert {(entry.user, entry.team) for entry in (added, changed, removed)} == {
            (Ref(jane.id, "jane"), Ref(team.id, "team"))
        }
        assert (added.after, changed.before, changed.after, removed.before) == (
            {"role": "viewer"},
            {"role": "viewer"},
            {"role": "contributor"},
            {"role": "contributor"},
        )

    def test_a_namespace_is_created_and_changed(self, auth: AuthService) -> None:
        team = auth.make_team(owner=auth.make_user("owner"))
        created = self.call(auth, "POST", "/api/v1/namespaces", name="team-a", team="team")
        path = f"/api/v1/namespaces/{created.target.id}"
        opened = self.call(auth, "PUT", path, visibility="public", description="d")

        assert (created.action, created.team, created.after["visibility"]) == (
            "namespace.created",
            Ref(team.id, "team"),
            Visibility.PRIVATE,
        )
        assert (opened.action, opened.before, opened.after) == (
            "namespace.visibility_changed",
            {"visibility": "private"},
            {"visibility": "public"},
        )
        assert (last(auth, of=2).action, last(auth, of=2).after) == ("namespace.updated", {"description": "d"})

    def test_a_session_is_opened_and_revoked_by_its_person(self, auth: AuthService) -> None:
        jane = auth.make_user("jane")
        session = auth.client.post("/api/v1/sessions", json={"username": "jane", "password": PASSWORD}).get_json()
        auth.client.post("/api/v1/sessions/revoke", json={"refresh_token": session["refresh_token"]})

        opened, revoked = trail(auth)[-2:]

        assert (opened.action, revoked.action) == ("session.opened", "session.revoked")
        assert opened.target == revoked.target
        assert {(entry.actor, entry.actor_id, entry.user) for entry in (opened, revoked)} == {
            ("jane", jane.id, Ref(jane.id, "jane"))
        }

    def test_a_session_that_is_over_is_not_revoked_again(self, auth: AuthService) -> None:
        before = trail(auth)

        auth.client.post("/api/v1/sessions/revoke", json={"refresh_token": "nothing"})

        assert trail(auth) == before

    def test_wrong_passwords_are_counted_elsewhere(self, auth: AuthService) -> None:
        before = trail(auth)

        auth.client.post("/api/v1/sessions", json={"username": "admin", "password": "wrong password"})

        assert trail(auth) == before


def test_the_first_administrator_is_made_by_nobody_in_particular(auth: AuthService) -> None:
    first = {"username": "first", "email": "first@example.org", "password": PASSWORD}

    auth.client.post("/api/v1/users/bootstrap", json=first)

    person, token = trail(auth)[-2:]
    assert (person.action, person.actor_kind, person.actor) == ("user.created", "anonymous", "")
    assert person.after["administrator"] is True
    assert (token.action, token.actor_kind, token.actor) == ("token.created", "anonymous", "")


def test_nothing_that_is_secret_gets_in(auth: AuthService) -> None:
    """Neither passwords nor hashes nor tokens, whatever was changed."""
    auth.make_user("admin", administrator=True)
    jane = auth.make_user("jane", password="the first password")
    auth.make_team(owner=jane, admin=Role.OWNER)
    auth.call("PUT", f"/api/v1/users/{jane.id}", user="admin", json={"password": "the second password"})
    answer = auth.client.post("/api/v1/sessions", json={"username": "jane", "password": "the second password"})
    token = answer.get_json()["refresh_token"]
    auth.client.post("/api/v1/sessions/revoke", json={"refresh_token": token})

    text = repr(trail(auth))

    for secret in ("the first password", "the second password", PASSWORD, token, "$argon2"):
        assert secret not in text


def test_times_are_those_of_the_clock(auth: AuthService) -> None:
    record(auth, renamed("a"))
    auth.clock.advance(seconds=5)
    record(auth, renamed("b"))

    first, second = trail(auth)

    assert (second.at - first.at).total_seconds() == 5
