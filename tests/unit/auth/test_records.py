"""What a token request comes to, and which part of it was what it was asked for."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.access import ScopeVerdict
from services.auth.domain.decisions import Decision
from services.auth.domain.namespaces import NamespaceFacts, Visibility
from services.auth.domain.records import (
    ENTROPY_BYTES,
    Verdict,
    dump_scope,
    judge,
    leading_action,
    leading_scope,
    load_scope,
    moment_of,
    new_record_id,
    told_to_subject,
)
from services.auth.domain.subjects import Narrowing, Subject, person
from services.auth.domain.teams import Role
from shared.oci.scopes import parse_scope

JANE = person(1, "jane")
NOW = datetime(2026, 3, 4, 5, 6, 7, 891234, UTC)


def verdict(text: str) -> ScopeVerdict:
    """Read ``repository:a/b:pull,-push``: what has a minus was refused."""
    kind, name, actions = text.split(":")
    scope = parse_scope(f"{kind}:{name}:{actions.replace('-', '')}")
    decided = {
        action.removeprefix("-"): Decision(not action.startswith("-"), "rule", "reason")
        for action in actions.split(",")
    }
    return ScopeVerdict(scope, tuple((action, decided[action]) for action in scope.actions if action))


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ([], Verdict.LOGIN),
        (["repository:a/b:"], Verdict.LOGIN),
        (["repository:a/b:pull"], Verdict.GRANTED),
        (["repository:a/b:pull,push"], Verdict.GRANTED),
        (["repository:a/b:-pull"], Verdict.REFUSED),
        (["registry:catalog:-*"], Verdict.REFUSED),
        (["repository:a/b:pull,-push"], Verdict.REFUSED),
        (["repository:a/b:pull,-*"], Verdict.REFUSED),
        (["repository:a/b:pull,-delete"], Verdict.REFUSED),
        (["repository:a/b:pull,push", "repository:c/d:-pull"], Verdict.PARTIAL),
        (["repository:a/b:pull,-push", "repository:c/d:pull,push"], Verdict.PARTIAL),
        (["repository:a/b:push,-delete"], Verdict.PARTIAL),
        (["repository:a/b:pull", "repository:c/d:-pull"], Verdict.PARTIAL),
        (["repository:a/b:pull,-fly"], Verdict.PARTIAL),
    ],
)
def test_a_request_comes_to_one_verdict(scopes: list[str], expected: Verdict) -> None:
    assert judge([verdict(scope) for scope in scopes]) is expected


@pytest.mark.parametrize(
    ("scopes", "name", "action"),
    [
        (["repository:a/b:pull"], "a/b", "pull"),
        (["repository:a/b:pull,push"], "a/b", "push"),
        (["repository:a/b:pull", "repository:c/d:pull,push"], "c/d", "push"),
        (["repository:a/b:push", "repository:c/d:*"], "c/d", "*"),
        (["repository:a/b:delete,push", "repository:c/d:*"], "a/b", "delete"),
        (["repository:a/b:", "repository:c/d:pull"], "a/b", ""),
        (["registry:catalog:*"], "catalog", "*"),
    ],
)
def test_a_request_is_about_what_it_would_change(scopes: list[str], name: str, action: str) -> None:
    leading = leading_scope([parse_scope(scope) for scope in scopes])

    assert leading is not None
    assert (leading.name, leading_action(leading)) == (name, action)


def test_nothing_leads_where_nothing_was_asked() -> None:
    assert leading_scope([]) is None


def test_an_id_says_the_millisecond() -> None:
    record_id = new_record_id(NOW, bytes(ENTROPY_BYTES))

    assert len(record_id) == 32
    assert moment_of(record_id) == NOW.replace(microsecond=891000)


def test_later_ids_are_greater() -> None:
    early = new_record_id(datetime(1971, 1, 1, tzinfo=UTC), b"\xff" * ENTROPY_BYTES)

    assert early < new_record_id(NOW, bytes(ENTROPY_BYTES))


@given(st.text(max_size=40) | st.from_regex(r"[0-9a-f_+-]{32}", fullmatch=True))
def test_any_other_text_is_no_id_or_some_time(text: str) -> None:
    moment = moment_of(text)

    assert moment is None or moment.tzinfo is UTC


def recorded(subject: Subject, namespace: NamespaceFacts | None) -> tuple[bool, str]:
    refused = ScopeVerdict(parse_scope("repository:team/app:push"), (("push", Decision(False, "push.x", "why")),))
    dumped = dump_scope(subject, refused, {"team": namespace} if namespace else {})
    told = told_to_subject(load_scope(dumped))
    return dumped["known"], told.actions[0].rule


@pytest.mark.parametrize(
    ("subject", "namespace", "expected"),
    [
        (JANE, None, (False, "not-visible")),
        (JANE, NamespaceFacts("team", Visibility.PRIVATE), (False, "not-visible")),
        (JANE, NamespaceFacts("team", Visibility.PROTECTED), (True, "push.x")),
        (JANE, NamespaceFacts("team", Visibility.PRIVATE, Role.VIEWER), (True, "push.x")),
        (
            person(1, "jane", narrowing=Narrowing(frozenset({"push"}))),
            NamespaceFacts("team", Visibility.PROTECTED),
            (True, "push.x"),
        ),
        (person(2, "root", administrator=True), None, (True, "push.x")),
    ],
)
def test_the_subject_is_told_nothing_of_what_they_do_not_know(
    subject: Subject, namespace: NamespaceFacts | None, expected: tuple[bool, str]
) -> None:
    assert recorded(subject, namespace) == expected


def test_what_was_kept_is_read_as_it_was() -> None:
    asked = verdict("repository:a/b:pull,-push")

    scope = load_scope(dump_scope(JANE, asked, {}))

    assert [(action.action, action.allowed) for action in scope.actions] == [("pull", True), ("push", False)]
    assert (scope.type, scope.name, scope.known) == ("repository", "a/b", True)
