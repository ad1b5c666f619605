"""Which manifests lie in a repository."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, exists, select, tuple_

from services.catalog.storage.manifests import MAX_NESTING
from services.catalog.storage.pending import Key
from services.catalog.storage.statements import insert_missing
from services.catalog.storage.tables import (
    manifest_children,
    manifest_deletions,
    manifests,
    repositories,
    repository_manifests,
)
from shared.oci.names import Digest, RepositoryName


def note_children(
    connection: Connection,
    ids: Collection[int],
    parents: Collection[Digest],
    *,
    now: datetime,
    confirmed: Collection[Key] = (),
) -> set[Key]:
    """Let what indexes hold lie where the indexes lie; the children that a crawl finds were never told of.

    An index may list what is not there, where the registry does not check that. So what is known from another
    repository only may be somebody else's secret, and does not count before the registry has confirmed it.

    Args:
        ids: repositories, locked by the caller.
        parents: manifests, whether they are indexes or not; what one holds is looked through too.
        confirmed: what the registry has confirmed.

    Returns:
        What is to be confirmed.
    """
    doubtful = set[Key]()
    for _ in range(MAX_NESTING):
        rows = connection.execute(_select_children(ids, parents)).all() if parents else []
        doubts = {(row.full_name, row.digest) for row in rows if row.is_doubtful} - set(confirmed)
        doubtful |= doubts
        found = {
            (row.repository_id, row.digest): row.written_at for row in rows if (row.full_name, row.digest) not in doubts
        }
        if not found:
            break
        insert_missing(connection, repository_manifests, [_row(*key, found[key], now) for key in sorted(found)])
        parents = {Digest(digest) for _, digest in found}
    return {(RepositoryName(name), Digest(digest)) for name, digest in doubtful}


def list_doubtful(connection: Connection, keys: Collection[Key]) -> set[Key]:
    """Return those of which we have the manifest without knowing that it lies in the repository."""
    fetched = select(manifests.c.digest).where(
        manifests.c.digest.in_({digest for _, digest in keys}), manifests.c.body.is_not(None)
    )
    own = repository_manifests.c
    here = (
        select(repositories.c.full_name, own.digest)
        .join_from(repository_manifests, repositories)
        .where(tuple_(repositories.c.full_name, own.digest).in_(list(keys)))
    )
    known = set(connection.scalars(fetched))
    lying = {(row.full_name, row.digest) for row in connection.execute(here)}
    return {key for key in keys if key[1] in known and key not in lying}


def _select_children(
    ids: Collection[int], parents: Collection[Digest]
) -> "Select[tuple[int, str, str, datetime, bool]]":
    own, child, other = repository_manifests.c, manifest_children.c, repository_manifests.alias()
    gone = exists().where(
        manifest_deletions.c.repository_id == own.repository_id, manifest_deletions.c.digest == child.digest
    )
    lies = exists().where(other.c.digest == child.digest)
    here, elsewhere = (
        lies.where(other.c.repository_id == own.repository_id),
        lies.where(other.c.repository_id != own.repository_id),
    )
    return (
        select(
            own.repository_id,
            repositories.c.full_name,
            child.digest,
            own.written_at,
            (elsewhere & ~here).label("is_doubtful"),
        )
        .select_from(repository_manifests.join(repositories).join(manifest_children, child.parent_digest == own.digest))
        .where(own.repository_id.in_(ids), own.digest.in_(parents), own.present, ~gone)
    )


def _row(repository: int, digest: str, written_at: datetime, now: datetime) -> dict[str, object]:
    # Not pushed, as far as we know, but seen, so that the news of its push is still news.
    return {
        "repository_id": repository,
        "digest": digest,
        "present": True,
        "written_at": written_at,
        "written_by_event": "",
        "pushed_by": None,
        "first_seen_at": now,
    }


def list_manifests_of(connection: Connection, repository: RepositoryName) -> Sequence[Digest]:
    """Return the manifests of a repository, an index before what it holds."""
    own = repository_manifests.c
    number = select(repositories.c.id).where(repositories.c.full_name == repository).scalar_subquery()
    level = select(own.digest).where(own.repository_id == number, own.present)
    here = set(connection.scalars(level))
    # A manifest in several indexes counts where it lies deepest.
    depths = dict.fromkeys(here, 0)
    for depth in range(1, MAX_NESTING + 1):
        level = select(manifest_children.c.digest).where(manifest_children.c.parent_digest.in_(level))
        depths |= dict.fromkeys(here.intersection(connection.scalars(level)), depth)
    return [Digest(digest) for digest in sorted(depths, key=lambda digest: (depths[digest], digest))]
