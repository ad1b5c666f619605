"""How much there is in the registry."""

from collections.abc import Collection, Mapping

from services.catalog.storage.usage import Usage, total_usage, usage_of
from shared.database import Database


def show_total_usage(*, database: Database) -> Usage:
    """Return what the whole registry holds."""
    with database.read() as connection:
        return total_usage(connection)


def show_usage(namespaces: Collection[str], *, database: Database) -> Mapping[str, Usage]:
    """Return what each of some namespaces holds; an empty name is the global namespace."""
    with database.read() as connection:
        return usage_of(connection, namespaces)
