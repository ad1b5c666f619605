"""The registries under this authority."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from services.auth.domain.decisions import DeletePolicy, PushPolicy
from services.auth.domain.errors import NotFound
from services.auth.domain.namespaces import GLOBAL_NAMESPACE
from services.auth.domain.registries import FIRST_REGISTRY_ID, RegistryFacts, service_key
from services.auth.storage.rows import insert_row
from services.auth.storage.tables import namespaces, registries
from shared.api.paging import ListRequest, Page
from shared.listing import Listed, Listing, fetch_list

REGISTRIES = Listing(
    {
        "id": Listed(registries.c.id),
        "name": Listed(registries.c.name),
        "created_at": Listed(registries.c.created_at),
        "updated_at": Listed(registries.c.updated_at),
    },
    search=[registries.c.name, registries.c.hostname],
)
"""What the list of registries is sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class RegistryView:
    """A registry as the API shows it; of the first one ``service`` and ``hostname`` are what the environment says."""

    id: int
    name: str
    service: str
    hostname: str
    external_hostname: str | None
    use_ssl: bool
    token_ttl_s: int | None
    push_policy: PushPolicy | None
    delete_policy: DeletePolicy | None
    created_at: datetime
    updated_at: datetime

    @property
    def is_first(self) -> bool:
        return self.id == FIRST_REGISTRY_ID

    @property
    def facts(self) -> RegistryFacts:
        """What a decision needs to know of it."""
        return RegistryFacts(self.id, self.service, self.token_ttl_s, self.push_policy, self.delete_policy)


def find_registry_facts(connection: Connection, service: str | None, *, first_service: str) -> RegistryFacts:
    """Return a registry by its service name; ``None``: the first one.

    Raises:
        NotFound: there is no such registry.
    """
    key = service_key(first_service if service is None else service, first_service)
    row = connection.execute(select(registries).where(registries.c.service == key)).one_or_none()
    if row is None:
        raise NotFound("registry")
    view = _load(row)
    return view.facts


def find_registry_named(connection: Connection, name: str | None) -> RegistryFacts:
    """Return a registry by the name that people give it; ``None``: the first one.

    Raises:
        NotFound: there is no such registry.
    """
    wanted = registries.c.id == FIRST_REGISTRY_ID if name is None else registries.c.name == name
    row = connection.execute(select(registries).where(wanted)).one_or_none()
    if row is None:
        raise NotFound("registry")
    return _load(row).facts


def insert_registry(connection: Connection, values: Mapping[str, Any], *, now: datetime) -> int:
    """Insert a registry and return its id."""
    return insert_row(connection, registries, {**values, "created_at": now, "updated_at": now})


def update_registry(connection: Connection, registry_id: int, values: Mapping[str, Any], *, now: datetime) -> None:
    """Change columns of a registry."""
    connection.execute(update(registries).where(registries.c.id == registry_id).values({**values, "updated_at": now}))


def delete_registry(connection: Connection, registry_id: int) -> None:
    """Delete a registry and its global namespace."""
    connection.execute(delete(namespaces).where(namespaces.c.registry_id == registry_id))
    connection.execute(delete(registries).where(registries.c.id == registry_id))


def find_registry(connection: Connection, registry_id: int) -> RegistryView | None:
    """Return one registry."""
    row = connection.execute(select(registries).where(registries.c.id == registry_id)).one_or_none()
    return _load(row) if row else None


def list_registries(connection: Connection, request: ListRequest) -> Page[RegistryView]:
    """Return a page of the registries."""
    return fetch_list(connection, select(registries), REGISTRIES, request, load=_load)


def find_registry_clashes(connection: Connection, values: Mapping[str, Any], *, but: int | None = None) -> set[str]:
    """Return which of ``name``, ``service`` and ``hostname`` another registry has.

    Args:
        but: id of the registry that does not count.
    """
    others = registries.c.id != but if but is not None else registries.c.id.is_not(None)
    wanted = {name: values[name] for name in ("name", "service", "hostname") if values.get(name)}
    return {
        name
        for name, value in wanted.items()
        if connection.execute(select(registries.c.id).where(registries.c[name] == value, others)).first()
    }


def count_namespaces(connection: Connection, registry_id: int) -> int:
    """Count the namespaces of a registry besides its global one."""
    own = select(func.count()).where(namespaces.c.registry_id == registry_id, namespaces.c.name != GLOBAL_NAMESPACE)
    return connection.execute(own).scalar_one()


def _load(row: Row[Any]) -> RegistryView:
    values = dict(row._mapping)
    push, delete_policy = values.pop("push_policy"), values.pop("delete_policy")
    return RegistryView(
        **values,
        push_policy=PushPolicy(push) if push else None,
        delete_policy=DeletePolicy(delete_policy) if delete_policy else None,
    )
