"""What the portal asks of `auth` about the registries that an installation answers for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import fields

from services.web.clients.peer import Peer
from services.web.clients.schemas import Made, Text
from services.web.clients.sessions import Visitor
from shared.api.paging import Page, PageRequest


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry; of ``None`` the installation's setting holds."""

    id: int
    name: str
    service: str
    hostname: str
    external_hostname: str | None
    use_ssl: bool
    token_ttl_s: int | None
    push_policy: str | None
    delete_policy: str | None


class _RegistrySchema(Made):
    makes = Registry
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    service = fields.String(load_default="")
    hostname = fields.String(load_default="")
    external_hostname = Text()
    use_ssl = fields.Boolean(load_default=False)
    token_ttl_s = fields.Integer(allow_none=True, load_default=None)
    push_policy, delete_policy = Text(), Text()


class _CheckSchema(Made):
    makes = dict
    messages = fields.Dict(
        keys=fields.String(), values=fields.List(fields.String()), allow_none=True, load_default=dict
    )


class RegistriesClient:
    """Asks `auth`, as the visitor; it refuses those who are neither administrator nor auditor."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def list(self, visitor: Visitor, page: PageRequest) -> Page[Registry]:
        """Return one page of the registries."""
        return self._peer.page(
            "/api/v1/registries", _RegistrySchema(many=True), page, access_token=visitor.access_token
        )

    def get(self, visitor: Visitor, registry: int) -> Registry:
        """Return a registry.

        Raises:
            NotFound: there is none.
        """
        response = self._peer.get(f"/api/v1/registries/{registry:d}", access_token=visitor.access_token)
        found: Registry = self._peer.load(_RegistrySchema(), response)
        return found

    def check(self, visitor: Visitor, registry: Registry) -> Sequence[str]:
        """Ask whether a registry is reached, and who it says it is; return what is wrong."""
        response = self._peer.get(f"/api/v1/registries/{registry.id:d}/check", access_token=visitor.access_token)
        found = self._peer.load(_CheckSchema(), response)
        return [text for texts in (found["messages"] or {}).values() for text in texts]

    def create(self, visitor: Visitor, values: Mapping[str, Any], *, force: bool) -> Registry:
        """Enter a registry.

        Args:
            force: though it does not answer as it should.

        Raises:
            RequestRefused: with what is wrong with which field.
        """
        response = self._peer.change(
            "POST", "/api/v1/registries", values, access_token=visitor.access_token, params=_forced(force)
        )
        made: Registry = self._peer.load(_RegistrySchema(), response)
        return made

    def change(self, visitor: Visitor, registry: int, values: Mapping[str, Any], *, force: bool) -> None:
        """Change a registry.

        Raises:
            RequestRefused: as above.
        """
        path = f"/api/v1/registries/{registry:d}"
        self._peer.change("PUT", path, values, access_token=visitor.access_token, params=_forced(force))

    def forget(self, visitor: Visitor, registry: int) -> None:
        """Take a registry without namespaces out.

        Raises:
            RequestRefused: it has some.
        """
        self._peer.change("DELETE", f"/api/v1/registries/{registry:d}", access_token=visitor.access_token)


def _forced(force: bool) -> Mapping[str, str] | None:
    return {"force": "true"} if force else None
