"""A message becomes an occurrence, or is refused for good."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from services.catalog.domain.errands import dump_errand
from services.catalog.domain.occurrences import Occurrence, Stamp
from services.catalog.usecases.load_occurrence import load_occurrence
from shared.contracts.events import Envelope, InvalidMessage
from shared.oci.names import RepositoryName, Tag
from tests.support.catalog import MANIFEST_TYPE, NOON, digest_of
from tests.support.catalog_clients import ERRAND

D = digest_of("manifest")
NEVER = datetime.fromisoformat("9999-12-31T23:59:59-23:00")


def message(*, id: str = "event-1", **data: Any) -> Envelope:
    fields = {"action": "push", "repository": "team/app", "registry": "localhost:5000"} | data
    return Envelope(id, "/notifier", "registry.notification.v1", NOON, fields)


def test_a_notification_is_read() -> None:
    data = {"digest": D, "tag": "1.0", "media_type": MANIFEST_TYPE, "method": "PUT", "actor": "jane"}

    assert load_occurrence(message(**data)) == Occurrence(
        Stamp(NOON, "event-1"),
        "push",
        RepositoryName("team/app"),
        D,
        Tag("1.0"),
        MANIFEST_TYPE,
        "PUT",
        "jane",
    )


def test_what_our_own_account_says_of_whom_it_is_for_is_believed() -> None:
    agent = f"portus-catalog {dump_errand(ERRAND)}"

    ours = load_occurrence(message(actor="portus", user_agent=agent))
    forged = load_occurrence(message(actor="mallory", user_agent=agent))
    unmarked = load_occurrence(message(actor="portus", user_agent="portus-catalog"))

    assert (ours.stamp.id, ours.actor, ours.is_ours) == (ERRAND.id, "jane", True)
    assert (forged.stamp.id, forged.actor, forged.is_ours) == ("event-1", "mallory", False)
    assert (unmarked.stamp.id, unmarked.actor, unmarked.is_ours) == ("event-1", "portus", True)


def test_what_was_done_for_nobody_is_ours() -> None:
    agent = f"portus-catalog {dump_errand(replace(ERRAND, actor=None))}"

    occurrence = load_occurrence(message(actor="portus", user_agent=agent))

    assert (occurrence.stamp.id, occurrence.actor, occurrence.author) == (ERRAND.id, "portus", None)


def test_empty_words_are_absent() -> None:
    """3.x sends empty strings where 2.8 sends nothing."""
    occurrence = load_occurrence(message(digest="", tag="1.0", media_type="", actor=""))

    assert (occurrence.digest, occurrence.media_type, occurrence.actor) == (None, None, None)


@pytest.mark.parametrize("actor", ["nul\x00", "x" * 256, 7])
def test_an_actor_that_nobody_can_be_is_absent(actor: Any) -> None:
    assert load_occurrence(message(actor=actor)).actor is None


@pytest.mark.parametrize(
    "envelope",
    [
        pytest.param(message(repository="../etc"), id="repository outside the grammar"),
        pytest.param(message(repository=None), id="no repository"),
        pytest.param(message(digest="md5:abc"), id="digest of no known algorithm"),
        pytest.param(message(digest=7), id="digest is a number"),
        pytest.param(message(tag="no tag"), id="tag outside the grammar"),
        pytest.param(message(tag=["1.0"]), id="tag is a list"),
        pytest.param(message(action=None), id="no action"),
        pytest.param(message(id="nul\x00"), id="an id that no database takes"),
        pytest.param(Envelope("1", "/notifier", "registry.notification.v1", NOON, {}), id="nothing"),
        pytest.param(replace(message(), time=NEVER), id="a time outside the calendar"),
    ],
)
def test_what_the_index_cannot_use_is_an_invalid_message(envelope: Envelope) -> None:
    with pytest.raises(InvalidMessage):
        load_occurrence(envelope)
