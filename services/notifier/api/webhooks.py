"""``POST /v2/webhooks/events``: what registries report.

A registry repeats a request until it is answered 2xx and sends nothing else meanwhile. So the answer
depends on whether the events could be stored, and never on what they say.
"""

from http import HTTPStatus

import structlog
from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields
from werkzeug.exceptions import RequestEntityTooLarge

from services.notifier.api.credentials import shown_secret
from services.notifier.metrics import EVENTS, REFUSED
from services.notifier.usecases.accept_envelope import Accepted, StoreEvents, accept_envelope
from shared.api.problems import Problem, http_problem
from shared.clock import Clock
from shared.config import Secret

PATH = "/v2/webhooks/events"

EVENTS_V1 = "application/vnd.docker.distribution.events.v1+json"
EVENTS_V2 = "application/vnd.docker.distribution.events.v2+json"
"""Of registries 2.8 and 3.x. Nothing is refused for its content type."""

log = structlog.get_logger(__name__)


class AcceptedSchema(Schema):
    """What became of an envelope."""

    events = fields.Integer(required=True, metadata={"description": "Events that were understood."})
    quarantined = fields.Function(
        lambda accepted: len(accepted.quarantined),
        metadata={"description": "Events that were not understood, and are kept whole.", "type": "integer"},
    )


def webhooks_blueprint(store: StoreEvents, secret: Secret, *, clock: Clock) -> Blueprint:
    """Build the route.

    Args:
        store: makes events durable.
        secret: what the registry must show.
    """
    blueprint = Blueprint("webhooks", __name__, description="What registries report")
    blueprint.before_request(lambda: _require(secret))
    blueprint.after_request(_count_refusal)
    blueprint.register_error_handler(RequestEntityTooLarge, _too_large)

    @blueprint.post(PATH)
    @blueprint.response(202, AcceptedSchema)
    @blueprint.alt_response(401, "UNAUTHORIZED")
    @blueprint.alt_response(413, "REQUEST_ENTITY_TOO_LARGE")
    @blueprint.alt_response(503, "SERVICE_UNAVAILABLE")
    @blueprint.doc(requestBody=_REQUEST_BODY, security=[{"secret": []}])
    def accept() -> Accepted:
        """Take a registry's events: 202 when every one of them is on disk"""
        accepted = accept_envelope(request.get_data(cache=False), store=store, clock=clock)
        _note(accepted)
        return accepted

    return blueprint


_REQUEST_BODY = {
    "required": True,
    "content": {
        kind: {"schema": {"type": "object", "properties": {"events": {"type": "array", "items": {"type": "object"}}}}}
        for kind in (EVENTS_V1, EVENTS_V2, "application/json")
    },
}


def _require(secret: Secret) -> None:
    if secret.matches(shown_secret(request.headers.get("Authorization", ""))):
        return
    log.warning(
        "notifications.unauthorized",
        address=request.remote_addr,
        hint="The registry's notifications.endpoints[].headers.Authorization must be 'Bearer <secret>' with the"
        " secret in PORTUS_NOTIFICATIONS_SECRET. Rather change it here: a registry that is restarted loses the"
        " events that it holds.",
    )
    detail = "The Authorization header does not carry the notifier's PORTUS_NOTIFICATIONS_SECRET."
    raise Problem(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": 'Bearer realm="portus"'})


def _too_large(fault: RequestEntityTooLarge) -> Response:
    log.error("notifications.too_large", hint="Raise PORTUS_MAX_ENVELOPE_BYTES: the registry will send it again.")
    return http_problem(fault)


def _note(accepted: Accepted) -> None:
    EVENTS.labels("accepted").inc(accepted.events)
    EVENTS.labels("quarantined").inc(len(accepted.quarantined))
    for reason in accepted.quarantined:
        log.warning("event.quarantined", reason=reason)


def _count_refusal(response: Response) -> Response:
    if response.status_code != HTTPStatus.ACCEPTED:
        REFUSED.labels(response.status_code).inc()
    return response
