"""Reading a registry's notification from its message."""

from datetime import UTC
from typing import Any

from services.catalog.domain.manifests import MAX_TEXT_LENGTH
from services.catalog.domain.occurrences import Occurrence, Stamp
from shared.contracts.events import Envelope, InvalidMessage, RegistryNotification, load_data
from shared.oci.names import InvalidName, parse_digest, parse_repository_name, parse_tag


def load_occurrence(envelope: Envelope) -> Occurrence:
    """Read and check a notification.

    Raises:
        InvalidMessage: a field that the index needs is missing or outside its grammar.
    """
    notification = load_data(RegistryNotification, envelope.data)
    try:
        return Occurrence(
            stamp=Stamp(envelope.time.astimezone(UTC), _word(envelope.id, "id")),
            action=_word(notification.action, "action"),
            repository=parse_repository_name(_word(notification.repository, "repository")),
            # 3.x sends empty strings where 2.8 sends nothing.
            digest=parse_digest(_word(notification.digest, "digest")) if notification.digest else None,
            tag=parse_tag(_word(notification.tag, "tag")) if notification.tag else None,
            media_type=_printable(notification.media_type),
            method=_printable(notification.method),
            actor=_printable(notification.actor),
        )
    except (InvalidName, OverflowError) as fault:
        # Overflow: a time that no calendar has in UTC, like 9999-12-31T23:59:59-23:00.
        raise InvalidMessage(str(fault)) from fault


def _word(value: Any, field: str) -> str:
    if word := _printable(value):
        return word
    raise InvalidMessage(f"{field} is not a word of 1 to {MAX_TEXT_LENGTH} printable characters")


def _printable(value: Any) -> str | None:
    if isinstance(value, str) and 0 < len(value) <= MAX_TEXT_LENGTH and value.isprintable():
        return value
    return None
