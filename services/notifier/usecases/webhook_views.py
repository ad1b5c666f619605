"""What the API shows of webhooks, to one caller."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from services.notifier.domain.webhooks import base_of, without_query
from services.notifier.storage.webhooks import StoredWebhook
from services.notifier.usecases.webhook_rights import PAUSED, Standing

OWNERSHIP = ("team_id", "transferred_at", "taken_over_at")
"""Columns that nobody is shown: what follows from them is."""


@dataclass(frozen=True, slots=True)
class HeaderView:
    """A header as the API shows it to one caller."""

    id: int
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class WebhookView:
    """A webhook as the API shows it to one caller."""

    id: int
    namespace_id: int | None
    namespace: str | None
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
    created_at: datetime
    updated_at: datetime
    paused: str | None
    """Why it rests, and what to do; ``None``: it does not."""
    updatable: bool
    """Whether the caller may change it, and have it send again."""
    destroyable: bool
    """Whether the caller may delete it, and its headers."""
    headers: Sequence[HeaderView] = field(default=())
    """Left out of lists."""


def view_webhook(webhook: StoredWebhook, standing: Standing, headers: Sequence[HeaderView] = ()) -> WebhookView:
    """Return what a caller is shown of a webhook; nothing secret of one that is another team's."""
    shown, foreign = asdict(webhook), standing.is_foreign(webhook)
    if foreign:
        # Many receivers have their secret in the path.
        shown |= {"url": base_of(webhook.url), "enabled": False}
    elif not standing.may_manage:
        shown["url"] = without_query(shown["url"])
    for name in OWNERSHIP:
        del shown[name]
    password, secret = shown.pop("sealed_password"), shown.pop("sealed_secret")
    return WebhookView(
        **shown | {"request_method": shown.pop("method")},
        has_password=password is not None,
        has_secret=secret is not None,
        paused=PAUSED if foreign else None,
        updatable=standing.may_manage,
        destroyable=standing.may_create,
        headers=headers,
    )
