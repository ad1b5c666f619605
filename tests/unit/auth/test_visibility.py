"""The rule that lists is the rule that checks."""

from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.decisions import Policy, decide
from services.auth.domain.grants import Grant
from services.auth.domain.namespaces import NamespaceFacts, Visibility
from services.auth.domain.subjects import ANONYMOUS, INTERNAL, Narrowing, RobotHome, Subject, person, robot
from services.auth.domain.teams import Role
from services.auth.domain.visibility import sight_of

_SUBJECTS = st.sampled_from(
    [
        ANONYMOUS,
        INTERNAL,
        person(1, "jane"),
        person(2, "admin", administrator=True),
        person(3, "auditor", auditor=True),
        person(1, "jane", narrowing=Narrowing(frozenset({"pull"}), frozenset({"a"}))),
        person(2, "admin", administrator=True, narrowing=Narrowing(frozenset({"push"}))),
        robot(1, "robot+ci", RobotHome()),
        robot(2, "robot+a/ci", RobotHome(namespace_id=7)),
    ]
)
_NAMESPACES = st.builds(
    NamespaceFacts,
    st.text("abc", min_size=1, max_size=2),
    st.sampled_from(Visibility),
    st.none() | st.sampled_from(Role),
    st.booleans(),
    id=st.sampled_from([7, 8]),
)


@given(_SUBJECTS, _NAMESPACES)
def test_a_list_shows_exactly_what_may_be_pulled(subject: Subject, namespace: NamespaceFacts) -> None:
    # Nobody but a person has a role.
    role = namespace.role if subject.user_id else None
    facts = NamespaceFacts(namespace.name, namespace.visibility, role, id=namespace.id)
    sight = sight_of(subject)
    listed = sight.everything or role in sight.places[facts.visibility]

    allowed = decide(subject, "pull", "repository", f"{facts.name}/x", facts, Policy()).allowed

    assert allowed == (listed and (sight.only is None or facts.name in sight.only))


@given(_SUBJECTS)
def test_everything_includes_what_portus_does_not_know(subject: Subject) -> None:
    unknown = decide(subject, "pull", "repository", "nowhere/x", None, Policy())

    assert sight_of(subject).everything is unknown.allowed


@given(_SUBJECTS, st.sampled_from([7, 8]))
def test_a_grant_shows_more_only_where_it_counts(subject: Subject, namespace_id: int) -> None:
    grant = Grant(1, "*", frozenset({"pull"}))
    facts = NamespaceFacts("a", Visibility.PRIVATE, id=namespace_id, grants=(grant,))
    at_home = subject.home is None or subject.home.namespace_id in (None, namespace_id)

    allowed = decide(subject, "pull", "repository", "a/x", facts, Policy()).allowed

    sight = sight_of(subject)
    by_place = sight.everything or None in sight.places[Visibility.PRIVATE]
    assert allowed == (by_place or (sight.by_grant and at_home))
