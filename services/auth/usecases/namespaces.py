"""Show namespaces, and tell whether one could be made."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from services.auth.domain.errors import Faults, Invalid, NotFound
from services.auth.domain.management import Operation, Rules
from services.auth.domain.namespaces import check_namespace_name
from services.auth.domain.subjects import Subject
from services.auth.storage.namespaces import NamespaceView, find_namespace, list_namespaces, taken_namespace_names
from services.auth.storage.registries import find_registry_named
from services.auth.usecases.catalog import Catalog, count_repositories
from services.auth.usecases.rights import require_right
from shared.api.paging import ListRequest, Page
from shared.clock import Clock
from shared.database import Database


def show_namespace(subject: Subject, namespace_id: int, *, database: Database, clock: Clock) -> NamespaceView:
    """Return a namespace that the caller may see.

    Raises:
        NotFound: it does not exist, or the caller may not see it.
    """
    with database.read() as connection:
        return get_namespace(connection, subject, namespace_id, now=clock())


def show_namespaces(
    subject: Subject, request: ListRequest, *, catalog: Catalog, database: Database, clock: Clock
) -> Page[NamespaceView]:
    """Return a page of the namespaces that the caller may see, with how many repositories each has."""
    with database.read() as connection:
        page = list_namespaces(connection, subject, request, now=clock())
    return replace(page, rows=count_repositories(page.rows, catalog))


def find_catalogued_namespace(subject: Subject, namespace_id: int, *, database: Database, clock: Clock) -> str | None:
    """Return the name of a namespace of the first registry, ``None`` when it is missing or not to be seen."""
    with database.read() as connection:
        namespace = find_namespace(connection, subject, namespace_id, now=clock())
    return namespace.name if namespace and namespace.is_catalogued else None


def find_unknown_namespaces(names: Collection[str], *, database: Database) -> list[str]:
    """Return those of some names that no namespace of the first registry has, in order."""
    with database.read() as connection:
        return sorted(set(names) - taken_namespace_names(connection, names))


def validate_namespace(name: str, *, registry: str | None, database: Database) -> Faults:
    """Return why no namespace of a name could be made, by field; nothing if it could.

    Args:
        registry: name of the registry that it would be in; ``None``: the first one.

    Raises:
        NotFound: there is no such registry.
    """
    with database.read() as connection:
        place = find_registry_named(connection, registry)
        try:
            check_new_name(connection, name, registry_id=place.id)
        except Invalid as fault:
            return fault.errors
    return {}


def check_new_name(connection: Connection, name: str, *, registry_id: int) -> None:
    """Check the name of a namespace that somebody wants to make.

    Raises:
        Invalid: it is outside the grammar, or taken.
    """
    check_namespace_name(name)
    if taken_namespace_names(connection, [name], registry_id=registry_id):
        raise Invalid({"name": ["has already been taken"]})


def get_namespace(connection: Connection, subject: Subject, namespace_id: int, *, now: datetime) -> NamespaceView:
    """Return a namespace that the caller may see.

    Raises:
        NotFound: it does not exist, or the caller may not see it.
    """
    namespace = find_namespace(connection, subject, namespace_id, now=now)
    if namespace is None:
        raise NotFound("namespace")
    return namespace


def get_managed_namespace(
    connection: Connection, subject: Subject, namespace_id: int, operation: Operation, rules: Rules, *, now: datetime
) -> NamespaceView:
    """Return a namespace to which the caller may do something.

    Raises:
        NotFound: the caller may not even see it.
        Forbidden: the caller may not do this.
    """
    namespace = get_namespace(connection, subject, namespace_id, now=now)
    require_right(subject, operation, namespace.place, namespace.rules(rules))
    return namespace
