"""The table of who may manage what, row by row and switch by switch. Source: the inventory of Portus, section 5.4."""

from dataclasses import fields, replace

import pytest

from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy
from services.auth.domain.grants import Freeze, Grant
from services.auth.domain.management import (
    NOWHERE,
    Operation,
    Place,
    Rules,
    Switches,
    decide_management,
    namespace_place,
    new_namespace_place,
    team_place,
)
from services.auth.domain.namespaces import GLOBAL_NAMESPACE, NamespaceFacts, Visibility
from services.auth.domain.patterns import EVERYTHING
from services.auth.domain.subjects import ANONYMOUS, INTERNAL, RobotHome, Subject, person, robot
from services.auth.domain.teams import Role

JANE = person(1, "jane")
CALLERS: dict[str, tuple[Subject, Role | None, bool]] = {
    "anonymous": (ANONYMOUS, None, False),
    "portus": (INTERNAL, None, False),
    "robot": (robot(1, "robot+ci", RobotHome()), None, False),
    "outsider": (JANE, None, False),
    "viewer": (JANE, Role.VIEWER, False),
    "contributor": (JANE, Role.CONTRIBUTOR, False),
    "owner": (JANE, Role.OWNER, False),
    "personal owner": (JANE, Role.OWNER, True),
    "auditor": (person(2, "auditor", auditor=True), None, False),
    "auditing owner": (person(2, "auditor", auditor=True), Role.OWNER, False),
    "admin": (person(3, "admin", administrator=True), None, False),
}

ADMIN = {"admin"}
OWNERS = {"owner", "personal owner", "admin"}
CONTRIBUTORS = OWNERS | {"contributor"}
MEMBERS = CONTRIBUTORS | {"viewer", "auditor", "auditing owner"}
PEOPLE = CONTRIBUTORS | {"viewer", "outsider"}

NAMESPACE_OPERATIONS = {operation for operation in Operation if operation.startswith(("namespace.", "webhook."))}
DELETING = Policy(delete=DeletePolicy.OWNERS)

# Who may with everything switched on, and the switch that leaves it to administrators.
TABLE: dict[Operation, tuple[set[str], str | None]] = {
    Operation.SHOW_USERS: (ADMIN | {"auditor", "auditing owner"}, None),
    Operation.MANAGE_USERS: (ADMIN, None),
    Operation.CREATE_TEAM: (PEOPLE, "create_team"),
    Operation.SHOW_TEAM: (MEMBERS, None),
    Operation.UPDATE_TEAM: (OWNERS, "manage_team"),
    Operation.CHANGE_MEMBERS: (OWNERS, None),
    Operation.DELETE_TEAM: (OWNERS, None),
    Operation.CREATE_NAMESPACE: (CONTRIBUTORS, "create_namespace"),
    Operation.UPDATE_NAMESPACE: (OWNERS, "manage_namespace"),
    Operation.CHANGE_VISIBILITY: (OWNERS, "change_visibility"),
    Operation.TRANSFER_NAMESPACE: (OWNERS, "manage_namespace"),
    Operation.DELETE_NAMESPACE: (OWNERS, None),
    Operation.FREEZE_NAMESPACE: (OWNERS, None),
    Operation.DESCRIBE_REPOSITORY: (OWNERS, None),
    Operation.GIVE_GRANT: (OWNERS, None),
    Operation.MANAGE_ROBOTS: (OWNERS, None),
    Operation.SHOW_FREEZES: (MEMBERS, None),
    Operation.SHOW_WEBHOOKS: (MEMBERS, None),
    Operation.CREATE_WEBHOOK: (OWNERS, "create_webhook"),
    Operation.MANAGE_WEBHOOK: (OWNERS, "manage_webhook"),
}
SWITCHES = [field.name for field in fields(Switches)]


def place_for(caller: str, operation: Operation, **facts: object) -> Place:
    _, role, is_own = CALLERS[caller]
    if operation is Operation.CREATE_NAMESPACE:
        return new_namespace_place("n", role)
    if operation in NAMESPACE_OPERATIONS:
        namespace = NamespaceFacts("n", Visibility.PUBLIC, role, is_own, id=7)
        return namespace_place(replace(namespace, **facts), is_personal=False)  # type: ignore[arg-type]
    return team_place(role)


def who_may(operation: Operation, rules: Rules, **facts: object) -> set[str]:
    return {
        caller
        for caller, (subject, _, _) in CALLERS.items()
        if decide_management(subject, operation, place_for(caller, operation, **facts), rules).allowed
    }


@pytest.mark.parametrize("operation", Operation)
def test_who_may_where_everything_is_switched_on(operation: Operation) -> None:
    assert who_may(operation, Rules(DELETING)) == TABLE[operation][0]


@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("operation", Operation)
def test_a_switch_leaves_its_operations_to_administrators_and_touches_no_other(
    operation: Operation, switch: str
) -> None:
    callers, own_switch = TABLE[operation]

    allowed = who_may(operation, Rules(DELETING, Switches(**{switch: False})))

    assert allowed == (ADMIN if switch == own_switch else callers)


def test_every_switch_belongs_to_an_operation() -> None:
    assert {switch for _, switch in TABLE.values() if switch} == set(SWITCHES)


@pytest.mark.parametrize("operation", Operation)
def test_where_deleting_is_off_nobody_deletes_and_all_else_goes_on(operation: Operation) -> None:
    deletes = {Operation.DELETE_NAMESPACE, Operation.DELETE_TEAM}

    assert who_may(operation, Rules()) == (set() if operation in deletes else TABLE[operation][0])


def test_contributors_delete_namespaces_where_they_may_delete_images() -> None:
    rules = Rules(Policy(delete=DeletePolicy.CONTRIBUTORS))

    assert who_may(Operation.DELETE_NAMESPACE, rules) == CONTRIBUTORS
    assert who_may(Operation.DELETE_TEAM, rules) == OWNERS


@pytest.mark.parametrize(
    ("push", "creators", "updaters"),
    [
        (PushPolicy.ALLOW_TEAMS, CONTRIBUTORS, OWNERS),
        (PushPolicy.ALLOW_PERSONAL, ADMIN, ADMIN | {"personal owner"}),
        (PushPolicy.ADMIN_ONLY, ADMIN, ADMIN),
    ],
)
def test_whoever_could_not_push_neither_makes_nor_describes_a_namespace(
    push: PushPolicy, creators: set[str], updaters: set[str]
) -> None:
    rules = Rules(Policy(push=push))

    assert who_may(Operation.CREATE_NAMESPACE, rules) == creators
    assert who_may(Operation.UPDATE_NAMESPACE, rules) == updaters


@pytest.mark.parametrize("operation", sorted(NAMESPACE_OPERATIONS - {Operation.CREATE_NAMESPACE}))
def test_a_role_in_the_team_of_the_global_namespace_gives_nothing(operation: Operation) -> None:
    namespace = NamespaceFacts(GLOBAL_NAMESPACE, Visibility.PUBLIC, Role.OWNER, id=1)
    place = namespace_place(namespace, is_personal=False)

    assert not decide_management(JANE, operation, place, Rules(DELETING)).allowed


@pytest.mark.parametrize("operation", [Operation.TRANSFER_NAMESPACE, Operation.DELETE_NAMESPACE])
@pytest.mark.parametrize(("name", "is_personal"), [(GLOBAL_NAMESPACE, False), ("jane", True)])
def test_not_even_administrators_move_or_delete_what_is_fixed(
    operation: Operation, name: str, is_personal: bool
) -> None:
    place = namespace_place(NamespaceFacts(name, Visibility.PUBLIC, id=1), is_personal=is_personal)

    decision = decide_management(CALLERS["admin"][0], operation, place, Rules(DELETING))

    assert (decision.allowed, decision.rule) == (False, f"{operation}.fixed")


@pytest.mark.parametrize("operation", [op for op in Operation if op.startswith("team.") and op != "team.create"])
def test_nobody_manages_a_hidden_team(operation: Operation) -> None:
    place = team_place(Role.OWNER, hidden=True)

    assert not any(
        decide_management(subject, operation, place, Rules(DELETING)).allowed for subject, _, _ in CALLERS.values()
    )


@pytest.mark.parametrize("operation", [Operation.UPDATE_NAMESPACE, Operation.DELETE_NAMESPACE])
def test_neither_grants_nor_freezes_change_who_manages(operation: Operation) -> None:
    everything = Grant(1, EVERYTHING, frozenset({"pull", "push", "delete"}), from_administrator=True)
    extra = {"grants": (everything,), "freezes": (Freeze("a release"),)}

    assert who_may(operation, Rules(DELETING), **extra) == TABLE[operation][0]


def test_a_refusal_says_who_may_and_what_switches_it_off() -> None:
    owner, outsider = CALLERS["owner"][0], CALLERS["outsider"][0]
    off = Rules(DELETING, Switches(manage_team=False))

    switched_off = decide_management(owner, Operation.UPDATE_TEAM, team_place(Role.OWNER), off)
    foreign = decide_management(outsider, Operation.UPDATE_TEAM, team_place(None), Rules())
    nowhere = decide_management(outsider, Operation.MANAGE_USERS, NOWHERE, Rules())

    assert switched_off.reason == "only administrators may here (PORTUS_USER_PERMISSION_MANAGE_TEAM_ENABLED)"
    assert foreign.reason == "somebody outside the team may not: only owners of the team and administrators may"
    assert nowhere.reason.endswith("only administrators may")
