"""What a caller may see, as data for ``catalog``."""

from dataclasses import dataclass

import structlog

from services.auth.domain.namespaces import GLOBAL_NAMESPACE
from services.auth.domain.subjects import Subject
from services.auth.domain.visibility import sight_of
from services.auth.storage.namespaces import visible_names
from shared.database import Database

MAX_NAMESPACES = 50_000
"""Most names in one answer; beyond it the last in the alphabet are not shown."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Visibility:
    """What a caller may see."""

    subject: Subject
    everything: bool
    global_namespace: bool
    namespaces: tuple[str, ...]


def show_visibility(subject: Subject, *, database: Database) -> Visibility:
    """Return what a caller may see; for those who may see everything no names are listed."""
    if sight_of(subject).everything:
        return Visibility(subject, everything=True, global_namespace=True, namespaces=())
    with database.read() as connection:
        names = visible_names(connection, subject, limit=MAX_NAMESPACES + 1)
    if len(names) > MAX_NAMESPACES:
        log.error("visibility.cut", subject=subject.username, limit=MAX_NAMESPACES)
        names = names[:MAX_NAMESPACES]
    own = tuple(name for name in names if name != GLOBAL_NAMESPACE)
    return Visibility(subject, everything=False, global_namespace=len(own) < len(names), namespaces=own)
