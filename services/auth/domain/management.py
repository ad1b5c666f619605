"""Who may manage what: accounts, teams, namespaces and webhooks. One table, one answer, with its reason.

What may be done to images is ``domain.decisions``'s; this is about what stands around them. A row names
who may; whoever is not named may not. The switches of the installation take a right from everybody but
administrators.

Source: SUSE Portus, app/policies.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from services.auth.domain.decisions import Decision, DeletePolicy, Policy, Standing, decide, standing_with_role
from services.auth.domain.grants import Action
from services.auth.domain.namespaces import GLOBAL_NAMESPACE, NamespaceFacts, Visibility
from services.auth.domain.subjects import Subject
from services.auth.domain.teams import Role


class Operation(StrEnum):
    """What can be managed."""

    SHOW_USERS = "user.show"
    MANAGE_USERS = "user.manage"
    CREATE_TEAM = "team.create"
    SHOW_TEAM = "team.show"
    UPDATE_TEAM = "team.update"
    CHANGE_MEMBERS = "team.change_members"
    DELETE_TEAM = "team.delete"
    CREATE_NAMESPACE = "namespace.create"
    UPDATE_NAMESPACE = "namespace.update"
    CHANGE_VISIBILITY = "namespace.change_visibility"
    TRANSFER_NAMESPACE = "namespace.transfer"
    DELETE_NAMESPACE = "namespace.delete"
    FREEZE_NAMESPACE = "namespace.freeze"
    SHOW_FREEZES = "namespace.show_freezes"
    DESCRIBE_REPOSITORY = "repository.describe"
    GIVE_GRANT = "grant.give"
    MANAGE_ROBOTS = "robot.manage"
    SHOW_WEBHOOKS = "webhook.show"
    CREATE_WEBHOOK = "webhook.create"
    MANAGE_WEBHOOK = "webhook.manage"

    @property
    def phrase(self) -> str:
        """What somebody may or may not, in words."""
        return _PHRASES[self]


_PHRASES: Mapping[Operation, str] = {
    Operation.SHOW_USERS: "see accounts",
    Operation.MANAGE_USERS: "manage accounts",
    Operation.CREATE_TEAM: "make a team",
    Operation.SHOW_TEAM: "see the team",
    Operation.UPDATE_TEAM: "change the team",
    Operation.CHANGE_MEMBERS: "change who is in the team",
    Operation.DELETE_TEAM: "delete the team",
    Operation.CREATE_NAMESPACE: "make a namespace for this team",
    Operation.UPDATE_NAMESPACE: "describe the namespace",
    Operation.CHANGE_VISIBILITY: "change who sees the namespace",
    Operation.TRANSFER_NAMESPACE: "give the namespace to another team",
    Operation.DELETE_NAMESPACE: "delete the namespace",
    Operation.FREEZE_NAMESPACE: "freeze anything in the namespace",
    Operation.SHOW_FREEZES: "see what is frozen in the namespace",
    Operation.DESCRIBE_REPOSITORY: "describe repositories of the namespace",
    Operation.GIVE_GRANT: "give or take grants in the namespace",
    Operation.MANAGE_ROBOTS: "manage its robots",
    Operation.SHOW_WEBHOOKS: "see webhooks of the namespace",
    Operation.CREATE_WEBHOOK: "make and delete webhooks of the namespace",
    Operation.MANAGE_WEBHOOK: "change webhooks of the namespace",
}


@dataclass(frozen=True, slots=True)
class Switches:
    """What others than administrators may do at all: ``user_permission.*`` of SUSE Portus."""

    change_visibility: bool = True
    create_team: bool = True
    manage_team: bool = True
    create_namespace: bool = True
    manage_namespace: bool = True
    create_webhook: bool = True
    manage_webhook: bool = True


@dataclass(frozen=True, slots=True)
class Rules:
    """What the administrators of this installation have settled."""

    policy: Policy = field(default_factory=Policy)
    switches: Switches = field(default_factory=Switches)

    def under(self, policy: Policy) -> "Rules":
        """Return the rules where another policy holds: in another registry."""
        return replace(self, policy=policy)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is to be managed, as one caller sees it."""

    role: Role | None = None
    """The caller's own in the team."""
    namespace: NamespaceFacts | None = None
    is_fixed: bool = False
    """Whether the team, or the namespace, stands behind one person or is the global one."""


NOWHERE = Place()
"""For what is managed in no team: accounts, and teams that are yet to be made."""


def team_place(role: Role | None, *, hidden: bool = False) -> Place:
    """Return a team as a place.

    Args:
        hidden: whether it stands behind one person or the global namespace.
    """
    return Place(role, is_fixed=hidden)


def namespace_place(facts: NamespaceFacts, *, is_personal: bool) -> Place:
    """Return a namespace as a place.

    Args:
        is_personal: whether it is somebody's personal one.
    """
    if facts.name == GLOBAL_NAMESPACE:
        # Its team has no members, and would give them no right.
        return Place(None, replace(facts, role=None), is_fixed=True)
    return Place(facts.role, facts, is_fixed=is_personal)


def new_namespace_place(name: str, role: Role | None) -> Place:
    """Return a namespace that is yet to be made.

    Args:
        role: the caller's own in the team that it is made for.
    """
    return Place(role, NamespaceFacts(name, Visibility.PRIVATE, role))


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table."""

    allowed: frozenset[Standing]
    refusal: str
    """Who may, in words."""
    switch: str | None = None
    """The field of ``Switches`` that takes it from all but administrators."""
    needs: Action | None = None
    """What the caller must be able to do to images of the namespace, too."""
    fixed: str = ""
    """Why nobody does it to what is fixed; empty: it can be done."""
    deletes: bool = False
    """Whether it is switched off together with all deleting."""


_ADMINISTRATORS = frozenset({Standing.ADMINISTRATOR})
_OVERSEERS = _ADMINISTRATORS | {Standing.AUDITOR}
_OWNERS = _ADMINISTRATORS | {Standing.OWNER, Standing.PERSONAL_OWNER}
_MEMBERS = _OWNERS | _OVERSEERS | {Standing.CONTRIBUTOR, Standing.VIEWER}
_PEOPLE = _MEMBERS - {Standing.AUDITOR} | {Standing.OUTSIDER}

_OWNERS_OF_TEAM = "only owners of the team and administrators may"
_MEMBERS_OF_TEAM = "only members of the team may"
_ADMINISTRATORS_ONLY = "only administrators may"
_HIDDEN_TEAM = "the team belongs to one person or to the global namespace"
_FIXED_NAMESPACE = "the global namespace and personal ones stay where they are"
_GOES_WITH_ITS_PERSON = "the global namespace stays, and a personal one goes with its person"

_RULES: Mapping[Operation, Rule] = {
    Operation.SHOW_USERS: Rule(_OVERSEERS, "only administrators and auditors may"),
    Operation.MANAGE_USERS: Rule(_ADMINISTRATORS, _ADMINISTRATORS_ONLY),
    Operation.CREATE_TEAM: Rule(_PEOPLE, "only people may", switch="create_team"),
    Operation.SHOW_TEAM: Rule(_MEMBERS, _MEMBERS_OF_TEAM, fixed=_HIDDEN_TEAM),
    Operation.UPDATE_TEAM: Rule(_OWNERS, _OWNERS_OF_TEAM, switch="manage_team", fixed=_HIDDEN_TEAM),
    Operation.CHANGE_MEMBERS: Rule(_OWNERS, _OWNERS_OF_TEAM, fixed=_HIDDEN_TEAM),
    Operation.DELETE_TEAM: Rule(_OWNERS, _OWNERS_OF_TEAM, fixed=_HIDDEN_TEAM, deletes=True),
    Operation.CREATE_NAMESPACE: Rule(_PEOPLE, "only people may", switch="create_namespace", needs=Action.PUSH),
    Operation.UPDATE_NAMESPACE: Rule(_OWNERS, _OWNERS_OF_TEAM, switch="manage_namespace", needs=Action.PUSH),
    Operation.CHANGE_VISIBILITY: Rule(_OWNERS, _OWNERS_OF_TEAM, switch="change_visibility"),
    Operation.TRANSFER_NAMESPACE: Rule(_OWNERS, _OWNERS_OF_TEAM, switch="manage_namespace", fixed=_FIXED_NAMESPACE),
    Operation.DELETE_NAMESPACE: Rule(
        _PEOPLE, "only people may", needs=Action.DELETE, fixed=_GOES_WITH_ITS_PERSON, deletes=True
    ),
    Operation.FREEZE_NAMESPACE: Rule(_OWNERS, _OWNERS_OF_TEAM),
    # The name of a frozen repository may be one that only the team knows.
    Operation.SHOW_FREEZES: Rule(_MEMBERS, _MEMBERS_OF_TEAM),
    Operation.DESCRIBE_REPOSITORY: Rule(_OWNERS, _OWNERS_OF_TEAM),
    Operation.GIVE_GRANT: Rule(_OWNERS, _OWNERS_OF_TEAM),
    Operation.MANAGE_ROBOTS: Rule(_OWNERS, _OWNERS_OF_TEAM),
    Operation.SHOW_WEBHOOKS: Rule(_MEMBERS, _MEMBERS_OF_TEAM),
    Operation.CREATE_WEBHOOK: Rule(_OWNERS, _OWNERS_OF_TEAM, switch="create_webhook"),
    Operation.MANAGE_WEBHOOK: Rule(_OWNERS, _OWNERS_OF_TEAM, switch="manage_webhook"),
}


def decide_management(subject: Subject, operation: Operation, place: Place, rules: Rules) -> Decision:
    """Decide one operation in one place."""
    if subject.narrowing is not None:
        return Decision(False, "token.narrowed", "the application token is narrowed: it is for the registry only")
    rule, namespace = _RULES[operation], place.namespace
    standing = standing_with_role(subject, place.role, is_own=namespace is not None and namespace.is_own)
    if standing not in rule.allowed:
        return Decision(False, operation, f"{standing} may not: {rule.refusal}")
    if rule.fixed and place.is_fixed:
        return Decision(False, f"{operation}.fixed", f"nobody may: {rule.fixed}")
    if rule.deletes and rules.policy.delete is DeletePolicy.NOBODY:
        return Decision(False, f"{operation}.off", "deleting is switched off here (PORTUS_DELETE_ENABLED)")
    if rule.switch and standing is not Standing.ADMINISTRATOR and not getattr(rules.switches, rule.switch):
        switch = f"PORTUS_USER_PERMISSION_{rule.switch.upper()}_ENABLED"
        return Decision(False, f"{operation}.off", f"only administrators may here ({switch})")
    if rule.needs and namespace:
        needed = _decide_need(subject, rule.needs, namespace, rules.policy)
        return needed if not needed.allowed else Decision(True, operation, needed.reason)
    return Decision(True, operation, f"{standing} may")


@dataclass(frozen=True, slots=True)
class NamespaceRights:
    """What a caller may do in a namespace; field names are those of the Portus API."""

    role: Role | None
    pull: bool
    push: bool
    webhooks: bool
    visibility: bool


def namespace_rights(subject: Subject, place: Place, facts: NamespaceFacts, rules: Rules) -> NamespaceRights:
    """Return what a caller may do in a namespace: to images that nobody has frozen or granted by name."""
    name = _any_repository(facts)
    return NamespaceRights(
        role=place.role,
        pull=decide(subject, Action.PULL, "repository", name, facts, rules.policy).allowed,
        push=decide(subject, Action.PUSH, "repository", name, facts, rules.policy).allowed,
        webhooks=decide_management(subject, Operation.SHOW_WEBHOOKS, place, rules).allowed,
        visibility=decide_management(subject, Operation.CHANGE_VISIBILITY, place, rules).allowed,
    )


def _any_repository(namespace: NamespaceFacts) -> str:
    return f"{namespace.name}/any" if namespace.name else "any"


def _decide_need(subject: Subject, action: Action, namespace: NamespaceFacts, policy: Policy) -> Decision:
    # Managing is for the team: what somebody was granted reaches images only, and so does a freeze.
    bare = replace(namespace, grants=(), freezes=())
    return decide(subject, action, "repository", _any_repository(bare), bare, policy)
