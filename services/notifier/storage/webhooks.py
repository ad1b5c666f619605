"""Rows of ``webhooks`` and ``webhook_headers``."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from services.notifier.domain.webhooks import Happening, Selection, host_of
from services.notifier.storage.tables import webhook_headers as headers
from services.notifier.storage.tables import webhooks as table
from shared.api.paging import ListRequest, Page
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_part

WEBHOOKS = Listing(
    {
        "id": Listed(table.c.id),
        "namespace_id": Listed(table.c.namespace_id, orders=False, sortable=False),
        "name": Listed(table.c.name),
        "enabled": Listed(table.c.enabled),
        "created_at": Listed(table.c.created_at),
    },
    # Not by address: a query may hold a secret, and who may not see it would find it by guessing.
    search=[table.c.name],
)
"""What the list of webhooks is sorted and narrowed by."""


@dataclass(frozen=True, slots=True)
class StoredHeader:
    """A header that is sent with every request of a webhook."""

    id: int
    name: str
    sealed_value: str


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    """A webhook, without its headers."""

    id: int
    namespace_id: int | None
    namespace: str | None
    name: str
    url: str
    method: str
    content_type: str
    username: str
    sealed_password: str | None
    sealed_secret: str | None
    enabled: bool
    events: Sequence[str]
    repositories: Sequence[str]
    tags: Sequence[str]
    created_by: str
    created_at: datetime
    updated_at: datetime
    team_id: int | None
    """For which it was made; ``None``: of the whole installation, or not known."""
    transferred_at: datetime | None
    """When the namespace went to another team that has not taken it over yet."""
    taken_over_at: datetime | None

    @property
    def owned_since(self) -> datetime:
        """Since when it is the webhook of whoever has it now."""
        return self.taken_over_at or self.created_at


_IS_THERE = table.c.deleted_at.is_(None)

COLUMNS: tuple[ColumnElement[Any], ...] = tuple(table.c[name] for name in StoredWebhook.__slots__)


def insert_webhook(connection: Connection, values: Mapping[str, Any], *, now: datetime) -> int:
    """Insert a webhook and return its id."""
    row = {"sound": True, **_with_host(values), "created_at": now, "updated_at": now}
    return int(connection.execute(insert(table).values(row).returning(table.c.id)).scalar_one())


def update_webhook(connection: Connection, webhook: int, values: Mapping[str, Any], *, now: datetime) -> None:
    """Change columns of a webhook."""
    connection.execute(update(table).where(table.c.id == webhook).values({**_with_host(values), "updated_at": now}))


def delete_webhook(connection: Connection, webhook: int, *, now: datetime) -> None:
    """Delete a webhook with its headers; its deliveries, of which there may be very many, go by and by."""
    _delete(connection, table.c.id == webhook, now=now)


def delete_webhooks_of(
    connection: Connection, *, namespace: str, namespace_id: int | None, before: datetime, now: datetime
) -> int:
    """Delete the webhooks of a namespace that is gone, and return how many.

    Args:
        namespace_id: ``None``: not known. Alone it says nothing: another namespace may have got it since.
        before: those stay that were made since, for a namespace of the same name.
    """
    return _delete(connection, _made_for(namespace, namespace_id, before), now=now)


def pause_webhooks_of(
    connection: Connection,
    *,
    namespace: str,
    namespace_id: int | None,
    team_id: int | None,
    before: datetime,
    now: datetime,
) -> int:
    """Let the webhooks of a namespace that went to another team rest, without their secrets; return how many.

    Args:
        namespace_id: ``None``: not known.
        team_id: of the team that has it now, whose webhooks go on; ``None``: not known.
        before: those stay that were made, or taken over, since.
    """
    former = _made_for(namespace, namespace_id, before) & table.c.transferred_at.is_(None)
    if team_id is not None:
        former &= table.c.team_id.is_distinct_from(team_id)
    return _silence(connection, former, {"transferred_at": now, "updated_at": now})


def find_webhook(connection: Connection, webhook: int, *, lock: bool = False) -> StoredWebhook | None:
    """Return a webhook.

    Args:
        lock: whether nobody else may change it until the caller's transaction has ended.
    """
    query = select(*COLUMNS).where(table.c.id == webhook, _IS_THERE)
    if lock:
        query = query.with_for_update(key_share=True)
    row = connection.execute(query).one_or_none()
    return load_webhook(row) if row else None


def list_webhooks(
    connection: Connection, namespace_id: int | None, namespace: str | None, asked: ListRequest
) -> Page[StoredWebhook] | Slice[StoredWebhook]:
    """Return a part of the webhooks of a namespace; ``None``: of those of the whole installation."""
    of = (table.c.namespace_id == namespace_id, table.c.namespace == namespace)
    query = select(*COLUMNS).where(*of, _IS_THERE)
    return fetch_part(connection, query, WEBHOOKS, asked, load=load_webhook)


def count_webhooks(connection: Connection, namespace_id: int | None) -> int:
    """Return how many webhooks a namespace, or the whole installation, has."""
    query = select(func.count()).select_from(table).where(table.c.namespace_id == namespace_id, _IS_THERE)
    return connection.execute(query).scalar_one()


def list_selections(connection: Connection, namespaces: Collection[str]) -> Sequence[tuple[int, Selection]]:
    """Return of which events every enabled webhook is told that may be told of something in some namespaces.

    They stay there until the caller's transaction has ended.
    """
    meant = or_(table.c.namespace.is_(None), table.c.namespace.in_(namespaces))
    columns = (table.c[name] for name in ("id", "namespace", "events", "repositories", "tags"))
    query = select(*columns).where(table.c.enabled.is_(True), meant).order_by(table.c.id)
    rows = connection.execute(query.with_for_update(read=True, key_share=True))
    return [(row.id, _selection(row)) for row in rows]


def insert_header(connection: Connection, webhook: int, *, name: str, sealed_value: str) -> int | None:
    """Insert a header and return its id; ``None``: the webhook has one of that name."""
    row = {"webhook_id": webhook, "name": name, "folded": name.lower(), "sealed_value": sealed_value}
    try:
        with connection.begin_nested():
            return int(connection.execute(insert(headers).values(row).returning(headers.c.id)).scalar_one())
    except IntegrityError:
        return None


def delete_headers(connection: Connection, webhook: int) -> None:
    """Delete the headers of a webhook."""
    connection.execute(delete(headers).where(headers.c.webhook_id == webhook))


def delete_header(connection: Connection, webhook: int, header: int) -> str | None:
    """Delete a header of a webhook and return its name; ``None``: there is none."""
    gone = delete(headers).where(headers.c.webhook_id == webhook, headers.c.id == header)
    return connection.execute(gone.returning(headers.c.name)).scalar_one_or_none()


def list_headers(connection: Connection, webhook: int) -> Sequence[StoredHeader]:
    """Return the headers of a webhook, in the order in which they were added."""
    query = select(headers.c.id, headers.c.name, headers.c.sealed_value).where(headers.c.webhook_id == webhook)
    return [StoredHeader(*row) for row in connection.execute(query.order_by(headers.c.id))]


def load_webhook(row: Row[Any]) -> StoredWebhook:
    """Read a row of ``COLUMNS``."""
    return StoredWebhook(*tuple(row))


def _with_host(values: Mapping[str, Any]) -> dict[str, Any]:
    # What another host took says nothing of this one.
    return {**values, "host": host_of(values["url"]), "slow": None} if "url" in values else dict(values)


def _delete(connection: Connection, meant: ColumnElement[bool], *, now: datetime) -> int:
    return _silence(connection, meant & _IS_THERE, {"deleted_at": now, "url": ""})


def _silence(connection: Connection, meant: ColumnElement[bool], values: Mapping[str, Any]) -> int:
    """Let webhooks be told nothing more, and keep nothing that is secret; return how many."""
    connection.execute(delete(headers).where(headers.c.webhook_id.in_(select(table.c.id).where(meant))))
    silent = {"enabled": False, "sealed_password": None, "sealed_secret": None}
    return connection.execute(update(table).where(meant).values({**silent, **values})).rowcount


def _made_for(namespace: str, namespace_id: int | None, before: datetime) -> ColumnElement[bool]:
    made = (
        _IS_THERE
        & (table.c.namespace == namespace)
        & (func.coalesce(table.c.taken_over_at, table.c.created_at) <= before)
    )
    return made if namespace_id is None else made & (table.c.namespace_id == namespace_id)


def _selection(row: Row[Any]) -> Selection:
    return Selection(row.namespace, frozenset(map(Happening, row.events)), tuple(row.repositories), tuple(row.tags))
