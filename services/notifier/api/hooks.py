"""``/api/v1/webhooks``: who is told of what happens in a namespace, and how that went."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Response, jsonify

from services.notifier.api.webhook_schemas import (
    DeliverySchema,
    EnabledInput,
    HeaderInput,
    HeaderSchema,
    NewWebhookInput,
    WebhookSchema,
    WebhookValues,
    WholeDeliverySchema,
    WholeWebhookSchema,
)
from services.notifier.storage.deliveries import DELIVERIES, WholeDelivery
from services.notifier.storage.webhooks import WEBHOOKS
from services.notifier.usecases.webhook_deliveries import DeliveryDesk
from services.notifier.usecases.webhook_views import HeaderView, WebhookView
from services.notifier.usecases.webhooks import WebhookDesk
from shared.api.blueprints import ApiBlueprint
from shared.api.etags import anything, if_match
from shared.api.lists import either_query, key_query
from shared.api.paging import ListRequest
from shared.api.slices import set_part_headers, set_slice_headers
from shared.visibility.callers import keep_private

# A larger number is no id in any database.
_WEBHOOK = "/<int(max=9223372036854775807):webhook>"
_HEADER = f"{_WEBHOOK}/headers/<int(max=9223372036854775807):header>"
_DELIVERY = f"{_WEBHOOK}/deliveries/<uuid:delivery>"

_READ = (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
_WRITTEN = (*_READ, HTTPStatus.FORBIDDEN)
_USED = (*_WRITTEN, HTTPStatus.CONFLICT)


def hooks_blueprint(desk: WebhookDesk) -> ApiBlueprint:
    """Build the routes."""
    blueprint = ApiBlueprint(
        "hooks", __name__, url_prefix="/api/v1/webhooks", description="Who is told of what happens"
    )
    keep_private(blueprint)
    _add_lists(blueprint, desk)
    _add_one(blueprint, desk)
    _add_headers(blueprint, desk)
    _add_deliveries(blueprint, DeliveryDesk(desk))
    _add_sending(blueprint, DeliveryDesk(desk))
    return blueprint


def _add_lists(blueprint: ApiBlueprint, desk: WebhookDesk) -> None:
    @blueprint.get("")
    @blueprint.arguments(either_query(WEBHOOKS), location="query")
    @blueprint.response(HTTPStatus.OK, WebhookSchema(many=True))
    @blueprint.refuses(*_WRITTEN)
    def list_all(asked: ListRequest) -> Response:
        """List the webhooks of a namespace or, without namespace_id, of the whole installation"""
        part = desk.list(asked)
        return set_part_headers(jsonify(WebhookSchema(many=True).dump(part.rows)), part)

    @blueprint.post("")
    @blueprint.creates(".show", webhook="id")
    @blueprint.arguments(NewWebhookInput)
    @blueprint.response(HTTPStatus.CREATED, WholeWebhookSchema)
    @blueprint.refuses(*_WRITTEN)
    def create(values: dict[str, Any]) -> WebhookView:
        """Make a webhook, for owners of the namespace's team and administrators"""
        return desk.create(values.pop("namespace_id"), values)


def _add_one(blueprint: ApiBlueprint, desk: WebhookDesk) -> None:
    @blueprint.get(_WEBHOOK)
    @blueprint.versioned
    @blueprint.response(HTTPStatus.OK, WholeWebhookSchema)
    @blueprint.refuses(*_READ)
    def show(webhook: int) -> WebhookView:
        """Show a webhook, to members of the namespace's team; its password and secret to nobody"""
        return desk.show(webhook)

    @blueprint.put(_WEBHOOK)
    @blueprint.versioned
    @blueprint.arguments(WebhookValues)
    @blueprint.response(HTTPStatus.OK, WholeWebhookSchema)
    @blueprint.refuses(*_USED)
    def change(values: dict[str, Any], webhook: int) -> WebhookView:
        """Change a webhook; what is not named stays, but for the password when the address leads elsewhere"""
        return desk.change(webhook, values, expected=if_match(WholeWebhookSchema()))

    @blueprint.put(f"{_WEBHOOK}/enabled")
    @blueprint.arguments(EnabledInput)
    @blueprint.response(HTTPStatus.OK, WholeWebhookSchema)
    @blueprint.refuses(*_USED)
    def enable(values: dict[str, Any], webhook: int) -> WebhookView:
        """Switch a webhook on or off; nothing that waits is sent to one that is off"""
        return desk.change(webhook, values, expected=anything)

    @blueprint.delete(_WEBHOOK)
    @blueprint.versioned
    @blueprint.response(HTTPStatus.NO_CONTENT)
    @blueprint.refuses(*_WRITTEN)
    def delete(webhook: int) -> None:
        """Delete a webhook with its headers and deliveries"""
        desk.delete(webhook, expected=if_match(WholeWebhookSchema()))


def _add_headers(blueprint: ApiBlueprint, desk: WebhookDesk) -> None:
    @blueprint.post(f"{_WEBHOOK}/headers")
    @blueprint.creates(".show_header", header="id")
    @blueprint.arguments(HeaderInput)
    @blueprint.response(HTTPStatus.CREATED, HeaderSchema)
    @blueprint.refuses(*_USED)
    def add_header(values: dict[str, Any], webhook: int) -> HeaderView:
        """Let a header be sent with every request of a webhook"""
        return desk.add_header(webhook, values["name"], values["value"])

    @blueprint.get(_HEADER)
    @blueprint.response(HTTPStatus.OK, HeaderSchema)
    @blueprint.refuses(*_READ)
    def show_header(webhook: int, header: int) -> HeaderView:
        """Show a header; its value to those who may change the webhook"""
        return desk.show_header(webhook, header)

    @blueprint.delete(_HEADER)
    @blueprint.response(HTTPStatus.NO_CONTENT)
    @blueprint.refuses(*_WRITTEN)
    def remove_header(webhook: int, header: int) -> None:
        """Let a header not be sent any more"""
        desk.remove_header(webhook, header)


def _add_deliveries(blueprint: ApiBlueprint, desk: DeliveryDesk) -> None:
    @blueprint.get(f"{_WEBHOOK}/deliveries")
    @blueprint.arguments(key_query(DELIVERIES), location="query")
    @blueprint.response(HTTPStatus.OK, DeliverySchema(many=True))
    @blueprint.refuses(*_READ)
    def list_deliveries(asked: ListRequest, webhook: int) -> Response:
        """List what a webhook was told of, the newest first"""
        part = desk.list(webhook, asked)
        return set_slice_headers(jsonify(DeliverySchema(many=True).dump(part.rows)), part)

    @blueprint.get(_DELIVERY)
    @blueprint.response(HTTPStatus.OK, WholeDeliverySchema)
    @blueprint.refuses(*_READ)
    def show_delivery(webhook: int, delivery: UUID) -> WholeDelivery:
        """Show a delivery with what was sent and answered"""
        return desk.show(webhook, str(delivery))


def _add_sending(blueprint: ApiBlueprint, desk: DeliveryDesk) -> None:
    @blueprint.post(f"{_DELIVERY}/retrigger")
    @blueprint.response(HTTPStatus.ACCEPTED, WholeDeliverySchema)
    @blueprint.refuses(*_USED)
    def retrigger(webhook: int, delivery: UUID) -> WholeDelivery:
        """Let a worker send a delivery once more, of a disabled webhook too"""
        return desk.retrigger(webhook, str(delivery))

    @blueprint.post(f"{_WEBHOOK}/test")
    @blueprint.response(HTTPStatus.ACCEPTED, WholeDeliverySchema)
    @blueprint.refuses(*_USED)
    def test(webhook: int) -> WholeDelivery:
        """Let a worker send an event that means nothing, to see whether a webhook works"""
        return desk.test(webhook)
