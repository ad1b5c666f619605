"""What a client is told that got nothing: the right that is missing, the role, and who can help."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.access import decide_scope
from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy
from services.auth.domain.grants import Freeze, Grant
from services.auth.domain.namespaces import NamespaceFacts, Visibility
from services.auth.domain.refusals import MAX_REASON_LENGTH, LapsedGrant, refused, sentence
from services.auth.domain.subjects import Narrowing, RobotHome, Subject, person, robot
from services.auth.domain.teams import Role
from shared.oci.scopes import parse_scopes

JANE = person(1, "jane")
ADMIN = person(2, "root", administrator=True)
AUDITOR = person(3, "auditor", auditor=True)
ROBOT = robot(1, "robot+ci", RobotHome())
ELSEWHERE = robot(1, "robot+b/ci", RobotHome(namespace_id=99))
DELETING = Policy(delete=DeletePolicy.OWNERS)
PUSH, PULL, DELETE = "repository:team-a/web:pull,push", "repository:team-a/web:pull", "repository:team-a/web:delete"


def facts(
    role: Role | None = None,
    visibility: Visibility = Visibility.PRIVATE,
    *,
    own: bool = False,
    personal: bool = False,
    grants: tuple[Grant, ...] = (),
    freezes: tuple[Freeze, ...] = (),
) -> NamespaceFacts:
    return NamespaceFacts(
        "team-a", visibility, role, own, id=5, team_id=6, team="platform", is_personal=personal, grants=grants,
        freezes=freezes,
    )  # fmt: skip


def told(
    subject: Subject,
    *scopes: str,
    namespace: NamespaceFacts | None = None,
    policy: Policy = DELETING,
    lapsed: tuple[LapsedGrant, ...] = (),
    token: str = "",
) -> str:
    known = {namespace.name: namespace} if namespace else {}
    verdicts = [decide_scope(subject, scope, known, policy) for scope in parse_scopes(scopes)]
    return sentence(refused(subject, verdicts, known, policy, lapsed=lapsed, token=token))


HERE = "in the namespace 'team-a'"
OWNERS = "an owner of the team 'platform' or an administrator"
NOTHING = (
    "there is no such namespace as 'team-a', or you have no part in it; "
    "an owner of its team or an administrator can give you one"
)


@pytest.mark.parametrize(
    ("subject", "scope", "namespace", "policy", "expected"),
    [
        pytest.param(
            JANE, PUSH, facts(Role.VIEWER), DELETING,
            f"no right to push to team-a/web: {HERE} you are a viewer of the team 'platform'; "
            f"it takes a contributor or an owner; {OWNERS} can give it to you",
            id="a viewer pushes",
        ),
        pytest.param(
            JANE, DELETE, facts(Role.CONTRIBUTOR), DELETING,
            f"no right to delete from team-a/web: {HERE} you are a contributor of the team 'platform'; "
            f"it takes an owner; {OWNERS} can give it to you",
            id="a contributor deletes",
        ),
        pytest.param(
            JANE, DELETE, facts(Role.VIEWER), Policy(delete=DeletePolicy.CONTRIBUTORS),
            f"no right to delete from team-a/web: {HERE} you are a viewer of the team 'platform'; "
            f"it takes a contributor or an owner; {OWNERS} can give it to you",
            id="a viewer deletes where contributors may",
        ),
        pytest.param(
            JANE, DELETE, facts(Role.OWNER), Policy(),
            f"no right to delete from team-a/web: {HERE} you are an owner of the team 'platform'; "
            "deleting is switched off for everybody; whoever runs Portus can switch it on",
            id="deleting is switched off",
        ),
        pytest.param(
            ADMIN, "repository:team-a/web:*", facts(), Policy(),
            f"no right to delete from team-a/web: {HERE} you are an administrator; "
            "deleting is switched off for everybody; whoever runs Portus can switch it on",
            id="everything at once",
        ),
        pytest.param(
            JANE, "repository:team-a/web:*", facts(Role.OWNER, freezes=(Freeze("release"),)), DELETING,
            f"no right to push to team-a/web: {HERE} you are an owner of the team 'platform'; "
            f"the namespace is frozen: release; {OWNERS} can end that",
            id="everything at once, and frozen",
        ),
        pytest.param(
            JANE, PUSH, facts(visibility=Visibility.PUBLIC), DELETING,
            f"no right to push to team-a/web: {HERE} you have no role in the team 'platform'; "
            f"it takes a contributor or an owner; {OWNERS} can give it to you",
            id="a stranger pushes to what is public",
        ),
        pytest.param(
            JANE, PUSH, facts(visibility=Visibility.PUBLIC, personal=True), DELETING,
            f"no right to push to team-a/web: {HERE} you have no role; it takes a grant; "
            "the one whose namespace it is or an administrator can give you one",
            id="another person's namespace",
        ),
        pytest.param(
            JANE, PUSH, facts(Role.OWNER), Policy(push=PushPolicy.ALLOW_PERSONAL),
            f"no right to push to team-a/web: {HERE} you are an owner of the team 'platform'; by the push policy "
            "people push to their own namespaces only; an administrator can grant it to you",
            id="only to one's own namespace",
        ),
        pytest.param(
            JANE, PUSH, facts(Role.OWNER, own=True, personal=True), Policy(push=PushPolicy.ADMIN_ONLY),
            f"no right to push to team-a/web: {HERE} you are the one whose namespace it is; "
            "by the push policy only administrators push; an administrator can grant it to you",
            id="administrators only",
        ),
        pytest.param(
            AUDITOR, PUSH, facts(), DELETING,
            f"no right to push to team-a/web: {HERE} you are an auditor, who reads and changes nothing; "
            "it takes a contributor or an owner; an administrator can give it to you",
            id="an auditor",
        ),
        pytest.param(
            ROBOT, PUSH, facts(visibility=Visibility.PUBLIC), DELETING,
            f"no right to push to team-a/web: {HERE} you have no role; it takes a grant; {OWNERS} can give you one",
            id="a robot",
        ),
        pytest.param(
            ROBOT, PUSH, facts(grants=(Grant(1, "team-a/*", frozenset({"pull"})),)), DELETING,
            f"no right to push to team-a/web: {HERE} you have no role; it takes a grant; {OWNERS} can give you one",
            id="a robot that may pull",
        ),
        pytest.param(ADMIN, DELETE, None, Policy(),
            f"no right to delete from team-a/web: {HERE} you are an administrator; "
            "there is no such namespace; make it first",
            id="an administrator deletes where there is no namespace",
        ),
        pytest.param(JANE, PUSH, None, DELETING, f"no right to push to team-a/web: {NOTHING}", id="no namespace"),
        pytest.param(JANE, PULL, facts(), DELETING, f"no right to pull from team-a/web: {NOTHING}", id="a private one"),
        pytest.param(
            JANE, "registry:catalog:*", None, DELETING,
            "no right to list the whole registry: it takes an administrator or an auditor; ask an administrator",
            id="the catalog",
        ),
        pytest.param(
            JANE, "repository:team-a/web:fly", facts(Role.OWNER), DELETING,
            f"no right to fly team-a/web: {HERE} you are an owner of the team 'platform'; "
            "'fly' on repository 'team-a/web' is nothing that can be granted",
            id="an action that there is not",
        ),
    ],
)  # fmt: skip
def test_the_sentence(
    subject: Subject, scope: str, namespace: NamespaceFacts | None, policy: Policy, expected: str
) -> None:
    assert told(subject, scope, namespace=namespace, policy=policy) == expected


def test_the_global_namespace_is_called_that() -> None:
    namespace = NamespaceFacts("", Visibility.PROTECTED, team="portus_global_team", is_personal=True)

    assert told(JANE, "repository:busybox:push", namespace=namespace) == (
        "no right to push to busybox: in the global namespace you have no role; it takes a grant; "
        "an administrator can give you one"
    )


def test_a_narrowed_token_is_named() -> None:
    subject = person(1, "jane", narrowing=Narrowing(frozenset({"pull"})))

    assert told(subject, PUSH, namespace=facts(Role.OWNER), token="ci") == (
        f"no right to push to team-a/web: {HERE} you are an owner of the team 'platform'; "
        "the application token 'ci' does not carry it; use one that does"
    )


@pytest.mark.parametrize("namespace", [None, facts(), facts(Role.OWNER)], ids=["missing", "private", "own"])
def test_a_token_for_other_namespaces_says_the_same_of_all(namespace: NamespaceFacts | None) -> None:
    subject = person(1, "jane", narrowing=Narrowing(None, frozenset({"other"})))

    assert told(subject, PUSH, namespace=namespace, token="ci") == (
        "no right to push to team-a/web: the application token 'ci' does not reach into the namespace 'team-a'"
    )


def test_a_narrowed_token_lists_no_registry() -> None:
    subject = person(2, "root", administrator=True, narrowing=Narrowing(frozenset({"pull"})))

    assert told(subject, "registry:catalog:*", token="ci").endswith("'ci' is for repositories only")


@pytest.mark.parametrize("namespace", [None, facts(), facts(Role.VIEWER)], ids=["missing", "private", "viewer"])
def test_a_grant_that_has_ended_is_spoken_of(namespace: NamespaceFacts | None) -> None:
    ended = [LapsedGrant("team-a/*", frozenset({"push"}), datetime(2026, 3, day, tzinfo=UTC)) for day in (1, 9)]

    assert told(JANE, PUSH, namespace=namespace, lapsed=tuple(ended)) == (
        "no right to push to team-a/web: your grant of it ended on 2026-03-09; "
        "whoever gave it to you or an administrator can renew it"
    )


@pytest.mark.parametrize(("pattern", "action"), [("team-a/other", "push"), ("team-a/*", "pull")])
def test_a_grant_of_something_else_is_not(pattern: str, action: str) -> None:
    lapsed = LapsedGrant(pattern, frozenset({action}), datetime(2026, 3, 1, tzinfo=UTC))

    assert NOTHING in told(JANE, PUSH, lapsed=(lapsed,))


def test_the_change_is_spoken_of_and_not_what_was_asked_along_with_it() -> None:
    assert told(JANE, "repository:a/b:pull", PUSH).startswith("no right to push to team-a/web")


def test_a_long_reason_is_cut_and_on_one_line() -> None:
    namespace = facts(Role.OWNER, freezes=(Freeze("first line\n" + "x" * 1000),))

    text = told(JANE, PUSH, namespace=namespace)

    assert "first line xxx" in text
    assert "…" in text
    assert len(text) < MAX_REASON_LENGTH + 250


@given(
    st.sampled_from([JANE, ROBOT, ELSEWHERE]),
    st.sampled_from(["pull", "push", "delete", "pull,push", "*"]),
    st.sampled_from(PushPolicy),
    st.sampled_from(DeletePolicy),
    st.sampled_from([(), (Grant(1, "other/*", frozenset({"push"})),)]),
    st.booleans(),
)
def test_a_private_namespace_is_told_like_a_missing_one(
    subject: Subject, actions: str, push: PushPolicy, delete: DeletePolicy, grants: tuple[Grant, ...], frozen: bool
) -> None:
    """Also by whoever was granted something elsewhere: such grants come along with every namespace."""
    private = facts(grants=grants, freezes=(Freeze("secret plan"),) if frozen else ())
    scope, policy = f"repository:team-a/web:{actions}", Policy(push, delete)

    assert told(subject, scope, namespace=private, policy=policy) == told(subject, scope, policy=policy)


def test_a_robot_is_told_nothing_of_where_it_does_not_belong() -> None:
    namespace = facts(grants=(Grant(1, "*", frozenset({"push"})),))

    assert told(ELSEWHERE, PUSH, namespace=namespace) == told(ELSEWHERE, PUSH)
