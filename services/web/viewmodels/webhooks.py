"""Webhooks and deliveries in words."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext

from services.web.clients.webhooks import Delivery, Webhook
from services.web.viewmodels.times import TimeText, present_moment, present_time

EVENTS = {
    "push": lazy_gettext("pushes"),
    "delete": lazy_gettext("deletions"),
    "overwritten": lazy_gettext("tags that moved and must not"),
}
"""What a webhook can be told of."""

OUTCOMES = {
    "pending": lazy_gettext("waiting"),
    "delivered": lazy_gettext("delivered"),
    "failed": lazy_gettext("failed"),
}
_BADGES = {"pending": "pending", "delivered": "allowed", "failed": "refused"}
_ICONS = {"pending": "hourglass-split", "delivered": "check-circle", "failed": "x-circle"}

_TOLD = {
    "catalog.tag.pushed.v1": lazy_gettext("pushed"),
    "catalog.tag.deleted.v1": lazy_gettext("deleted"),
    "catalog.tag.overwritten.v1": lazy_gettext("moved, and must not"),
    "notifier.webhook.pinged.v1": lazy_gettext("test"),
}


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """A webhook as a list and its own page show it."""

    id: int
    name: str
    url: str
    enabled: bool
    is_paused: bool
    events: str
    narrowed: Sequence[str]
    """Globs of which one has to fit, if there are any: of repositories, and of tags."""
    tags: Sequence[str]
    how: str
    """Verb and type of the request."""
    username: str
    has_password: bool
    has_secret: bool
    created_by: str
    created: TimeText | None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery as a list and its own page show it."""

    uuid: str
    what: str
    about: str
    """Repository and tag; empty: it is a test."""
    badge: str
    symbol: str
    outcome: str
    status: int | None
    fault: str
    attempts: int
    planned: TimeText | None
    attempted: TimeText | None
    following: TimeText | None
    """When it is tried again, if that is yet to come."""
    is_due: bool
    sent: str
    """Headers, a line each; empty: nothing was sent yet."""
    body: str
    answered: str
    answer: str


def present_webhook(webhook: Webhook, now: datetime) -> WebhookRow:
    """Turn a webhook into what a page shows of it."""
    return WebhookRow(
        id=webhook.id,
        name=webhook.name,
        url=webhook.url,
        enabled=webhook.enabled,
        is_paused=webhook.is_paused,
        events=", ".join(str(EVENTS.get(event, event)) for event in webhook.events),
        narrowed=webhook.repositories,
        tags=webhook.tags,
        how=f"{webhook.request_method} {webhook.content_type}",
        username=webhook.username,
        has_password=webhook.has_password,
        has_secret=webhook.has_secret,
        created_by=webhook.created_by,
        created=present_time(webhook.created_at, now),
    )


def present_delivery(delivery: Delivery, now: datetime) -> DeliveryRow:
    """Turn a delivery into what a page shows of it."""
    is_due = delivery.next_try_at is not None and delivery.next_try_at <= now
    return DeliveryRow(
        uuid=delivery.uuid,
        what=str(_TOLD.get(delivery.event_type, delivery.event_type)),
        about=":".join(filter(None, (delivery.repository, delivery.tag))),
        badge=_BADGES.get(delivery.outcome, "kind"),
        symbol=_ICONS.get(delivery.outcome, "info-circle"),
        outcome=str(OUTCOMES.get(delivery.outcome, delivery.outcome)),
        # 0 stands for nobody; the fault says why.
        status=delivery.status or None,
        fault=delivery.fault or "",
        attempts=delivery.attempts,
        planned=present_time(delivery.created_at, now),
        attempted=present_time(delivery.attempted_at, now),
        following=None if is_due else present_moment(delivery.next_try_at, now),
        is_due=is_due,
        sent=_lines(delivery.request_headers),
        body=_indented(delivery.request_body or ""),
        answered=_lines(delivery.response_headers),
        answer=delivery.response_body or "",
    )


def _lines(headers: Sequence[Sequence[str]] | None) -> str:
    return "\n".join(": ".join(header) for header in headers or ())


def _indented(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
