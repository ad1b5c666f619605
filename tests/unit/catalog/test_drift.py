"""What is said about a difference between index and registry."""

import pytest

from services.catalog.domain.drift import (
    PUT_RIGHT,
    SEEN_BY_DIGEST,
    Cause,
    Kind,
    State,
    explain_cause,
    probable_cause,
    remedy_of,
)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("events_lost", [True, False])
def test_each_has_a_cause_that_is_explained_and_a_remedy(kind: Kind, events_lost: bool) -> None:
    assert explain_cause(probable_cause(kind, events_lost=events_lost)).endswith(".")
    assert remedy_of(kind, State.OPEN).endswith(".")


@pytest.mark.parametrize("kind", [Kind.MISSING_TAG, Kind.PHANTOM_TAG, Kind.DIGEST_DIFFERS])
def test_lost_events_explain_only_what_events_would_have_told(kind: Kind) -> None:
    assert probable_cause(kind, events_lost=True) is Cause.LOST_EVENTS
    assert probable_cause(kind, events_lost=False) is Cause.BEHIND_OUR_BACK


def test_events_that_were_lost_explain_nothing_else() -> None:
    others = set(Kind) - {Kind.MISSING_TAG, Kind.PHANTOM_TAG, Kind.DIGEST_DIFFERS}

    assert all(probable_cause(kind, events_lost=True) is not Cause.LOST_EVENTS for kind in others)


@pytest.mark.parametrize("state", [state for state in State if state is not State.OPEN])
def test_what_is_over_needs_nothing(state: State) -> None:
    assert {remedy_of(kind, state) for kind in Kind} == {"None: it is over."}


def test_what_takes_something_out_of_the_index_is_never_put_right_at_once() -> None:
    assert {Kind.MISSING_TAG, Kind.DIGEST_DIFFERS} == PUT_RIGHT
    assert Kind.PHANTOM_TAG not in SEEN_BY_DIGEST, "a list tells of it"
