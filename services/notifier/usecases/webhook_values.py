"""What the API says of a webhook, as it is stored."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.notifier.domain.addresses import Network, find_address, may_reach
from services.notifier.domain.webhook_requests import secret_fault
from services.notifier.domain.webhooks import InvalidWebhook, check_url, origin_of
from services.notifier.storage.sealing import Seal
from services.notifier.storage.webhooks import StoredWebhook
from services.notifier.usecases.webhook_views import OWNERSHIP
from shared.config import Secret

_SEALED = {"password": "sealed_password", "secret": "sealed_secret"}


def to_columns(values: Mapping[str, Any], *, seal: Seal, allowed: Sequence[Network]) -> dict[str, Any]:
    """Return columns for values of the API.

    Args:
        allowed: networks that may be reached besides public addresses.

    Raises:
        InvalidWebhook: one of them breaks a rule.
    """
    row = {name: value for name, value in values.items() if name not in _SEALED}
    if "request_method" in row:
        row["method"] = row.pop("request_method")
    if "url" in row:
        row["url"] = _checked_url(row["url"], allowed)
    if "secret" in values:
        _check_secret(values["secret"])
    for name in _SEALED.keys() & values.keys():
        given = values[name]
        row[_SEALED[name]] = seal.close(given) if given else None
    return row


def list_changed(before: StoredWebhook, row: Mapping[str, Any]) -> list[str]:
    """Return what is different, in words for the log. What is sealed differs whenever it is given."""
    names = {column: name for name, column in _SEALED.items()} | dict.fromkeys(OWNERSHIP, "team")
    return sorted({names.get(column, column) for column, value in row.items() if getattr(before, column) != value})


def _checked_url(value: str, allowed: Sequence[Network]) -> str:
    url = check_url(value)
    # A name is looked up when something is sent; a number is told at once.
    address = find_address(origin_of(url)[1])
    if address and not may_reach(address, allowed):
        raise InvalidWebhook({"url": ["is not public, and not among PORTUS_WEBHOOK_ALLOWED_NETWORKS"]})
    return url


def _check_secret(given: Secret | None) -> None:
    if given and (fault := secret_fault(given.reveal())):
        raise InvalidWebhook({"secret": [fault]})
