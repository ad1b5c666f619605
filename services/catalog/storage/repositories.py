"""Repositories: their rows, their locks, their sums."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, ScalarSelect, Select, Update, bindparam, exists, func, select, update

from services.catalog.domain.index import BY_DIGEST
from services.catalog.storage.folding import is_folded
from services.catalog.storage.statements import insert_missing
from services.catalog.storage.tables import (
    manifest_children,
    manifests,
    pulls,
    repositories,
    repository_manifests,
    tags,
)
from shared.oci.names import Digest, RepositoryName, split_namespace


def lock_repositories(
    connection: Connection, names: Collection[RepositoryName], *, now: datetime
) -> dict[RepositoryName, int]:
    """Return the ids of repositories, made where they are new, and locked to the transaction's end.

    What is known of a repository is read, changed and written back, so two transactions must not do
    it at once. The order is the same for all, so that none waits for another that waits for it.
    """
    found = _lock(connection, names)
    missing = sorted(set(names) - found.keys())
    if not missing:
        return found
    rows = [
        {"full_name": name, "namespace": split_namespace(name).namespace, "created_at": now, "updated_at": now}
        for name in missing
    ]
    insert_missing(connection, repositories, [{"tags_count": 0, "size_bytes": 0, "pulls": 0, **row} for row in rows])
    return found | _lock(connection, missing)


def _lock(connection: Connection, names: Collection[RepositoryName]) -> dict[RepositoryName, int]:
    rows = connection.execute(_locking(), {"names": list(names)})
    return {RepositoryName(row.full_name): row.id for row in rows}


@cache
def _locking() -> Select[tuple[str, int]]:
    """Made once, like all that every transaction executes: to put it together costs as much as to run it."""
    return (
        select(repositories.c.full_name, repositories.c.id)
        .where(repositories.c.full_name.in_(bindparam("names", expanding=True)))
        .order_by(repositories.c.full_name)
        .with_for_update()
    )


def list_names_in(connection: Connection, namespace: str) -> Sequence[RepositoryName]:
    """Return the repositories of a namespace that hold a manifest, by name."""
    is_filled = exists().where(
        repository_manifests.c.repository_id == repositories.c.id, repository_manifests.c.present
    )
    query = select(repositories.c.full_name).where(repositories.c.namespace == namespace, is_filled)
    return [RepositoryName(name) for name in connection.scalars(query.order_by(repositories.c.full_name))]


def lock_repositories_with(connection: Connection, digests: Collection[Digest]) -> Sequence[int]:
    """Return the repositories in which one of the digests lies, locked to the transaction's end."""
    held = repository_manifests.c
    on_digest = select(held.repository_id).where(held.digest.in_(digests), held.present)
    query = select(repositories.c.id).where(repositories.c.id.in_(on_digest))
    return connection.scalars(query.order_by(repositories.c.full_name).with_for_update()).all()


def recount_repositories(connection: Connection, ids: Collection[int]) -> None:
    """Compute the sums of repositories anew, which the caller has locked."""
    if ids:
        connection.execute(_recounting(), {"ids": list(ids)})


@cache
def _recounting() -> Update:
    mine = (tags.c.repository_id == repositories.c.id) & tags.c.present
    newest = func.max(func.coalesce(tags.c.pushed_at, tags.c.written_at))
    return (
        update(repositories)
        .where(repositories.c.id.in_(bindparam("ids", expanding=True)))
        .values(
            tags_count=select(func.count()).select_from(tags).where(mine, ~is_folded()).scalar_subquery(),
            size_bytes=_size(),
            pulls=_pulls(),
            updated_at=func.coalesce(select(newest).where(mine).scalar_subquery(), repositories.c.updated_at),
        )
    )


def _size() -> "ScalarSelect[int]":
    # Two tags on one digest take its place once.
    # SQLAlchemy ties a subquery to the statement right around it only, and the row that is updated
    # is two levels out: without a word the size would be that of all repositories together.
    mine = (
        select(tags.c.digest).where(tags.c.repository_id == repositories.c.id, tags.c.present).correlate(repositories)
    )
    total = func.coalesce(func.sum(manifests.c.size_bytes), 0)
    return select(total).where(manifests.c.digest.in_(mine)).scalar_subquery()


def _pulls() -> "ScalarSelect[int]":
    # Who pulls an index fetches the index and then, by digest, the image for one platform: one pull.
    of_index = pulls.alias()
    is_part = exists().where(
        manifest_children.c.digest == pulls.c.digest,
        of_index.c.repository_id == pulls.c.repository_id,
        of_index.c.digest == manifest_children.c.parent_digest,
    )
    counted = (pulls.c.tag != BY_DIGEST) | ~is_part
    total = func.coalesce(func.sum(pulls.c.pulls), 0)
    return select(total).where(pulls.c.repository_id == repositories.c.id, counted).scalar_subquery()
