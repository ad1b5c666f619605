"""The decision table, row by row; the columns are those of the Portus inventory, section 2.3."""

import itertools

import pytest

from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy, decide
from services.auth.domain.namespaces import GLOBAL_NAMESPACE, NamespaceFacts, Visibility
from services.auth.domain.subjects import ANONYMOUS, INTERNAL, Subject, person
from services.auth.domain.teams import Role

JANE = person(1, "jane")
ADMIN = person(2, "admin", administrator=True)

CALLERS: dict[str, tuple[Subject, Role | None, bool]] = {
    "anonymous": (ANONYMOUS, None, False),
    "stranger": (JANE, None, False),
    "viewer": (JANE, Role.VIEWER, False),
    "contributor": (JANE, Role.CONTRIBUTOR, False),
    "owner": (JANE, Role.OWNER, False),
    "personal owner": (JANE, Role.OWNER, True),
    "admin": (ADMIN, None, False),
    "portus": (INTERNAL, None, False),
}

PULL = {
    Visibility.PUBLIC: set(CALLERS),
    Visibility.PROTECTED: set(CALLERS) - {"anonymous"},
    Visibility.PRIVATE: set(CALLERS) - {"anonymous", "stranger"},
}
PUSH = {
    PushPolicy.ALLOW_TEAMS: {"contributor", "owner", "personal owner", "admin", "portus"},
    PushPolicy.ALLOW_PERSONAL: {"personal owner", "admin", "portus"},
    PushPolicy.ADMIN_ONLY: {"admin", "portus"},
}
DELETE = {
    DeletePolicy.NOBODY: set[str](),
    DeletePolicy.OWNERS: {"owner", "personal owner", "admin", "portus"},
    DeletePolicy.CONTRIBUTORS: {"contributor", "owner", "personal owner", "admin", "portus"},
}


def allowed(
    caller: str, action: str, *, visibility: Visibility | None = Visibility.PRIVATE, policy: Policy | None = None
) -> bool:
    subject, role, is_own = CALLERS[caller]
    facts = NamespaceFacts("n", visibility, role, is_own) if visibility else None
    return decide(subject, action, "repository", "n/x", facts, policy or Policy()).allowed


@pytest.mark.parametrize("visibility", Visibility)
@pytest.mark.parametrize("caller", CALLERS)
def test_who_may_pull(caller: str, visibility: Visibility) -> None:
    assert allowed(caller, "pull", visibility=visibility) is (caller in PULL[visibility])


@pytest.mark.parametrize("policy", PushPolicy)
@pytest.mark.parametrize("caller", CALLERS)
def test_who_may_push(caller: str, policy: PushPolicy) -> None:
    assert allowed(caller, "push", policy=Policy(push=policy)) is (caller in PUSH[policy])


@pytest.mark.parametrize("policy", DeletePolicy)
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("action", ["delete", "*"])
def test_who_may_delete_or_do_everything(caller: str, policy: DeletePolicy, action: str) -> None:
    assert allowed(caller, action, policy=Policy(delete=policy)) is (caller in DELETE[policy])


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("push", PushPolicy)
def test_everything_is_no_way_around_the_push_policy(caller: str, push: PushPolicy) -> None:
    """A registry reads ``*`` as pull, push and delete."""
    policy = Policy(push=push, delete=DeletePolicy.CONTRIBUTORS)

    everything = allowed(caller, "*", policy=policy)

    assert everything is all(allowed(caller, action, policy=policy) for action in ("pull", "push", "delete"))


@pytest.mark.parametrize("caller", CALLERS)
def test_only_portus_and_administrators_may_list_the_registry(caller: str) -> None:
    subject = CALLERS[caller][0]

    decision = decide(subject, "*", "registry", "catalog", None, Policy())

    assert decision.allowed is (caller in {"admin", "portus"})


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("action", ["pull", "push"])
def test_an_unknown_namespace_is_for_portus_and_administrators(caller: str, action: str) -> None:
    assert allowed(caller, action, visibility=None) is (caller in {"admin", "portus"})


@pytest.mark.parametrize("caller", ["admin", "portus"])
def test_where_deleting_is_off_not_even_an_unknown_namespace_opens_it(caller: str) -> None:
    assert not allowed(caller, "delete", visibility=None)


@pytest.mark.parametrize("visibility", Visibility)
@pytest.mark.parametrize(("action", "policy"), [("push", Policy()), ("delete", Policy(delete=DeletePolicy.OWNERS))])
def test_visibility_has_no_influence_on_writing(visibility: Visibility, action: str, policy: Policy) -> None:
    answers = {caller: allowed(caller, action, visibility=visibility, policy=policy) for caller in CALLERS}

    assert answers == {caller: allowed(caller, action, policy=policy) for caller in CALLERS}


@pytest.mark.parametrize(
    ("caller", "push", "pull"),
    [("anonymous", False, True), ("stranger", False, True), ("admin", True, True), ("portus", True, True)],
)
def test_the_global_namespace_is_pulled_from_by_all_and_pushed_to_by_administrators(
    caller: str, push: bool, pull: bool
) -> None:
    facts = NamespaceFacts(GLOBAL_NAMESPACE, Visibility.PUBLIC)

    answers = {
        action: decide(CALLERS[caller][0], action, "repository", "busybox", facts, Policy()).allowed
        for action in ("push", "pull")
    }

    assert answers == {"push": push, "pull": pull}


@pytest.mark.parametrize("action", ["member", "owner", "admin", "PULL", "", "**", "pull,push"])
@pytest.mark.parametrize("caller", CALLERS)
def test_nobody_may_do_what_is_no_action(caller: str, action: str) -> None:
    generous = Policy(delete=DeletePolicy.CONTRIBUTORS)

    assert not allowed(caller, action, visibility=Visibility.PUBLIC, policy=generous)


@pytest.mark.parametrize(
    ("resource_type", "name", "action"),
    [
        ("registry", "catalog", "pull"),
        ("registry", "catalog", "x"),
        ("registry", "other", "*"),
        ("whale", "n/x", "pull"),
    ],
)
def test_not_even_administrators_may_do_anything_to_other_resources(resource_type: str, name: str, action: str) -> None:
    assert not decide(ADMIN, action, resource_type, name, None, Policy()).allowed


def test_every_decision_gives_its_rule_and_a_reason() -> None:
    policy = Policy(PushPolicy.ADMIN_ONLY, DeletePolicy.OWNERS)
    for (subject, role, is_own), action in itertools.product(CALLERS.values(), ("pull", "push", "delete", "*", "fly")):
        decision = decide(
            subject, action, "repository", "n/x", NamespaceFacts("n", Visibility.PRIVATE, role, is_own), policy
        )
        assert decision.rule
        assert decision.reason


def test_a_refusal_says_what_would_be_needed() -> None:
    facts = NamespaceFacts("n", Visibility.PRIVATE, Role.VIEWER)

    decision = decide(JANE, "push", "repository", "n/x", facts, Policy())

    assert decision.rule == "push.allow-teams"
    assert decision.reason == "a viewer of the team may not: only contributors and owners of its team may push to it"
