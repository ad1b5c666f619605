"""What the portal asks of `notifier` about webhooks, and what they were told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import fields

from services.web.clients.peer import Part, Peer
from services.web.clients.schemas import Made, Moment, Text, Texts
from services.web.clients.sessions import Visitor
from shared.api.paging import Page, PageRequest


@dataclass(frozen=True, slots=True)
class Header:
    """A header that goes with every request."""

    id: int
    name: str
    value: str
    """``***`` for those who may not change the webhook."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook, without its password and secret."""

    id: int
    namespace_id: int | None
    """``None``: of the whole installation."""
    name: str
    url: str
    request_method: str
    content_type: str
    username: str
    has_password: bool
    has_secret: bool
    enabled: bool
    events: Sequence[str]
    repositories: Sequence[str]
    tags: Sequence[str]
    created_by: str
    created_at: datetime | None
    paused: str | None
    """Why it rests; ``None``: it does not."""
    updatable: bool
    destroyable: bool
    headers: Sequence[Header]
    """Left out of lists."""

    @property
    def is_paused(self) -> bool:
        """Whether its namespace went to another team, which has not taken it over."""
        return self.paused is not None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something that a webhook was told, or is to be."""

    uuid: str
    event_type: str
    repository: str | None
    """What it is about; ``None``: a test."""
    tag: str | None
    outcome: str
    status: int | None
    fault: str | None
    attempts: int
    next_try_at: datetime | None
    created_at: datetime | None
    attempted_at: datetime | None
    request_headers: Sequence[Sequence[str]] | None
    request_body: str | None
    response_headers: Sequence[Sequence[str]] | None
    response_body: str | None


class _HeaderSchema(Made):
    makes = Header
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    value = fields.String(required=True)


class _WebhookSchema(Made):
    makes = Webhook
    id = fields.Integer(required=True)
    namespace_id = fields.Integer(required=True, allow_none=True)
    name = fields.String(required=True)
    url = fields.String(required=True)
    request_method = fields.String(required=True)
    content_type = fields.String(required=True)
    username = fields.String(load_default="")
    has_password = fields.Boolean(load_default=False)
    has_secret = fields.Boolean(load_default=False)
    enabled = fields.Boolean(required=True)
    events, repositories, tags = Texts(), Texts(), Texts()
    created_by = fields.String(load_default="")
    created_at = Moment()
    paused = Text()
    updatable = fields.Boolean(load_default=False)
    destroyable = fields.Boolean(load_default=False)
    headers = fields.List(fields.Nested(_HeaderSchema), load_default=list)


class _DeliverySchema(Made):
    makes = Delivery
    uuid = fields.String(required=True)
    event_type = fields.String(required=True)
    repository, tag = Text(), Text()
    outcome = fields.String(required=True)
    status = fields.Integer(allow_none=True, load_default=None)
    fault = Text()
    attempts = fields.Integer(load_default=0)
    next_try_at, created_at, attempted_at = Moment(), Moment(), Moment()
    request_headers = fields.Raw(allow_none=True, load_default=None)
    request_body = Text()
    response_headers = fields.Raw(allow_none=True, load_default=None)
    response_body = Text()


class WebhooksClient:
    """Asks `notifier`, as the visitor."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def list(self, visitor: Visitor, namespace: int | None, page: PageRequest) -> Page[Webhook]:
        """Return one page of a namespace's webhooks, or of those of the whole installation, by name.

        Raises:
            NotAllowed: the visitor is not in its team, or neither administers nor audits.
            NotFound: nobody tells of what is in it.
        """
        params = {"sort_attr": "name"} | ({} if namespace is None else {"namespace_id": f"{namespace:d}"})
        path, schema = "/api/v1/webhooks", _WebhookSchema(many=True)
        return self._peer.page(path, schema, page, access_token=visitor.access_token, params=params)

    def get(self, visitor: Visitor, webhook: int) -> Webhook:
        """Return a webhook with its headers.

        Raises:
            NotFound: there is none, or the visitor may not see it.
        """
        response = self._peer.get(f"/api/v1/webhooks/{webhook:d}", access_token=visitor.access_token)
        found: Webhook = self._peer.load(_WebhookSchema(), response)
        return found

    def create(self, visitor: Visitor, values: Mapping[str, Any]) -> Webhook:
        """Make a webhook.

        Raises:
            RequestRefused: with what is wrong with which field.
        """
        response = self._peer.change("POST", "/api/v1/webhooks", values, access_token=visitor.access_token)
        made: Webhook = self._peer.load(_WebhookSchema(), response)
        return made

    def change(self, visitor: Visitor, webhook: int, values: Mapping[str, Any]) -> None:
        """Change a webhook; what is not named stays.

        Raises:
            RequestRefused: with what is wrong with which field.
        """
        self._peer.change("PUT", f"/api/v1/webhooks/{webhook:d}", values, access_token=visitor.access_token)

    def delete(self, visitor: Visitor, webhook: int) -> None:
        """Delete a webhook, with what it was told."""
        self._peer.change("DELETE", f"/api/v1/webhooks/{webhook:d}", access_token=visitor.access_token)

    def add_header(self, visitor: Visitor, webhook: int, name: str, value: str) -> None:
        """Let a header go with every request.

        Raises:
            RequestRefused: with what is wrong with which field.
        """
        path, body = f"/api/v1/webhooks/{webhook:d}/headers", {"name": name, "value": value}
        self._peer.change("POST", path, body, access_token=visitor.access_token)

    def remove_header(self, visitor: Visitor, webhook: int, header: int) -> None:
        """Let a header not go with requests any more."""
        path = f"/api/v1/webhooks/{webhook:d}/headers/{header:d}"
        self._peer.change("DELETE", path, access_token=visitor.access_token)

    def list_deliveries(self, visitor: Visitor, webhook: int, after: str, *, outcome: str = "") -> Part:
        """Return a part of what a webhook was told, newest first."""
        path, schema = f"/api/v1/webhooks/{webhook:d}/deliveries", _DeliverySchema(many=True)
        return self._peer.walk(path, schema, after, access_token=visitor.access_token, params={"outcome": outcome})

    def get_delivery(self, visitor: Visitor, webhook: int, uuid: str) -> Delivery:
        """Return a delivery with what was sent and answered.

        Raises:
            NotFound: there is none, or the visitor may not see it.
        """
        path = f"/api/v1/webhooks/{webhook:d}/deliveries/{uuid}"
        found: Delivery = self._peer.load(_DeliverySchema(), self._peer.get(path, access_token=visitor.access_token))
        return found

    def retrigger(self, visitor: Visitor, webhook: int, uuid: str) -> None:
        """Let a delivery be sent once more."""
        path = f"/api/v1/webhooks/{webhook:d}/deliveries/{uuid}/retrigger"
        self._peer.change("POST", path, access_token=visitor.access_token)

    def test(self, visitor: Visitor, webhook: int) -> str:
        """Let an event be sent that means nothing; return the delivery's name."""
        response = self._peer.change("POST", f"/api/v1/webhooks/{webhook:d}/test", access_token=visitor.access_token)
        made: Delivery = self._peer.load(_DeliverySchema(), response)
        return made.uuid
