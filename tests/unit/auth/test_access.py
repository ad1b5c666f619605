"""Each action of each scope is decided on its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.access import check_supported, decide_scope, namespaces_of
from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy, decide
from services.auth.domain.namespaces import GLOBAL_NAMESPACE, NamespaceFacts, Visibility
from services.auth.domain.subjects import ANONYMOUS, INTERNAL, Subject, person
from services.auth.domain.teams import Role
from shared.oci.scopes import InvalidScope, Scope, parse_scopes

JANE = person(1, "jane")
ADMIN = person(2, "admin", administrator=True)
GENEROUS = Policy(delete=DeletePolicy.CONTRIBUTORS)


def granted(subject: Subject, text: str, *facts: NamespaceFacts, policy: Policy = GENEROUS) -> list[str]:
    namespaces = {fact.name: fact for fact in facts}
    verdicts = [decide_scope(subject, scope, namespaces, policy) for scope in parse_scopes([text])]
    return [str(verdict.granted) for verdict in verdicts if verdict.granted]


@pytest.mark.parametrize("subject", [ANONYMOUS, JANE], ids=["anonymous", "stranger"])
@pytest.mark.parametrize(
    "text",
    [
        "repository:n/x:*,push,pull",
        "repository:n/x:push,*,pull",
        "repository:n/x:*",
        "registry:catalog:x,*",
        "registry:catalog:*,x",
        "registry:catalog:*",
    ],
)
def test_a_wildcard_opens_nothing_to_a_stranger(subject: Subject, text: str) -> None:
    """SUSE Portus left the other actions of a list unchecked when one of them was a wildcard."""
    assert granted(subject, text, NamespaceFacts("n", Visibility.PRIVATE)) == []


def test_a_wildcard_that_is_refused_takes_nothing_else_with_it() -> None:
    facts = NamespaceFacts("n", Visibility.PRIVATE, Role.CONTRIBUTOR)

    assert granted(JANE, "repository:n/x:*,push,pull", facts, policy=Policy()) == ["repository:n/x:pull,push"]


def test_a_wildcard_that_is_granted_stays_one() -> None:
    facts = NamespaceFacts("n", Visibility.PRIVATE, Role.OWNER)

    assert granted(JANE, "repository:n/x:*", facts) == ["repository:n/x:*"]


def test_partial_grant_keeps_what_is_allowed() -> None:
    facts = NamespaceFacts("n", Visibility.PRIVATE, Role.VIEWER)

    assert granted(JANE, "repository:n/x:push,pull,delete", facts) == ["repository:n/x:pull"]


def test_unknown_actions_are_dropped() -> None:
    assert granted(ADMIN, "repository:n/x:pull,member,owner", NamespaceFacts("n", Visibility.PRIVATE)) == [
        "repository:n/x:pull"
    ]


def test_each_scope_is_decided_by_its_own_namespace() -> None:
    facts = (NamespaceFacts("mine", Visibility.PRIVATE, Role.OWNER), NamespaceFacts("open", Visibility.PUBLIC))
    text = "repository:mine/x:pull,push repository:open/x:pull,push repository:theirs/x:pull"

    assert granted(JANE, text, *facts) == ["repository:mine/x:pull,push", "repository:open/x:pull"]


def test_a_name_without_a_slash_lies_in_the_global_namespace() -> None:
    facts = (NamespaceFacts(GLOBAL_NAMESPACE, Visibility.PUBLIC), NamespaceFacts("app", Visibility.PRIVATE))

    assert granted(ANONYMOUS, "repository:app:pull", *facts) == ["repository:app:pull"]


def test_a_class_is_kept() -> None:
    facts = NamespaceFacts("n", Visibility.PUBLIC)

    assert granted(ANONYMOUS, "repository(plugin):n/x:pull", facts) == ["repository(plugin):n/x:pull"]


def test_the_namespaces_to_read_are_those_of_the_repositories() -> None:
    scopes = parse_scopes(["repository:a/b:pull repository:a/c:pull repository:d:pull registry:catalog:*"])

    assert namespaces_of(scopes) == {"a", GLOBAL_NAMESPACE}


def test_an_unknown_type_is_refused_by_name() -> None:
    with pytest.raises(InvalidScope, match="whale"):
        check_supported([Scope("repository", "a/b", ("pull",)), Scope("whale", "a/b", ("pull",))])


_SUBJECTS = st.sampled_from([ANONYMOUS, INTERNAL, JANE, ADMIN])
_ACTIONS = st.lists(st.sampled_from(["pull", "push", "delete", "*", "member", "x"]), max_size=6)
_FACTS = st.none() | st.builds(
    NamespaceFacts, st.just("n"), st.sampled_from(Visibility), st.none() | st.sampled_from(Role), st.booleans()
)
_POLICIES = st.builds(Policy, st.sampled_from(PushPolicy), st.sampled_from(DeletePolicy))


@given(_SUBJECTS, _ACTIONS, _FACTS, _POLICIES)
def test_company_never_changes_a_decision(
    subject: Subject, actions: list[str], facts: NamespaceFacts | None, policy: Policy
) -> None:
    """An action is granted in a list exactly when it is granted alone."""
    scope = parse_scopes([f"repository:n/x:{','.join(actions)}"])[0]

    verdict = decide_scope(subject, scope, {"n": facts} if facts else {}, policy)

    alone = [action for action in scope.actions if decide(subject, action, "repository", "n/x", facts, policy).allowed]
    assert (list(verdict.granted.actions) if verdict.granted else []) == alone
