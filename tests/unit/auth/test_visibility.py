"""The rule that lists is the rule that checks."""

from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.decisions import Policy, decide
from services.auth.domain.namespaces import NamespaceFacts, Visibility
from services.auth.domain.subjects import ANONYMOUS, INTERNAL, Subject, person
from services.auth.domain.teams import Role
from services.auth.domain.visibility import sight_of

_SUBJECTS = st.sampled_from([ANONYMOUS, INTERNAL, person(1, "jane"), person(2, "admin", administrator=True)])
_WORLD = st.lists(
    st.builds(
        NamespaceFacts,
        st.text("abc", min_size=1, max_size=3),
        st.sampled_from(Visibility),
        st.none() | st.sampled_from(Role),
        st.booleans(),
    )
)


@given(_SUBJECTS, _WORLD)
def test_a_list_shows_exactly_what_may_be_pulled(subject: Subject, world: list[NamespaceFacts]) -> None:
    listed = [facts for facts in world if sight_of(subject).covers(facts)]

    assert listed == [
        facts for facts in world if decide(subject, "pull", "repository", f"{facts.name}/x", facts, Policy()).allowed
    ]


@given(_SUBJECTS)
def test_everything_includes_what_portus_does_not_know(subject: Subject) -> None:
    unknown = decide(subject, "pull", "repository", "nowhere/x", None, Policy())

    assert sight_of(subject).everything is unknown.allowed
