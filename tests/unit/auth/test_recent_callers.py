"""Who is believed while the database is away: a matter of what was shown, and of minutes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.auth.domain.namespaces import NamespaceFacts, Visibility
from services.auth.domain.subjects import person
from services.auth.usecases.authenticate import Caller, PasswordCredentials
from services.auth.usecases.recent_callers import MAX_CALLERS, MAX_MISSES, MAX_NAMESPACES, RecentCallers, Shown
from shared.config import Secret
from shared.oci.scopes import parse_scopes
from tests.support.auth import TestClock

JANE = Caller(person(1, "jane"), {"jane": NamespaceFacts("jane", Visibility.PRIVATE)})


def shown(*scopes: str, password: str = "right", address: str = "192.0.2.1", service: str = "registry") -> Shown:
    credentials = PasswordCredentials("jane", Secret(password))
    return Shown(credentials, address, service, parse_scopes(scopes or ("repository:jane/app:push",)))


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def recent(clock: TestClock) -> RecentCallers:
    callers = RecentCallers(clock, grace=timedelta(minutes=5))
    callers.remember(shown(), JANE)
    return callers


def test_the_same_request_is_believed_and_marked(recent: RecentCallers) -> None:
    found = recent.recall(shown())

    assert found is not None
    assert (found.subject, found.namespaces, found.degraded) == (JANE.subject, JANE.namespaces, True)


@pytest.mark.parametrize(
    "other",
    [
        shown(password="wrong"),
        shown(address="192.0.2.2"),
        shown(service="another"),
        shown("repository:kim/app:pull"),
        Shown(None, "192.0.2.1", "registry", ()),
    ],
    ids=["password", "address", "service", "namespace", "anonymous"],
)
def test_anything_else_is_not(recent: RecentCallers, other: Shown) -> None:
    assert recent.recall(other) is None


def test_what_does_not_exist_is_known_not_to(recent: RecentCallers) -> None:
    recent.remember(shown("repository:nowhere/app:pull"), JANE)

    found = recent.recall(shown("repository:nowhere/app:pull"))

    assert found is not None
    assert found.namespaces == {}


def test_whoever_came_longer_ago_than_a_minute_is_not_believed(recent: RecentCallers, clock: TestClock) -> None:
    clock.advance(seconds=61)

    assert recent.recall(shown()) is None


def test_the_minute_counts_up_to_the_beginning_of_the_outage(recent: RecentCallers, clock: TestClock) -> None:
    clock.advance(seconds=59)
    assert recent.recall(shown())

    clock.advance(seconds=290)
    assert recent.recall(shown())


def test_an_outage_is_bridged_for_a_set_time_only(recent: RecentCallers, clock: TestClock) -> None:
    assert recent.recall(shown())
    clock.advance(minutes=5)

    assert recent.recall(shown()) is None


def test_the_next_outage_begins_anew(recent: RecentCallers, clock: TestClock) -> None:
    recent.recall(shown())
    clock.advance(minutes=10)
    recent.remember(shown(), JANE)

    assert recent.recall(shown())


def test_without_grace_nobody_is_remembered(clock: TestClock) -> None:
    recent = RecentCallers(clock, grace=timedelta(0))
    recent.remember(shown(), JANE)

    assert recent.recall(shown()) is None


def test_memory_is_bounded(recent: RecentCallers) -> None:
    for number in range(MAX_CALLERS):
        recent.remember(shown(password=str(number)), JANE)

    assert recent.recall(shown()) is None
    assert recent.recall(shown(password="0"))


def test_a_callers_namespaces_are_bounded(recent: RecentCallers) -> None:
    for number in range(MAX_NAMESPACES):
        recent.remember(shown(f"repository:n{number}/app:pull"), JANE)

    assert recent.recall(shown()) is None
    assert recent.recall(shown("repository:n0/app:pull"))


def test_a_credential_that_ends_during_an_outage_is_not_believed_any_more(clock: TestClock) -> None:
    recent = RecentCallers(clock, grace=timedelta(minutes=5))
    recent.remember(shown(), replace(JANE, ends_at=clock() + timedelta(seconds=30)))
    assert recent.recall(shown())

    clock.advance(seconds=30)

    assert recent.recall(shown()) is None


def test_whoever_guesses_during_an_outage_is_stopped(recent: RecentCallers) -> None:
    for number in range(MAX_MISSES):
        assert recent.recall(shown(password=f"guess {number}")) is None

    assert recent.recall(shown()) is None
    # Whoever comes from elsewhere was not the one who guessed.
    elsewhere = shown(address="192.0.2.9")
    recent.remember(elsewhere, JANE)
    for number in range(MAX_MISSES):
        recent.recall(shown(password=f"guess {number}"))
    assert recent.recall(elsewhere)


def test_names_that_were_guessed_are_bounded(recent: RecentCallers) -> None:
    for number in range(MAX_CALLERS + 1):
        recent.recall(Shown(PasswordCredentials(f"name{number}", Secret("x")), "192.0.2.1", "registry", ()))

    assert recent.recall(shown()) is None
