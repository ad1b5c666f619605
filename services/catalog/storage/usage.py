"""How much there is in the registry, by namespace and in all."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, false, func, or_, select

from services.catalog.storage.tables import repositories


@dataclass(frozen=True, slots=True)
class Usage:
    """What the repositories with a tag hold together."""

    repositories: int = 0
    tags: int = 0
    size_bytes: int = 0
    """Sum over the repositories: what two of them share counts in both."""


def total_usage(connection: Connection) -> Usage:
    """Return what the whole registry holds."""
    return Usage(*map(int, connection.execute(select(*_SUMS).where(_IS_FILLED)).one()))


def usage_of(connection: Connection, namespaces: Collection[str]) -> Mapping[str, Usage]:
    """Return what namespaces hold, each of which is in the answer.

    Args:
        namespaces: names; an empty one is the global namespace.
    """
    # What the column would be compared with is never NULL, so the global namespace is called "".
    place = func.coalesce(repositories.c.namespace, "").label("place")
    in_global = repositories.c.namespace.is_(None) if "" in namespaces else false()
    among = or_(repositories.c.namespace.in_(namespaces), in_global)
    query = select(place, *_SUMS).where(_IS_FILLED, among).group_by(place)
    found = {name: Usage(*map(int, sums)) for name, *sums in connection.execute(query)}
    return {name: found.get(name, Usage()) for name in namespaces}


_IS_FILLED = repositories.c.tags_count > 0
_SUMS = (
    func.count(),
    func.coalesce(func.sum(repositories.c.tags_count), 0),
    func.coalesce(func.sum(repositories.c.size_bytes), 0),
)
