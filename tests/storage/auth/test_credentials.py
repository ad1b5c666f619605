"""The one read of the token path."""

import pytest

from services.auth.domain.namespaces import GLOBAL_NAMESPACE, Visibility
from services.auth.domain.registries import FIRST_SERVICE
from services.auth.domain.teams import Role
from services.auth.domain.throttle import FORGET_AFTER, Failures
from services.auth.storage.credentials import Asked, CallerRecord, account_hash, find_caller
from services.auth.storage.failures import count_failure, purge_failures
from tests.support.auth import AuthService

HOME = "192.0.2.1"


def find(auth: AuthService, username: str | None, *names: str, address: str = HOME) -> CallerRecord:
    with auth.database.read() as connection:
        return find_caller(connection, username, address, Asked(FIRST_SERVICE, names, auth.clock()))


def fail(auth: AuthService, username: str = "jane", *, address: str = HOME, times: int = 1) -> None:
    for _ in range(times):
        with auth.database.write() as connection:
            count_failure(connection, account=account_hash(username), address=address, now=auth.clock())


def test_an_anonymous_caller_brings_the_namespaces_only(auth: AuthService) -> None:
    record = find(auth, None, GLOBAL_NAMESPACE)

    assert record.user is None
    assert record.namespaces[GLOBAL_NAMESPACE].visibility is Visibility.PUBLIC


def test_nothing_asked_brings_nothing(auth: AuthService) -> None:
    assert find(auth, None).namespaces == {}
    assert find(auth, "nobody", "nowhere").namespaces == {}


@pytest.mark.parametrize("name", ["jane", "Jane", "JANE"])
def test_a_person_is_found_in_any_case(auth: AuthService, name: str) -> None:
    auth.make_user("Jane")

    user = find(auth, name).user

    assert user
    assert user.username == "Jane"


@pytest.mark.parametrize("name", ["", "ja\0ne", "\ud800", "x" * 10_000, "ja%", "j_ne", "jane'--"])
def test_what_is_no_name_finds_nobody(auth: AuthService, name: str) -> None:
    auth.make_user("jane")

    assert find(auth, name).user is None


def test_the_role_is_the_callers_own(auth: AuthService) -> None:
    auth.make_user("jane")
    team = auth.make_team(owner=auth.make_user("owner"), jane=Role.CONTRIBUTOR)
    auth.make_namespace("a", team=team, visibility=Visibility.PROTECTED)

    facts = find(auth, "jane", "a", "owner", "jane").namespaces

    assert {name: (fact.role, fact.is_own) for name, fact in facts.items()} == {
        "a": (Role.CONTRIBUTOR, False),
        "owner": (None, False),
        "jane": (Role.OWNER, True),
    }
    assert facts["a"].visibility is Visibility.PROTECTED


def test_a_hundred_namespaces_come_at_once(auth: AuthService) -> None:
    team = auth.make_team(owner=auth.make_user("jane"))
    names = [f"n{number}" for number in range(100)]
    for name in names:
        auth.make_namespace(name, team=team)

    assert set(find(auth, "jane", *names).namespaces) == set(names)


def test_failures_are_counted_by_pair_and_by_address(auth: AuthService) -> None:
    fail(auth, "jane", times=3)
    fail(auth, "john", times=2)
    fail(auth, "jane", address="198.51.100.7")

    failures = find(auth, "jane").failures

    assert failures.pair == Failures(3, auth.clock())
    assert failures.address == Failures(5, auth.clock())


def test_an_address_without_failures_has_none(auth: AuthService) -> None:
    fail(auth)

    failures = find(auth, "jane", address="198.51.100.7").failures

    assert (failures.pair, failures.address) == (Failures(), Failures())


def test_a_forgotten_count_begins_anew(auth: AuthService) -> None:
    fail(auth, times=3)
    auth.clock.advance(seconds=FORGET_AFTER.total_seconds() + 1)

    fail(auth)

    assert find(auth, "jane").failures.pair.count == 1


def test_a_purge_takes_what_is_forgotten_and_stops_at_its_limit(auth: AuthService) -> None:
    for number in range(4):
        fail(auth, f"name{number}")
    auth.clock.advance(seconds=FORGET_AFTER.total_seconds() + 1)
    fail(auth, "fresh", address="198.51.100.7")

    with auth.database.write() as connection:
        purged = [purge_failures(connection, now=auth.clock(), limit=3) for _ in range(3)]

    assert purged == [3, 2, 0]
    assert find(auth, "fresh", address="198.51.100.7").failures.pair.count == 1
