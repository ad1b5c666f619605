"""What the portal asks of `auth` about namespaces and teams: who is in them, and who may do what there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import fields

from services.web.clients.errors import NotFound
from services.web.clients.peer import Peer
from services.web.clients.schemas import Made, Moment, Text
from services.web.clients.sessions import Visitor
from shared.api.paging import Page, PageRequest

FOUND_AT_ONCE = 100
"""Registries in one installation are far fewer, and each has one global namespace."""


@dataclass(frozen=True, slots=True)
class Ref:
    """Something that is named elsewhere."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Rights:
    """What the visitor may do with a namespace; the role is theirs in its team."""

    role: str | None
    pull: bool
    push: bool
    visibility: bool


@dataclass(frozen=True, slots=True)
class Freeze:
    """A stop to pushes: of the whole namespace, or of one repository."""

    reason: str
    created_by: str
    id: int = 0
    repository: str | None = None


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace; how many repositories it has is told in lists only."""

    id: int
    name: str
    description: str
    visibility: str
    is_global: bool
    orphan: bool
    updatable: bool
    destroyable: bool
    frozen: Freeze | None
    team: Ref
    registry: Ref | None
    """Told where there are several."""
    permissions: Rights
    repositories_count: int | None
    created_at: datetime | None

    @property
    def managed(self) -> bool:
        """Whether the visitor grants, freezes and makes robots here: owners do, whatever else is switched off."""
        return self.updatable or self.permissions.role == "owner"


@dataclass(frozen=True, slots=True)
class Images:
    """How much lies somewhere."""

    repositories: int
    tags: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class NamespaceDeletion:
    """What goes with a namespace; the images are not known while `catalog` is away."""

    images: Images | None
    grants: int
    robots: int
    freezes: int


@dataclass(frozen=True, slots=True)
class Team:
    """A team; the role is the visitor's own in it."""

    id: int
    name: str
    description: str
    hidden: bool
    role: str | None
    updatable: bool
    destroyable: bool
    users_count: int
    namespaces_count: int
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class TeamDeletion:
    """What a team holds."""

    users_count: int
    namespaces_count: int
    images: Images | None


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a team."""

    id: int
    username: str
    display_name: str | None
    role: str
    admin: bool
    bot: bool
    enabled: bool
    current: bool
    created_at: datetime | None


class _RefSchema(Made):
    makes = Ref
    id = fields.Integer(required=True)
    name = fields.String(required=True)


class _RightsSchema(Made):
    makes = Rights
    role = Text()
    pull = fields.Boolean(load_default=False)
    push = fields.Boolean(load_default=False)
    visibility = fields.Boolean(load_default=False)


class _FreezeSchema(Made):
    makes = Freeze
    id = fields.Integer(load_default=0)
    reason = fields.String(required=True)
    created_by = fields.String(load_default="")
    repository = Text()


class _NamespaceSchema(Made):
    makes = Namespace
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    description = fields.String(load_default="", allow_none=True)
    visibility = fields.String(required=True)
    is_global = fields.Boolean(data_key="global", load_default=False)
    orphan = fields.Boolean(load_default=False)
    updatable = fields.Boolean(load_default=False)
    destroyable = fields.Boolean(load_default=False)
    frozen = fields.Nested(_FreezeSchema, allow_none=True, load_default=None)
    team = fields.Nested(_RefSchema, required=True)
    registry = fields.Nested(_RefSchema, allow_none=True, load_default=None)
    permissions = fields.Nested(_RightsSchema, required=True)
    repositories_count = fields.Integer(allow_none=True, load_default=None)
    created_at = Moment()


class _ImagesSchema(Made):
    makes = Images
    repositories = fields.Integer(required=True)
    tags = fields.Integer(required=True)
    size_bytes = fields.Integer(required=True)


class _DependantsSchema(Made):
    makes = dict
    grants = fields.Integer(required=True)
    robots = fields.Integer(required=True)
    freezes = fields.Integer(required=True)


class _NamespaceDeletionSchema(Made):
    makes = dict
    images = fields.Nested(_ImagesSchema, allow_none=True, load_default=None)
    dependants = fields.Nested(_DependantsSchema, required=True)


class _TeamSchema(Made):
    makes = Team
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    description = fields.String(load_default="", allow_none=True)
    hidden = fields.Boolean(load_default=False)
    role = Text()
    updatable = fields.Boolean(load_default=False)
    destroyable = fields.Boolean(load_default=False)
    users_count = fields.Integer(load_default=0)
    namespaces_count = fields.Integer(load_default=0)
    created_at = Moment()


class _TeamSizeSchema(Made):
    makes = dict
    users_count = fields.Integer(required=True)
    namespaces_count = fields.Integer(required=True)


class _TeamDeletionSchema(Made):
    makes = dict
    team = fields.Nested(_TeamSizeSchema, required=True)
    images = fields.Nested(_ImagesSchema, allow_none=True, load_default=None)


class _MemberSchema(Made):
    makes = Member
    id = fields.Integer(required=True)
    username = fields.String(required=True)
    display_name = Text()
    role = fields.String(required=True)
    admin = fields.Boolean(load_default=False)
    bot = fields.Boolean(load_default=False)
    enabled = fields.Boolean(load_default=True)
    current = fields.Boolean(load_default=False)
    created_at = Moment()


class NamespacesClient:
    """Asks `auth` about namespaces, as the visitor."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def list(self, visitor: Visitor, page: PageRequest, *, q: str = "", team_id: int | None = None) -> Page[Namespace]:
        """Return one page of the namespaces that the visitor may see, by name."""
        path = "/api/v1/namespaces" if team_id is None else f"/api/v1/teams/{team_id:d}/namespaces"
        params = {"q": q, "sort_attr": "name"}
        return self._peer.page(
            path, _NamespaceSchema(many=True), page, access_token=visitor.access_token, params=params
        )

    def get(self, visitor: Visitor, name: str, registry: str = "") -> Namespace:
        """Return a namespace by its name; of several registries' ones that of the named registry.

        Raises:
            NotFound: there is none, or the visitor may not see it.
        """
        among = {"registry": registry, "sort_attr": "id"}
        named = self._find(visitor, {**among, "name": name})
        # A global namespace has no name of its own to be found by: it is shown under the host of its registry.
        named = named or [one for one in self._find(visitor, {**among, "global": "true"}) if one.name == name]
        if not named:
            raise NotFound("auth")
        return named[0]

    def _find(self, visitor: Visitor, params: Mapping[str, str]) -> Sequence[Namespace]:
        page: Page[Namespace] = self._peer.page(
            "/api/v1/namespaces",
            _NamespaceSchema(many=True),
            PageRequest(per_page=FOUND_AT_ONCE),
            access_token=visitor.access_token,
            params=params,
        )
        return page.rows

    def create(self, visitor: Visitor, values: Mapping[str, Any]) -> None:
        """Make a namespace.

        Raises:
            RequestRefused: with what is wrong with which field.
        """
        self._peer.change("POST", "/api/v1/namespaces", values, access_token=visitor.access_token)

    def change(self, visitor: Visitor, namespace: int, values: Mapping[str, Any]) -> None:
        """Change a namespace.

        Raises:
            RequestRefused: as above.
        """
        self._peer.change("PUT", f"/api/v1/namespaces/{namespace:d}", values, access_token=visitor.access_token)

    def preview_deletion(self, visitor: Visitor, namespace: int) -> NamespaceDeletion:
        """Return what would go with a namespace."""
        response = self._peer.get(f"/api/v1/namespaces/{namespace:d}/deletion", access_token=visitor.access_token)
        found = self._peer.load(_NamespaceDeletionSchema(), response)
        return NamespaceDeletion(images=found["images"], **found["dependants"])

    def delete(self, visitor: Visitor, namespace: int) -> None:
        """Delete a namespace with all that is in it.

        Raises:
            RequestRefused: it cannot be deleted now.
        """
        self._peer.change("DELETE", f"/api/v1/namespaces/{namespace:d}", access_token=visitor.access_token)

    def list_freezes(self, visitor: Visitor, namespace: int, page: PageRequest) -> Page[Freeze]:
        """Return one page of a namespace's freezes."""
        path = f"/api/v1/namespaces/{namespace:d}/freezes"
        return self._peer.page(path, _FreezeSchema(many=True), page, access_token=visitor.access_token)

    def freeze(self, visitor: Visitor, namespace: int, reason: str, repository: str) -> None:
        """Stop pushes.

        Args:
            repository: only to this one; empty: to all.

        Raises:
            RequestRefused: as above.
        """
        body = {"reason": reason, **({"repository": repository} if repository else {})}
        path = f"/api/v1/namespaces/{namespace:d}/freezes"
        self._peer.change("POST", path, body, access_token=visitor.access_token)

    def thaw(self, visitor: Visitor, namespace: int, freeze: int) -> None:
        """Let pushes through again."""
        path = f"/api/v1/namespaces/{namespace:d}/freezes/{freeze:d}"
        self._peer.change("DELETE", path, access_token=visitor.access_token)


class TeamsClient:
    """Asks `auth` about teams, as the visitor."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def list(self, visitor: Visitor, page: PageRequest, *, q: str = "") -> Page[Team]:
        """Return one page of the teams that the visitor may see, by name."""
        params = {"q": q, "sort_attr": "name"}
        return self._peer.page(
            "/api/v1/teams", _TeamSchema(many=True), page, access_token=visitor.access_token, params=params
        )

    def get(self, visitor: Visitor, name: str) -> Team:
        """Return a team by its name.

        Raises:
            NotFound: there is none, or the visitor may not see it.
        """
        found: Page[Team] = self._peer.page(
            "/api/v1/teams",
            _TeamSchema(many=True),
            PageRequest(per_page=1),
            access_token=visitor.access_token,
            params={"name": name},
        )
        if not found.rows:
            raise NotFound("auth")
        return found.rows[0]

    def create(self, visitor: Visitor, values: Mapping[str, Any]) -> None:
        """Make a team, of which the visitor is the owner.

        Raises:
            RequestRefused: with what is wrong with which field.
        """
        self._peer.change("POST", "/api/v1/teams", values, access_token=visitor.access_token)

    def change(self, visitor: Visitor, team: int, values: Mapping[str, Any]) -> None:
        """Change a team.

        Raises:
            RequestRefused: as above.
        """
        self._peer.change("PUT", f"/api/v1/teams/{team:d}", values, access_token=visitor.access_token)

    def preview_deletion(self, visitor: Visitor, team: int) -> TeamDeletion:
        """Return what a team holds."""
        response = self._peer.get(f"/api/v1/teams/{team:d}/deletion", access_token=visitor.access_token)
        found = self._peer.load(_TeamDeletionSchema(), response)
        return TeamDeletion(images=found["images"], **found["team"])

    def delete(self, visitor: Visitor, team: int, new_team: str) -> None:
        """Delete a team.

        Args:
            new_team: gets its namespaces; empty: they go with it.

        Raises:
            RequestRefused: as above.
        """
        path = f"/api/v1/teams/{team:d}"
        params = {"new_team": new_team} if new_team else None
        self._peer.change("DELETE", path, access_token=visitor.access_token, params=params)

    def list_members(self, visitor: Visitor, team: int, page: PageRequest, *, q: str = "") -> Page[Member]:
        """Return one page of a team's members, by name."""
        path, params = f"/api/v1/teams/{team:d}/members", {"q": q, "sort_attr": "username"}
        return self._peer.page(path, _MemberSchema(many=True), page, access_token=visitor.access_token, params=params)

    def add_member(self, visitor: Visitor, team: int, username: str, role: str) -> Member:
        """Take somebody into a team, and return them as they are in it: administrators are owners always.

        Raises:
            RequestRefused: as above.
        """
        path = f"/api/v1/teams/{team:d}/members"
        body = {"user": username, "role": role}
        response = self._peer.change("POST", path, body, access_token=visitor.access_token)
        member: Member = self._peer.load(_MemberSchema(), response)
        return member

    def change_member(self, visitor: Visitor, team: int, member: int, role: str) -> None:
        """Give a member another role.

        Raises:
            RequestRefused: as above.
        """
        path = f"/api/v1/teams/{team:d}/members/{member:d}"
        self._peer.change("PUT", path, {"role": role}, access_token=visitor.access_token)

    def remove_member(self, visitor: Visitor, team: int, member: int) -> None:
        """Take somebody out of a team.

        Raises:
            RequestRefused: as above.
        """
        path = f"/api/v1/teams/{team:d}/members/{member:d}"
        self._peer.change("DELETE", path, access_token=visitor.access_token)
