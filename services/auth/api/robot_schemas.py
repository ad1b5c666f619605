"""The bodies of robot accounts and their secrets."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from marshmallow import Schema, fields, post_load, pre_dump, validate, validates_schema

from services.auth.api.fields import MAX_ID, Dated, Input, flat, moment, seconds, take_lifetime, text
from services.auth.api.grant_schemas import (
    NamespacePlaceOutput,
    actions_field,
    check_gift_fields,
    sorted_actions,
    take_gift,
)
from services.auth.domain.lifetimes import Lifetime
from services.auth.domain.patterns import MAX_PATTERN_LENGTH
from services.auth.domain.robots import (
    MAX_ALLOWED_ADDRESSES,
    MAX_PERMISSIONS,
    MAX_ROBOT_NAME_LENGTH,
    Allowed,
    NewRobot,
    Permission,
    RobotChange,
)
from services.auth.domain.roles import MAX_ROLE_NAME_LENGTH
from services.auth.domain.teams import MAX_DESCRIPTION_LENGTH, MAX_TEAM_NAME_LENGTH
from services.auth.usecases.robot_secrets import MadeSecret
from services.auth.usecases.robots import MadeRobot

_MAX_NETWORK_LENGTH = 64
_TTL = "How long it is to be good, in seconds, instead of expires_at."
_ADDRESSES = "Addresses and networks (CIDR) from which it may be used; null: from everywhere."
_OLD = "In how many seconds the old secret is to end; 0: at once. It stays as it was unless given."
_PATTERN = "A glob on full repository names. Everything in the namespace that the robot belongs to, unless given."


class SecretOutput(Schema):
    """A secret of a robot, without itself."""

    id = fields.Integer()
    expires_at = fields.AwareDateTime(allow_none=True)
    expired = fields.Boolean()
    last_used_at = fields.AwareDateTime(allow_none=True)
    created_at = fields.AwareDateTime()


class MadeSecretOutput(SecretOutput):
    """A new secret of a robot; ``secret`` is never shown again."""

    secret = fields.String()

    @pre_dump
    def put_together(self, made: MadeSecret, **_options: Any) -> Any:
        """Put the secret beside the rest."""
        return flat(made.view, secret=made.secret.reveal())


class PermissionOutput(Schema):
    """What a robot was granted; see grants."""

    grant_id = fields.Integer(attribute="id")
    namespace = fields.Nested(NamespacePlaceOutput, allow_none=True)
    pattern = fields.String()
    actions = sorted_actions()
    role = fields.String(allow_none=True)
    expires_at = fields.AwareDateTime(allow_none=True)
    expired = fields.Boolean()


class RobotTeamOutput(Schema):
    """The team that a robot belongs to."""

    id = fields.Integer()
    name = fields.String()


class RobotOutput(Dated):
    """A robot account; it belongs to a namespace, to a team, or to the installation."""

    id = fields.Integer()
    username = fields.String(metadata={"description": "What it logs in with."})
    name = fields.String()
    description = fields.String()
    namespace = fields.Nested(NamespacePlaceOutput, attribute="home.namespace", allow_none=True)
    team = fields.Nested(RobotTeamOutput, attribute="home.team", allow_none=True)
    enabled = fields.Boolean()
    expires_at = fields.AwareDateTime(allow_none=True)
    expired = fields.Boolean()
    allowed_addresses = fields.List(fields.String(), allow_none=True, metadata={"description": _ADDRESSES})
    permissions = fields.List(fields.Nested(PermissionOutput))
    secrets = fields.List(fields.Nested(SecretOutput))
    secret_expires_at = fields.AwareDateTime(
        allow_none=True, metadata={"description": "When one of its secrets ends next."}
    )
    created_by = fields.String()
    last_used_at = fields.AwareDateTime(allow_none=True)
    last_used_address = fields.String(allow_none=True)


class MadeRobotOutput(RobotOutput):
    """A new robot account; ``secret`` is never shown again."""

    secret = fields.String()

    @pre_dump
    def put_together(self, made: MadeRobot, **_options: Any) -> Any:
        """Put the secret beside the rest."""
        return flat(made.robot, secret=made.secret.reveal())


class PermissionInput(Input):
    """What a robot may do: actions, or a custom role, on a repository pattern."""

    pattern = text(longest=MAX_PATTERN_LENGTH, metadata={"description": _PATTERN})
    actions = actions_field(allow_none=True)
    role = text(shortest=1, longest=MAX_ROLE_NAME_LENGTH, allow_none=True)

    @validates_schema
    def check(self, values: dict[str, Any], **_options: Any) -> None:
        """Check that there is something to give."""
        check_gift_fields(values, needed=True)

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> Permission:
        """Put the values together."""
        return Permission(take_gift(values), values.get("pattern"))


def _permissions() -> fields.List[Any]:
    return fields.List(fields.Nested(PermissionInput), validate=validate.Length(0, MAX_PERMISSIONS))


def _addresses() -> fields.List[Any]:
    return fields.List(
        text(longest=_MAX_NETWORK_LENGTH),
        allow_none=True,
        validate=validate.Length(1, MAX_ALLOWED_ADDRESSES),
        metadata={"description": _ADDRESSES},
    )


def _allowed(values: Mapping[str, Any]) -> Allowed:
    addresses = values.get("allowed_addresses")
    return Allowed(None if addresses is None else tuple(addresses))


class NewRobotInput(Input):
    """A robot to be made: for a namespace, for a team, given by its name, or, by administrators, for neither."""

    name = text(shortest=1, longest=MAX_ROBOT_NAME_LENGTH, required=True)
    description = text(longest=MAX_DESCRIPTION_LENGTH, lines=True, load_default="")
    namespace_id = fields.Integer(strict=True, validate=validate.Range(1, MAX_ID))
    team = text(shortest=1, longest=MAX_TEAM_NAME_LENGTH)
    expires_at = moment(allow_none=True)
    ttl_s = seconds(metadata={"description": _TTL})
    allowed_addresses = _addresses()
    permissions = _permissions()

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> NewRobot:
        """Put the values together."""
        return NewRobot(
            values["name"],
            values["description"],
            values.get("namespace_id"),
            values.get("team"),
            take_lifetime(values),
            _allowed(values),
            tuple(values.get("permissions", ())),
        )


class RobotChangeInput(Input):
    """What is to be different about a robot; ``permissions`` replaces those that it has at home."""

    description = text(longest=MAX_DESCRIPTION_LENGTH, lines=True)
    enabled = fields.Boolean()
    expires_at = moment(allow_none=True)
    ttl_s = seconds(metadata={"description": _TTL})
    allowed_addresses = _addresses()
    permissions = _permissions()

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> RobotChange:
        """Put the values together."""
        permissions = values.get("permissions")
        return RobotChange(
            values.get("description"),
            values.get("enabled"),
            take_lifetime(values) if {"expires_at", "ttl_s"} & values.keys() else None,
            _allowed(values) if "allowed_addresses" in values else None,
            None if permissions is None else tuple(permissions),
        )


class NewSecretInput(Input):
    """Another secret for a robot."""

    expires_at = moment(allow_none=True)
    ttl_s = seconds(metadata={"description": _TTL})
    expire_old_in_s = seconds(shortest=0, allow_none=True, metadata={"description": _OLD})

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> tuple[Lifetime, timedelta | None]:
        """Put the values together."""
        old_s = values.get("expire_old_in_s")
        return take_lifetime(values), None if old_s is None else timedelta(seconds=old_s)
