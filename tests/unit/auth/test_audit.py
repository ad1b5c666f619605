"""What a change leaves in the audit trail, and what it can never leave there."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.auth.domain.audit import CONCERNED, PORTUS_KEYS, SHOWN, Action, Change, Fields, Ref, Target
from services.auth.domain.teams import Role
from shared.config import Secret

JANE = Ref(7, "jane")


def updated(before: dict[str, Any], after: dict[str, Any]) -> Change:
    return Change(Action.USER_UPDATED, JANE, before=before, after=after)


def test_only_what_differs_is_kept() -> None:
    change = updated({"email": "a@x", "enabled": True}, {"email": "b@x", "enabled": True})

    assert (change.old, change.new) == ({"email": "a@x"}, {"email": "b@x"})
    assert not change.is_void


def test_what_was_not_there_before_is_new() -> None:
    change = Change(Action.USER_CREATED, JANE, after={"username": "jane", "email": None})

    assert (change.old, change.new) == ({}, {"username": "jane", "email": None})
    assert not change.is_void


def test_a_change_that_changes_nothing_is_void() -> None:
    assert updated({"enabled": True}, {"enabled": True}).is_void


def test_an_event_without_fields_is_not_void() -> None:
    assert not Change(Action.USER_PASSWORD_CHANGED, JANE).is_void


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("name", ["password", "password_hash", "secret", "secret_hash", "token_hash", "anything"])
def test_a_field_that_may_not_be_shown_is_refused(side: str, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Change(Action.USER_UPDATED, JANE, **{side: {name: "x"}})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [Secret("x"), b"x", 1.5, {"a": "b"}, [Secret("x")], object()])
def test_a_value_that_could_hide_a_secret_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        updated({}, {"email": value})


def test_no_field_that_may_be_shown_is_a_secret() -> None:
    names = {name for fields in SHOWN.values() for name in fields}

    assert [name for name in names if any(word in name for word in ("password", "secret", "hash", "plain"))] == []


def test_values_are_kept_as_json_has_them() -> None:
    at = datetime(2026, 11, 5, 10, 0, tzinfo=UTC)
    after: Fields = {"name": Role.OWNER, "actions": {"push", "pull"}, "namespaces": ("b", "a"), "expires_at": at}

    new = Change(Action.TOKEN_CREATED, Ref(1, "ci"), after=after).new

    assert new == {
        "name": "owner",
        "actions": ["pull", "push"],
        "namespaces": ["b", "a"],
        "expires_at": "2026-11-05T10:00:00.000000Z",
    }
    assert type(new["name"]) is str


def test_a_target_concerns_itself() -> None:
    team = Ref(1, "team")

    removed = Change(Action.TEAM_MEMBER_REMOVED, team, user=JANE, before={"role": "viewer"})
    opened = Change(Action.SESSION_OPENED, Target("abc", "jane"), user=JANE)

    assert [removed.concerned(kind) for kind in CONCERNED] == [JANE, team, None]
    assert [opened.concerned(kind) for kind in CONCERNED] == [JANE, None, None]


@pytest.mark.parametrize("action", Action)
def test_every_action_says_what_of_its_target_may_be_shown(action: Action) -> None:
    assert action.target_type in SHOWN


def test_the_keys_of_suse_portus_are_unambiguous() -> None:
    assert len(set(PORTUS_KEYS.values())) == len(PORTUS_KEYS)
