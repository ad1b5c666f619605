"""Who reads from where something was done."""

from datetime import UTC, datetime

import pytest

from services.auth.domain.actors import Actor, Origin
from services.auth.domain.audit import Action, Change, Ref
from services.auth.domain.audit_chain import Entry, extend, next_head
from services.auth.domain.audit_sight import reads_everything, shown_to
from services.auth.domain.subjects import ANONYMOUS, INTERNAL, OPERATOR, RobotHome, Subject, person, robot

NOW = datetime(2026, 11, 5, tzinfo=UTC)
JANE = person(7, "jane")
ROBOT = robot(7, "robot+ci", RobotHome())


def entry_of(subject: Subject) -> Entry:
    change = Change(Action.TEAM_UPDATED, Ref(1, "team"), after={"name": "team"})
    (entry,) = extend(next_head(None, NOW), Actor(subject, Origin("192.0.2.7", "a-request")), [change], at=NOW)
    return entry


@pytest.mark.parametrize(
    ("subject", "everything"),
    [
        (person(1, "admin", administrator=True), True),
        (person(1, "auditor", auditor=True), True),
        (OPERATOR, True),
        (JANE, False),
        (ROBOT, False),
        (INTERNAL, False),
        (ANONYMOUS, False),
    ],
    ids=lambda value: value.username or value.kind if isinstance(value, Subject) else "",
)
def test_administrators_and_auditors_read_everything(subject: Subject, everything: bool) -> None:
    entry = entry_of(person(99, "somebody"))

    assert reads_everything(subject) is everything
    assert (shown_to(subject, entry) == entry) is everything


@pytest.mark.parametrize("subject", [JANE, ROBOT], ids=["person", "robot"])
def test_everybody_reads_from_where_they_did_something_themselves(subject: Subject) -> None:
    entry = entry_of(subject)

    assert (entry.actor_kind, entry.actor_id) == (subject.kind, 7)
    assert shown_to(subject, entry) == entry


def test_a_robot_with_the_id_of_a_person_is_somebody_else() -> None:
    shown = shown_to(JANE, entry_of(ROBOT))

    assert (shown.address, shown.request_id, shown.hash, shown.previous_hash) == ("", "", "", "")
