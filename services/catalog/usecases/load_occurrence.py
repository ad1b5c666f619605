"""Reading a registry's notification from its message."""

from datetime import UTC

from services.catalog.domain.errands import find_errand
from services.catalog.domain.occurrences import SERVICE_ACCOUNT, Occurrence, Stamp
from shared.contracts.events import Envelope, InvalidMessage, RegistryNotification, load_data
from shared.contracts.words import find_word, load_word
from shared.oci.names import InvalidName, parse_digest, parse_repository_name, parse_tag


def load_occurrence(envelope: Envelope) -> Occurrence:
    """Read and check a notification.

    Raises:
        InvalidMessage: a field that the index needs is missing or outside its grammar.
    """
    notification = load_data(RegistryNotification, envelope.data)
    actor = find_word(notification.actor)
    # Anybody may call himself anything; what our own account says of itself is true.
    errand = find_errand(find_word(notification.user_agent)) if actor == SERVICE_ACCOUNT else None
    try:
        return Occurrence(
            stamp=Stamp(envelope.time.astimezone(UTC), errand.id if errand else load_word(envelope.id, "id")),
            action=load_word(notification.action, "action"),
            repository=parse_repository_name(load_word(notification.repository, "repository")),
            # 3.x sends empty strings where 2.8 sends nothing.
            digest=parse_digest(load_word(notification.digest, "digest")) if notification.digest else None,
            tag=parse_tag(load_word(notification.tag, "tag")) if notification.tag else None,
            media_type=find_word(notification.media_type),
            method=find_word(notification.method),
            actor=errand.actor or actor if errand else actor,
        )
    except (InvalidName, OverflowError) as fault:
        # Overflow: a time that no calendar has in UTC, like 9999-12-31T23:59:59-23:00.
        raise InvalidMessage(str(fault)) from fault
