"""Grants add, freezes and narrowing take away: each on its own, in a table."""

import pytest

from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy, decide
from services.auth.domain.grants import Freeze, Grant
from services.auth.domain.namespaces import NamespaceFacts, Visibility
from services.auth.domain.subjects import INTERNAL, Narrowing, RobotHome, Subject, person, robot
from services.auth.domain.teams import Role

JANE = person(1, "jane")
ADMIN = person(2, "admin", administrator=True)
AUDITOR = person(3, "auditor", auditor=True)
ROBOT = robot(1, "robot+ci", RobotHome())
DELETE_ON = Policy(delete=DeletePolicy.OWNERS)


def grant(*actions: str, pattern: str = "team/app-*", **fields: object) -> Grant:
    return Grant(7, pattern, frozenset(actions), **fields)  # type: ignore[arg-type]


def facts(*grants: Grant, role: Role | None = None, freezes: tuple[Freeze, ...] = ()) -> NamespaceFacts:
    return NamespaceFacts("team", Visibility.PRIVATE, role, id=5, team_id=6, grants=grants, freezes=freezes)


def allowed(subject: Subject, action: str, name: str, namespace: NamespaceFacts, policy: Policy = DELETE_ON) -> bool:
    return decide(subject, action, "repository", name, namespace, policy).allowed


@pytest.mark.parametrize("subject", [JANE, ROBOT], ids=["person", "robot"])
@pytest.mark.parametrize(
    ("action", "name", "expected"),
    [
        ("push", "team/app-web", True),
        ("push", "team/other", False),
        ("pull", "team/app-web", False),
        ("delete", "team/app-web", False),
        ("*", "team/app-web", False),
    ],
)
def test_a_grant_gives_exactly_its_actions_on_its_pattern(
    subject: Subject, action: str, name: str, expected: bool
) -> None:
    assert allowed(subject, action, name, facts(grant("push"))) is expected


def test_all_three_granted_make_everything() -> None:
    assert allowed(JANE, "*", "team/app-web", facts(grant("pull", "push"), grant("delete")))


def test_the_grant_that_decided_is_named() -> None:
    decision = decide(JANE, "push", "repository", "team/app-x", facts(grant("push", through="platform")), DELETE_ON)

    assert (decision.rule, decision.grant_id) == ("grant", 7)
    assert "platform" in decision.reason


@pytest.mark.parametrize("push", [PushPolicy.ALLOW_PERSONAL, PushPolicy.ADMIN_ONLY])
def test_where_owners_may_not_push_only_administrators_let_others_push(push: PushPolicy) -> None:
    policy = Policy(push=push)

    assert not allowed(JANE, "push", "team/app-x", facts(grant("push")), policy)
    assert allowed(JANE, "push", "team/app-x", facts(grant("push", from_administrator=True)), policy)


def test_no_grant_deletes_where_deleting_is_off() -> None:
    assert not allowed(JANE, "delete", "team/app-x", facts(grant("delete", from_administrator=True)), Policy())


@pytest.mark.parametrize(
    ("home", "expected"),
    [
        (RobotHome(), True),
        (RobotHome(namespace_id=5), True),
        (RobotHome(namespace_id=99), False),
        (RobotHome(team_id=6), True),
        (RobotHome(team_id=99), False),
    ],
)
def test_a_robot_reaches_no_further_than_what_it_belongs_to(home: RobotHome, expected: bool) -> None:
    subject = robot(1, "robot+ci", home)

    assert allowed(subject, "push", "team/app-x", facts(grant("push", pattern="*"))) is expected


def test_a_robot_has_what_everybody_has_and_no_more() -> None:
    public = NamespaceFacts("team", Visibility.PUBLIC)
    protected = NamespaceFacts("team", Visibility.PROTECTED)

    assert allowed(ROBOT, "pull", "team/x", public)
    assert not allowed(ROBOT, "pull", "team/x", protected)


def test_an_auditor_sees_everything_and_changes_nothing() -> None:
    owned = facts(grant("push", "delete", pattern="*", from_administrator=True), role=Role.OWNER)

    assert allowed(AUDITOR, "pull", "team/x", facts())
    assert decide(AUDITOR, "pull", "repository", "nowhere/x", None, DELETE_ON).allowed
    assert decide(AUDITOR, "*", "registry", "catalog", None, DELETE_ON).allowed
    assert not any(allowed(AUDITOR, action, "team/app-x", owned) for action in ("push", "delete", "*"))


@pytest.mark.parametrize("subject", [JANE, ADMIN], ids=["owner", "administrator"])
def test_nobody_pushes_to_what_is_frozen(subject: Subject) -> None:
    frozen = facts(role=Role.OWNER, freezes=(Freeze("release 2.0"),))

    decision = decide(subject, "push", "repository", "team/x", frozen, DELETE_ON)

    assert (decision.allowed, decision.rule) == (False, "frozen")
    assert "release 2.0" in decision.reason
    assert allowed(subject, "pull", "team/x", frozen)
    assert allowed(subject, "delete", "team/x", frozen)


def test_portus_itself_pushes_to_what_is_frozen() -> None:
    assert allowed(INTERNAL, "push", "team/x", facts(freezes=(Freeze("release"),)))


def test_one_repository_is_frozen_alone() -> None:
    frozen = facts(role=Role.OWNER, freezes=(Freeze("release", "team/x"),))

    assert not allowed(JANE, "push", "team/x", frozen)
    assert allowed(JANE, "push", "team/x-y", frozen)


def test_whoever_has_no_right_learns_nothing_of_a_freeze() -> None:
    decision = decide(JANE, "push", "repository", "team/x", facts(freezes=(Freeze("secret plan"),)), DELETE_ON)

    assert "secret plan" not in decision.reason


@pytest.mark.parametrize(
    ("narrowing", "actions"),
    [
        (Narrowing(), {"pull", "push", "delete", "*"}),
        (Narrowing(frozenset({"pull"})), {"pull"}),
        (Narrowing(None, frozenset({"team"})), {"pull", "push", "delete", "*"}),
        (Narrowing(None, frozenset({"other"})), set()),
        (Narrowing(frozenset({"push"}), frozenset({"other"})), set()),
    ],
)
def test_a_token_carries_what_its_narrowing_leaves(narrowing: Narrowing, actions: set[str]) -> None:
    subject = person(2, "admin", administrator=True, narrowing=narrowing)

    got = {action for action in ("pull", "push", "delete", "*") if allowed(subject, action, "team/x", facts())}

    assert got == actions
    assert not decide(subject, "*", "registry", "catalog", None, DELETE_ON).allowed


def test_a_narrowed_token_gives_nothing_that_its_owner_has_not() -> None:
    subject = person(1, "jane", narrowing=Narrowing(frozenset({"push"}), frozenset({"team"})))

    assert not allowed(subject, "push", "team/x", facts(role=Role.VIEWER))
