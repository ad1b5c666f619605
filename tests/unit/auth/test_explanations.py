"""Why, by which paths, and what would change it: found by asking the rule itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy
from services.auth.domain.explanations import Giver, PathKind, Question, explain
from services.auth.domain.grants import Freeze, Grant
from services.auth.domain.namespaces import NamespaceFacts, Visibility
from services.auth.domain.subjects import ANONYMOUS, Narrowing, RobotHome, Subject, person, robot
from services.auth.domain.teams import Role

JANE = person(1, "jane")
ROBOT = robot(1, "robot+other/ci", RobotHome(namespace_id=99))


def ask(
    action: str = "push", *, subject: Subject = JANE, policy: Policy | None = None, known: bool = True, **facts: object
) -> Question:
    values = {"id": 5, "team_id": 6, "team": "platform", **facts}
    namespace = NamespaceFacts("team", values.pop("visibility", Visibility.PRIVATE), **values) if known else None  # type: ignore[arg-type]
    return Question(subject, action, "team/app", namespace, policy or Policy())


def changes(question: Question) -> list[str]:
    return [remedy.change for remedy in explain(question).remedies]


def test_a_refusal_names_the_smallest_role_that_would_do() -> None:
    assert "Become a contributor of the team 'platform'." in changes(ask("push", role=Role.VIEWER))
    assert "Become a viewer of the team 'platform'." in changes(ask("pull"))
    assert "Become an owner of the team 'platform'." in changes(
        ask("delete", role=Role.VIEWER, policy=Policy(delete=DeletePolicy.OWNERS))
    )


def test_a_role_does_not_help_where_only_administrators_push() -> None:
    question = ask("push", role=Role.OWNER, policy=Policy(push=PushPolicy.ADMIN_ONLY))

    remedies = explain(question).remedies

    assert [(remedy.change, remedy.givers) for remedy in remedies] == [
        ("Get a grant of push on team/app.", (Giver.ADMINISTRATORS,)),
        ("Set the push policy to allow-teams (PORTUS_PUSH_POLICY).", (Giver.OPERATOR,)),
    ]


def test_nobody_is_told_to_join_the_team_behind_a_person() -> None:
    assert not any("team" in change.split("on")[0] for change in changes(ask("push", is_personal=True)))


def test_a_frozen_namespace_is_thawed() -> None:
    assert changes(ask("push", role=Role.OWNER, freezes=(Freeze("release"),))) == ["End the freeze."]


def test_a_narrowed_token_is_replaced() -> None:
    subject = person(1, "jane", narrowing=Narrowing(frozenset({"pull"})))

    assert changes(ask("push", subject=subject, role=Role.OWNER)) == [
        "Use an application token that is not narrowed to less than this."
    ]


def test_anonymous_callers_log_in_or_wait_for_it_to_be_public() -> None:
    assert changes(ask("pull", subject=ANONYMOUS, visibility=Visibility.PROTECTED)) == [
        "Log in.",
        "Make the namespace public.",
    ]


def test_a_robot_away_from_home_is_not_told_to_get_a_grant() -> None:
    assert changes(ask("push", subject=ROBOT)) == []


def test_an_unknown_namespace_has_no_remedy() -> None:
    assert changes(ask("push", known=False)) == []


def test_every_path_is_named() -> None:
    grants = (
        Grant(1, "team/app", frozenset({"push"})),
        Grant(2, "*", frozenset({"push"}), "release"),
        Grant(3, "team/other", frozenset({"push"})),
        Grant(4, "*", frozenset({"pull"})),
    )

    found = explain(ask("push", role=Role.CONTRIBUTOR, grants=grants)).paths

    assert [(path.kind, path.grant_id, path.team) for path in found] == [
        (PathKind.STANDING, None, "platform"),
        (PathKind.GRANT, 1, ""),
        (PathKind.GRANT, 2, "release"),
    ]


_QUESTIONS = st.builds(
    ask,
    st.sampled_from(["pull", "push", "delete", "*"]),
    subject=st.sampled_from(
        [ANONYMOUS, JANE, ROBOT, person(2, "admin", administrator=True), person(3, "auditor", auditor=True)]
    ),
    policy=st.builds(Policy, st.sampled_from(PushPolicy), st.sampled_from(DeletePolicy)),
    known=st.booleans(),
    visibility=st.sampled_from(Visibility),
    role=st.none() | st.sampled_from(Role),
    freezes=st.sampled_from([(), (Freeze("x"),)]),
    grants=st.lists(st.sampled_from([Grant(1, "*", frozenset({"push"})), Grant(2, "team/x", frozenset({"pull"}))])).map(
        tuple
    ),
)


@given(_QUESTIONS)
def test_what_is_allowed_has_a_path_and_what_is_refused_has_none(question: Question) -> None:
    explanation = explain(question)

    assert bool(explanation.paths) is explanation.decision.allowed
    assert not (explanation.remedies and explanation.decision.allowed)


@pytest.mark.parametrize("action", ["pull", "push", "delete"])
def test_an_auditor_is_told_nothing_that_would_make_them_change_things(action: str) -> None:
    auditor = person(3, "auditor", auditor=True)
    explanation = explain(ask(action, subject=auditor, role=Role.OWNER, policy=Policy(delete=DeletePolicy.OWNERS)))

    assert explanation.decision.allowed is (action == "pull")
    assert explanation.remedies == ()
