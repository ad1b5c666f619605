"""What the portal asks of `auth` about grants and robots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import fields

from services.web.clients.peer import Peer
from services.web.clients.schemas import Made, Moment, Text, Texts
from services.web.clients.sessions import Visitor
from shared.api.paging import Page, PageRequest
from shared.config import Secret


@dataclass(frozen=True, slots=True)
class Grantee:
    """Who has a grant: a user, a team or a robot."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Grant:
    """Actions that somebody was given on the repositories of a pattern."""

    id: int
    grantee: Grantee
    pattern: str
    actions: Sequence[str]
    role: str | None
    expires_at: datetime | None
    expired: bool
    reason: str
    created_by: str
    void: Mapping[str, str]
    """Actions that it does not allow at present, each with why."""


@dataclass(frozen=True, slots=True)
class RobotSecret:
    """A secret of a robot, without itself."""

    id: int
    expires_at: datetime | None
    expired: bool
    last_used_at: datetime | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class RobotPermission:
    """What a robot may do."""

    pattern: str
    actions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Robot:
    """A robot account."""

    id: int
    username: str
    name: str
    description: str
    enabled: bool
    expires_at: datetime | None
    expired: bool
    allowed_addresses: Sequence[str]
    permissions: Sequence[RobotPermission]
    secrets: Sequence[RobotSecret]
    created_by: str
    last_used_at: datetime | None
    last_used_address: str | None


class _GranteeSchema(Made):
    makes = Grantee
    kind = fields.String(required=True)
    name = fields.String(required=True)


class _GrantSchema(Made):
    makes = Grant
    id = fields.Integer(required=True)
    grantee = fields.Nested(_GranteeSchema, required=True)
    pattern = fields.String(required=True)
    actions = Texts()
    role = Text()
    expires_at = Moment()
    expired = fields.Boolean(load_default=False)
    reason = fields.String(load_default="")
    created_by = fields.String(load_default="")
    void = fields.Dict(load_default=dict)


class _SecretSchema(Made):
    makes = RobotSecret
    id = fields.Integer(required=True)
    expires_at = Moment()
    expired = fields.Boolean(load_default=False)
    last_used_at = Moment()
    created_at = Moment()


class _PermissionSchema(Made):
    makes = RobotPermission
    pattern = fields.String(required=True)
    actions = Texts()


class _RobotSchema(Made):
    makes = Robot
    id = fields.Integer(required=True)
    username = fields.String(required=True)
    name = fields.String(required=True)
    description = fields.String(load_default="")
    enabled = fields.Boolean(load_default=True)
    expires_at = Moment()
    expired = fields.Boolean(load_default=False)
    allowed_addresses = fields.List(fields.String(), allow_none=True, load_default=list)
    permissions = fields.List(fields.Nested(_PermissionSchema), load_default=list)
    secrets = fields.List(fields.Nested(_SecretSchema), load_default=list)
    created_by = fields.String(load_default="")
    last_used_at = Moment()
    last_used_address = Text()


class AccessClient:
    """Asks `auth` about grants and robots, as the visitor."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def list_grants(self, visitor: Visitor, namespace: int, page: PageRequest, *, q: str = "") -> Page[Grant]:
        """Return one page of what was granted in a namespace, newest first.

        Raises:
            NotAllowed: the visitor does not manage it.
        """
        path = f"/api/v1/namespaces/{namespace:d}/grants"
        params = {"q": q, "sort_attr": "id", "sort_order": "desc"}
        return self._peer.page(path, _GrantSchema(many=True), page, access_token=visitor.access_token, params=params)

    def add_grant(self, visitor: Visitor, namespace: int, terms: Mapping[str, Any]) -> None:
        """Grant something in a namespace.

        Raises:
            RequestRefused: with what is wrong with which field.
        """
        path = f"/api/v1/namespaces/{namespace:d}/grants"
        self._peer.change("POST", path, terms, access_token=visitor.access_token)

    def remove_grant(self, visitor: Visitor, grant: int) -> None:
        """Take a grant back."""
        self._peer.change("DELETE", f"/api/v1/grants/{grant:d}", access_token=visitor.access_token)

    def list_robots(self, visitor: Visitor, namespace: int, page: PageRequest) -> Page[Robot]:
        """Return one page of a namespace's robots, by name.

        Raises:
            NotAllowed: the visitor does not manage it.
        """
        params = {"namespace_id": namespace, "sort_attr": "name"}
        return self._peer.page(
            "/api/v1/robots", _RobotSchema(many=True), page, access_token=visitor.access_token, params=params
        )

    def get_robot(self, visitor: Visitor, robot: int) -> Robot:
        """Return a robot.

        Raises:
            NotFound: there is none, or the visitor may not see it.
        """
        response = self._peer.get(f"/api/v1/robots/{robot:d}", access_token=visitor.access_token)
        found: Robot = self._peer.load(_RobotSchema(), response)
        return found

    def create_robot(self, visitor: Visitor, values: Mapping[str, Any]) -> tuple[Robot, Secret]:
        """Make a robot and return it with its secret, which is never shown again.

        Raises:
            RequestRefused: with what is wrong with which field.
        """
        response = self._peer.change("POST", "/api/v1/robots", values, access_token=visitor.access_token)
        robot: Robot = self._peer.load(_RobotSchema(), response)
        return robot, Secret(str(response.json()["secret"]))

    def enable_robot(self, visitor: Visitor, robot: int, *, enabled: bool) -> None:
        """Let a robot log in, or not."""
        path = f"/api/v1/robots/{robot:d}"
        self._peer.change("PUT", path, {"enabled": enabled}, access_token=visitor.access_token)

    def delete_robot(self, visitor: Visitor, robot: int) -> None:
        """Delete a robot with its grants."""
        self._peer.change("DELETE", f"/api/v1/robots/{robot:d}", access_token=visitor.access_token)

    def add_secret(self, visitor: Visitor, robot: int) -> Secret:
        """Make a second secret and return it; the first one goes on.

        Raises:
            RequestRefused: it has two already.
        """
        path = f"/api/v1/robots/{robot:d}/secrets"
        response = self._peer.change("POST", path, {}, access_token=visitor.access_token)
        return Secret(str(response.json()["secret"]))

    def revoke_secret(self, visitor: Visitor, robot: int, secret: int) -> None:
        """End a secret at once.

        Raises:
            RequestRefused: it is the last one.
        """
        path = f"/api/v1/robots/{robot:d}/secrets/{secret:d}"
        self._peer.change("DELETE", path, access_token=visitor.access_token)
