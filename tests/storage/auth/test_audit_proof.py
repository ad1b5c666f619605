"""Whatever somebody does to the audit trail behind Portus' back, the proof names it."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, insert, select, update

from services.auth.domain.audit import Action, Change, Ref
from services.auth.domain.audit_chain import GENESIS, entry_hash
from services.auth.domain.audit_proof import Breach, Break, Proof
from services.auth.domain.errors import NotFound
from services.auth.storage.audit import dump_entry, load_entry
from services.auth.storage.tables import audit_entries, audit_heads
from services.auth.usecases.audit import audited
from services.auth.usecases.purge_audit import purge_audit
from services.auth.usecases.verify_audit import verify_audit
from tests.support.auth import ROOT, AuthFactory, AuthService

ENTRIES, HEADS = audit_entries.c, audit_heads.c
NOVEMBER = audit_entries.c.partition == "2026-11"


def write(auth: AuthService, *names: str) -> None:
    with auth.database.write() as connection, audited(connection, ROOT, auth.clock) as record:
        for name in names:
            record(Change(Action.TEAM_CREATED, Ref(1, name), after={"name": name}))


@pytest.fixture
def auth(make_auth: AuthFactory) -> AuthService:
    """Three months with four entries each: 2026-10, 2026-11, 2026-12."""
    auth = make_auth()
    for month in (10, 11, 12):
        auth.clock.now = datetime(2026, month, 5, tzinfo=UTC)
        write(auth, "a", "b")
        write(auth, "c", "d")
    return auth


def prove(auth: AuthService, **options: Any) -> Proof:
    return verify_audit(database=auth.database, **options)


def broken(auth: AuthService) -> Break | None:
    return prove(auth).broken


def tamper(auth: AuthService, *statements: Any) -> None:
    with auth.database.write() as connection:
        for statement in statements:
            connection.execute(statement)


def head_of(auth: AuthService, partition: str) -> Any:
    with auth.database.read() as connection:
        return connection.execute(select(audit_heads).where(HEADS.partition == partition)).one()


def rehash(connection: Connection, id_: int) -> str:
    """Make an entry's hash fit what it says, as a forger would."""
    row = connection.execute(select(audit_entries).where(ENTRIES.id == id_)).one()
    hash_ = entry_hash(load_entry(row))
    connection.execute(update(audit_entries).where(ENTRIES.id == id_).values(hash=hash_))
    return hash_


def test_an_untouched_trail_holds(auth: AuthService) -> None:
    assert prove(auth) == Proof(12, head_of(auth, "2026-12").hash, None, met=True)


def test_an_empty_trail_holds(make_auth: AuthFactory) -> None:
    assert prove(make_auth()) == Proof(0, GENESIS, None, met=True)


def test_one_partition_is_followed_alone(auth: AuthService) -> None:
    tamper(auth, update(audit_entries).where(ENTRIES.id == 1).values(actor="nobody"))

    assert prove(auth, partition="2026-11") == Proof(4, head_of(auth, "2026-11").hash, None, met=True)
    assert broken(auth) == Break("2026-10", 1, Breach.CHANGED)


def test_a_partition_that_is_not_there_is_no_proof(auth: AuthService) -> None:
    with pytest.raises(NotFound):
        prove(auth, partition="2027-01")


CHANGED: dict[str, Any] = {
    "at": datetime(2026, 11, 6, tzinfo=UTC),
    "actor_kind": "operator",
    "actor": "jane",
    "actor_id": 99,
    "address": "198.51.100.9",
    "request_id": "another",
    "action": "team.updated",
    "target_type": "user",
    "target_id": "2",
    "target_name": "e",
    "user_id": 3,
    "team_id": None,
    "team_name": "e",
    "namespace_id": 1,
    "before": {"name": "x"},
    "after": {"name": "x"},
    "hash": "f" * 64,
}


@pytest.mark.parametrize("field", CHANGED)
def test_a_changed_field_is_found(auth: AuthService, field: str) -> None:
    names: dict[str, Any] = {
        "user_id": {"user_name": "x"},
        "namespace_id": {"namespace_name": "x"},
        "team_id": {"team_name": None},
    }
    values = {field: CHANGED[field], **names.get(field, {})}

    tamper(auth, update(audit_entries).where(NOVEMBER, ENTRIES.position == 2).values(values))

    assert broken(auth) == Break("2026-11", 2, Breach.CHANGED)


def test_every_column_but_the_counted_ones_is_tried_above() -> None:
    counted = {"id", "partition", "position", "previous_hash", "user_name", "namespace_name"}

    assert set(ENTRIES.keys()) == counted | CHANGED.keys()


@pytest.mark.parametrize("field", ["previous_hash", "id"])
def test_an_entry_that_follows_from_another_is_found(auth: AuthService, field: str) -> None:
    value = "f" * 64 if field == "previous_hash" else 1000

    tamper(auth, update(audit_entries).where(NOVEMBER, ENTRIES.position == 2).values({field: value}))

    assert broken(auth) == Break("2026-11", 2, Breach.OUT_OF_ORDER)


@pytest.mark.parametrize("position", [1, 2, 3])
def test_an_entry_deleted_in_the_middle_is_found(auth: AuthService, position: int) -> None:
    tamper(auth, delete(audit_entries).where(NOVEMBER, ENTRIES.position == position))

    assert broken(auth) == Break("2026-11", position, Breach.MISSING)


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_a_deleted_tail_is_found(auth: AuthService, kept: int) -> None:
    tamper(auth, delete(audit_entries).where(NOVEMBER, ENTRIES.position > kept))

    assert broken(auth) == Break("2026-11", kept + 1, Breach.TAIL_CUT)


def test_the_deleted_end_of_the_whole_trail_is_found(auth: AuthService) -> None:
    tamper(auth, delete(audit_entries).where(ENTRIES.id == 12))

    assert broken(auth) == Break("2026-12", 4, Breach.TAIL_CUT)


def test_two_swapped_entries_are_found(auth: AuthService) -> None:
    def move(one: int, to: int) -> Any:
        change = {"id": to, "position": ENTRIES.position + (to - one)}
        return update(audit_entries).where(ENTRIES.id == one).values(change)

    tamper(auth, move(6, 1006), move(7, 6), move(1006, 7))

    assert broken(auth) == Break("2026-11", 2, Breach.OUT_OF_ORDER)


def test_a_forged_entry_at_the_end_is_found(auth: AuthService) -> None:
    tamper(auth, forged(auth, id=13, partition="2026-12", position=5))

    assert broken(auth) == Break("2026-12", 5, Breach.ADDED)


def test_a_forged_entry_in_the_middle_is_found(auth: AuthService) -> None:
    """The forger moves the later ones back and makes all their hashes fit their words."""

    def back(id_: int) -> Any:
        moved = {"id": id_ + 1, "position": ENTRIES.position + 1}
        return update(audit_entries).where(ENTRIES.id == id_).values(moved)

    with auth.database.read() as connection:
        before = connection.execute(select(ENTRIES.hash).where(ENTRIES.id == 10)).scalar_one()
    fitting = forged(auth, id=11, partition="2026-12", position=3, previous_hash=before)
    tamper(auth, back(12), back(11), fitting)
    with auth.database.write() as connection:
        for id_ in (11, 12, 13):
            rehash(connection, id_)

    assert broken(auth) == Break("2026-12", 4, Breach.OUT_OF_ORDER)


def test_a_forged_entry_where_there_is_no_partition_is_found(auth: AuthService) -> None:
    tamper(auth, forged(auth, id=13, partition="2030-01", position=1))

    assert broken(auth) == Break("2030-01", 1, Breach.ADDED)


def test_an_entry_that_is_changed_with_its_hash_breaks_the_next(auth: AuthService) -> None:
    tamper(auth, update(audit_entries).where(ENTRIES.id == 6).values(actor="jane"))
    with auth.database.write() as connection:
        rehash(connection, 6)

    assert broken(auth) == Break("2026-11", 3, Breach.OUT_OF_ORDER)


def test_the_last_entry_changed_with_its_hash_contradicts_the_head(auth: AuthService) -> None:
    tamper(auth, update(audit_entries).where(ENTRIES.id == 8).values(actor="jane"))
    with auth.database.write() as connection:
        rehash(connection, 8)

    assert broken(auth) == Break("2026-11", 4, Breach.HEAD_CHANGED)


def test_a_head_that_was_changed_to_fit_contradicts_the_next_partition(auth: AuthService) -> None:
    tamper(auth, update(audit_entries).where(ENTRIES.id == 8).values(actor="jane"))
    with auth.database.write() as connection:
        forged_hash = rehash(connection, 8)
    tamper(auth, update(audit_heads).where(HEADS.partition == "2026-11").values(hash=forged_hash))

    assert broken(auth) == Break("2026-12", 1, Breach.APART)


@pytest.mark.parametrize(("partition", "found_at"), [("2026-10", "2026-11"), ("2026-11", "2026-12")])
def test_a_partition_that_is_gone_with_its_head_is_found(auth: AuthService, partition: str, found_at: str) -> None:
    tamper(
        auth,
        delete(audit_entries).where(ENTRIES.partition == partition),
        delete(audit_heads).where(HEADS.partition == partition),
    )

    assert broken(auth) == Break(found_at, 1, Breach.APART)


def test_only_a_noted_head_tells_that_the_newest_partition_is_gone(auth: AuthService) -> None:
    noted = prove(auth).head
    tamper(
        auth,
        delete(audit_entries).where(ENTRIES.partition == "2026-12"),
        delete(audit_heads).where(HEADS.partition == "2026-12"),
    )

    assert broken(auth) is None
    assert not prove(auth, since=noted).met


def test_a_noted_head_is_met_however_the_trail_has_grown(auth: AuthService) -> None:
    noted = prove(auth).head
    write(auth, "later")

    assert prove(auth, since=noted).met
    assert prove(auth, since=GENESIS).met
    assert not prove(auth, since="f" * 64).met


class TestRetention:
    def purge(self, auth: AuthService, keep_months: int) -> None:
        purge_audit(keep_months=keep_months, database=auth.database, clock=auth.clock)

    def counts(self, auth: AuthService) -> dict[str, int]:
        with auth.database.read() as connection:
            rows = connection.execute(select(ENTRIES.partition, func.count()).group_by(ENTRIES.partition))
            return {row[0]: row[1] for row in rows}

    def test_whole_partitions_go_and_the_chain_still_holds(self, auth: AuthService) -> None:
        noted = head_of(auth, "2026-10").hash

        self.purge(auth, 1)

        assert self.counts(auth) == {"2026-11": 4, "2026-12": 5}
        assert prove(auth, since=noted) == Proof(9, head_of(auth, "2026-12").hash, None, met=True)

    def test_what_was_deleted_is_itself_kept(self, auth: AuthService) -> None:
        self.purge(auth, 1)

        with auth.database.read() as connection:
            entry = load_entry(connection.execute(select(audit_entries).where(ENTRIES.id == 13)).one())
        assert (entry.action, entry.actor_kind) == ("audit.purged", "internal")
        assert entry.before == {"partition": "2026-10", "entries": 4}

    def test_a_second_round_finds_nothing_to_do(self, auth: AuthService) -> None:
        self.purge(auth, 1)
        self.purge(auth, 1)

        assert self.counts(auth) == {"2026-11": 4, "2026-12": 5}

    @pytest.mark.parametrize(("keep_months", "kept"), [(1, {"2026-12"}), (2, {"2026-11", "2026-12"})])
    def test_months_are_counted_over_the_end_of_a_year(
        self, auth: AuthService, keep_months: int, kept: set[str]
    ) -> None:
        auth.clock.now = datetime(2027, 1, 31, 23, 59, tzinfo=UTC)
        write(auth, "new")

        self.purge(auth, keep_months)

        assert set(self.counts(auth)) == {*kept, "2027-01"}

    def test_two_workers_delete_a_partition_once(self, auth: AuthService) -> None:
        at_once(lambda _: self.purge(auth, 1), times=8)

        assert self.counts(auth) == {"2026-11": 4, "2026-12": 5}
        assert broken(auth) is None

    def test_without_a_limit_everything_is_kept(self, auth: AuthService) -> None:
        auth.clock.advance(days=3650)

        self.purge(auth, 0)

        assert self.counts(auth) == {"2026-10": 4, "2026-11": 4, "2026-12": 4}

    def test_the_newest_partition_is_never_deleted(self, auth: AuthService) -> None:
        auth.clock.advance(days=3650)

        self.purge(auth, 1)

        assert self.counts(auth) == {"2026-12": 4, "2036-12": 2}
        assert broken(auth) is None

    def test_an_entry_that_comes_back_is_found(self, auth: AuthService) -> None:
        self.purge(auth, 1)

        tamper(auth, forged(auth, id=1, partition="2026-10", position=1))

        assert broken(auth) == Break("2026-10", 1, Breach.ADDED)

    def test_a_tail_cut_at_the_beginning_of_what_is_kept_is_found(self, auth: AuthService) -> None:
        self.purge(auth, 1)

        tamper(auth, delete(audit_entries).where(NOVEMBER, ENTRIES.position == 1))

        assert broken(auth) == Break("2026-11", 1, Breach.MISSING)


def forged(auth: AuthService, **place: Any) -> Any:
    """Return the insertion of an entry that looks like the last one, its hash fitting its words."""
    with auth.database.read() as connection:
        row = connection.execute(select(audit_entries).order_by(ENTRIES.id.desc()).limit(1)).one()
    values = {**dump_entry(load_entry(row)), "previous_hash": row.hash, **place}
    return insert(audit_entries).values(values)


def test_threads_that_change_at_once_make_one_chain(auth: AuthService) -> None:
    at_once(lambda number: write(auth, f"t{number}", f"u{number}"), times=40)

    assert prove(auth) == Proof(92, head_of(auth, "2026-12").hash, None, met=True)


def at_once(call: Callable[[int], None], *, times: int) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(call, range(times)))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_processes_that_change_at_once_make_one_chain(make_auth: AuthFactory) -> None:
    """Two processes of eight threads; a deadlock would be an error in one of them."""
    auth = make_auth()
    command = [sys.executable, "-m", "tests.support.many_changes", auth.services.settings.database_url.reveal()]

    with ThreadPoolExecutor(2) as processes:
        done = list(processes.map(lambda who: _run([*command, who]), ("left", "right")))

    assert [(one.returncode, one.stderr) for one in done] == [(0, ""), (0, "")]
    assert (prove(auth).entries, broken(auth)) == (150, None)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=Path(__file__).parents[3]
    )
