"""The bodies of grants and custom roles."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from services.auth.api.fields import MAX_ID, Dated, Input, moment, seconds, take_lifetime, text
from services.auth.api.schemas import RegistryRefOutput, shown_namespace
from services.auth.api.services import services
from services.auth.domain.accounts import MAX_USERNAME_LENGTH
from services.auth.domain.decisions import why_void
from services.auth.domain.grants import (
    MAX_REASON_LENGTH,
    Action,
    Gift,
    GrantChange,
    Grantee,
    GranteeKind,
    NewGrant,
    Terms,
)
from services.auth.domain.patterns import MAX_PATTERN_LENGTH
from services.auth.domain.roles import MAX_ROLE_NAME_LENGTH, NewRole, RoleChange
from services.auth.domain.teams import MAX_DESCRIPTION_LENGTH, MAX_TEAM_NAME_LENGTH
from services.auth.storage.grants import GrantView
from services.auth.storage.places import NamespacePlace

_MAX_REGISTRY_NAME_LENGTH = 255
_PATTERN = (
    "A glob on full repository names; * stands for any run of characters. Everything in the namespace unless given."
)
_VOID = "Actions that it does not allow under the present policy, each with the reason."
_TTL = "How long it is to be good, in seconds, instead of expires_at."


def actions_field(**options: Any) -> fields.List[Any]:
    """Return a field for the actions of a grant, a role or a token."""
    return fields.List(fields.Enum(Action, by_value=True), validate=validate.Length(1, len(Action)), **options)


def take_gift(values: dict[str, Any]) -> Gift:
    """Take ``actions`` and ``role`` out of what a request holds."""
    actions = values.pop("actions", None)
    return Gift(None if actions is None else frozenset(map(str, actions)), values.pop("role", None))


def check_gift_fields(values: dict[str, Any], *, needed: bool) -> None:
    """Check that a request names either actions or a role.

    Raises:
        ValidationError: it names both, or none though it must.
    """
    given = [name for name in ("actions", "role") if values.get(name) is not None]
    if len(given) > 1 or (needed and not given):
        raise ValidationError("name either actions or a custom role", "actions")


def _sorted_actions(view: Any) -> list[str]:
    return sorted(view.actions)


def sorted_actions() -> fields.Function:
    """Return a field that shows actions in their order."""
    return fields.Function(_sorted_actions, metadata={"type": "array", "items": {"type": "string"}})


def _void(grant: GrantView) -> dict[str, str]:
    installation = services().settings.policy
    policy = grant.registry_facts.policy(installation) if grant.registry_facts else installation
    reasons = {
        action: why_void(
            action, from_administrator=grant.from_administrator, to_auditor=grant.to_auditor, policy=policy
        )
        for action in sorted(grant.actions)
    }
    return {action: reason for action, reason in reasons.items() if reason}


class GranteeOutput(Schema):
    """Who has a grant."""

    kind = fields.Enum(GranteeKind, by_value=True)
    id = fields.Integer()
    name = fields.String()


def _name(place: NamespacePlace) -> str:
    return place.name or place.registry_host or shown_namespace(place.name)


class NamespacePlaceOutput(Schema):
    """A namespace, as far as grants and robots mention it."""

    id = fields.Integer()
    name = fields.Function(_name, metadata={"type": "string"})


class GrantOutput(Dated):
    """A grant; without a namespace it holds in all of the registry, and without that in all of all."""

    id = fields.Integer()
    grantee = fields.Nested(GranteeOutput)
    namespace = fields.Nested(NamespacePlaceOutput, allow_none=True)
    registry = fields.Nested(RegistryRefOutput, allow_none=True)
    pattern = fields.String()
    actions = sorted_actions()
    role = fields.String(allow_none=True, metadata={"description": "The custom role that the actions come from."})
    expires_at = fields.AwareDateTime(allow_none=True)
    expired = fields.Boolean()
    reason = fields.String()
    from_administrator = fields.Boolean()
    void = fields.Function(
        _void, metadata={"type": "object", "additionalProperties": {"type": "string"}, "description": _VOID}
    )
    created_by = fields.String()


class TermsInput(Input):
    """What a grant is to give, and to whom: one of ``user``, ``team`` and ``robot``, by the exact name."""

    user = text(shortest=1, longest=MAX_USERNAME_LENGTH)
    team = text(shortest=1, longest=MAX_TEAM_NAME_LENGTH)
    robot = text(shortest=1, longest=MAX_USERNAME_LENGTH)
    actions = actions_field(allow_none=True)
    role = text(shortest=1, longest=MAX_ROLE_NAME_LENGTH, allow_none=True)
    pattern = text(longest=MAX_PATTERN_LENGTH, metadata={"description": _PATTERN})
    expires_at = moment(allow_none=True)
    ttl_s = seconds(metadata={"description": _TTL})
    reason = text(longest=MAX_REASON_LENGTH, lines=True, load_default="")

    @validates_schema
    def check(self, values: dict[str, Any], **_options: Any) -> None:
        """Check that there is one grantee, and something to give."""
        check_gift_fields(values, needed=True)
        if sum(kind.value in values for kind in GranteeKind) != 1:
            raise ValidationError("name one of user, team and robot", "grantee")

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> NewGrant:
        """Put the values together."""
        kind = next(kind for kind in GranteeKind if kind.value in values)
        lifetime = take_lifetime(values)
        terms = Terms(take_gift(values), values.get("pattern"), lifetime, values["reason"])
        grantee = Grantee(kind, values[kind.value])
        return NewGrant(grantee, terms, values.get("namespace_id"), values.get("registry"))


class NewGrantInput(TermsInput):
    """A grant to be given; administrators may leave the namespace out."""

    namespace_id = fields.Integer(strict=True, validate=validate.Range(1, MAX_ID))
    registry = text(
        longest=_MAX_REGISTRY_NAME_LENGTH,
        metadata={"description": "Without a namespace: the one registry in which it holds, by its name."},
    )

    @validates_schema
    def check_place(self, values: dict[str, Any], **_options: Any) -> None:
        """Check that it is not to hold at two places."""
        if "namespace_id" in values and "registry" in values:
            raise ValidationError("is known by the namespace: name one of the two", "registry")


class GrantChangeInput(Input):
    """What is to be different about a grant; ``expires_at: null`` takes its end away."""

    actions = actions_field()
    role = text(shortest=1, longest=MAX_ROLE_NAME_LENGTH)
    expires_at = moment(allow_none=True)
    ttl_s = seconds(metadata={"description": _TTL})
    reason = text(longest=MAX_REASON_LENGTH, lines=True)

    @validates_schema
    def check(self, values: dict[str, Any], **_options: Any) -> None:
        """Check that it says one thing only."""
        check_gift_fields(values, needed=False)

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> GrantChange:
        """Put the values together."""
        gift = take_gift(values) if {"actions", "role"} & values.keys() else None
        lifetime = take_lifetime(values) if {"expires_at", "ttl_s"} & values.keys() else None
        return GrantChange(gift, lifetime, values.get("reason"))


class RoleOutput(Dated):
    """A role; one that is built in has neither id nor times, and nobody changes it."""

    id = fields.Integer(allow_none=True)
    name = fields.String()
    description = fields.String()
    actions = sorted_actions()
    built_in = fields.Boolean()
    grants_count = fields.Integer(metadata={"description": "Grants that carry it, those that have expired included."})
    created_at = fields.AwareDateTime(allow_none=True)
    updated_at = fields.AwareDateTime(allow_none=True)


class NewRoleInput(Input):
    """A custom role to be made."""

    name = text(shortest=1, longest=MAX_ROLE_NAME_LENGTH, required=True)
    actions = actions_field(required=True)
    description = text(longest=MAX_DESCRIPTION_LENGTH, lines=True, load_default="")

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> NewRole:
        """Put the values together."""
        return NewRole(**values | {"actions": frozenset(map(str, values["actions"]))})


class RoleChangeInput(Input):
    """What is to be different about a custom role."""

    name = text(shortest=1, longest=MAX_ROLE_NAME_LENGTH)
    actions = actions_field()
    description = text(longest=MAX_DESCRIPTION_LENGTH, lines=True)

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> RoleChange:
        """Put the values together."""
        actions = {"actions": frozenset(map(str, values["actions"]))} if "actions" in values else {}
        return RoleChange(**values | actions)


class ForceQuery(Schema):
    """Whether the grants that carry a role are revoked with it."""

    force = fields.Boolean(load_default=False)
