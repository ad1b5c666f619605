"""What a caller may see, as data for ``catalog``."""

from dataclasses import dataclass

import structlog

from services.auth.domain.namespaces import GLOBAL_NAMESPACE
from services.auth.domain.registries import FIRST_REGISTRY_ID
from services.auth.domain.subjects import Subject
from services.auth.domain.visibility import sight_of
from services.auth.storage.visible import Glimpse, list_visible
from shared.clock import Clock
from shared.database import Database

MAX_NAMESPACES = 50_000
"""Most names in one answer; beyond it the last in the alphabet are not shown."""
MAX_GLIMPSES = 1_000
"""Most parts of namespaces in one answer."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Visibility:
    """What a caller may see of the first registry."""

    subject: Subject
    everything: bool
    global_namespace: bool
    namespaces: tuple[str, ...]
    glimpses: tuple[Glimpse, ...] = ()
    """Parts of namespaces that are not seen whole."""


def show_visibility(subject: Subject, *, database: Database, clock: Clock) -> Visibility:
    """Return what a caller may see; for those who may see everything no names are listed."""
    if sight_of(subject).everything:
        return Visibility(subject, everything=True, global_namespace=True, namespaces=())
    with database.read() as connection:
        visible = list_visible(
            connection, subject, registry_id=FIRST_REGISTRY_ID, now=clock(), limit=MAX_NAMESPACES + 1
        )
    names, glimpses = visible.namespaces[:MAX_NAMESPACES], visible.glimpses[:MAX_GLIMPSES]
    if len(names) < len(visible.namespaces) or len(glimpses) < len(visible.glimpses):
        log.error("visibility.cut", subject=subject.username, namespaces=MAX_NAMESPACES, parts=MAX_GLIMPSES)
    own = tuple(name for name in names if name != GLOBAL_NAMESPACE)
    return Visibility(subject, False, len(own) < len(names), own, glimpses)
