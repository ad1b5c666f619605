"""Which manifests lie in a repository."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, exists, select

from services.catalog.storage.manifests import MAX_NESTING
from services.catalog.storage.statements import insert_missing
from services.catalog.storage.tables import manifest_children, manifest_deletions, repositories, repository_manifests
from shared.oci.names import Digest, RepositoryName


def note_children(
    connection: Connection, repositories: Collection[int], parents: Collection[Digest], *, now: datetime
) -> None:
    """Let what indexes hold lie where the indexes lie; the children that a crawl finds were never told of.

    Args:
        repositories: locked by the caller.
        parents: manifests, whether they are indexes or not; what one holds is looked through too.
    """
    own, child = repository_manifests.c, manifest_children.c
    gone = exists().where(
        manifest_deletions.c.repository_id == own.repository_id, manifest_deletions.c.digest == child.digest
    )
    for _ in range(MAX_NESTING):
        if not parents:
            return
        query = (
            select(own.repository_id, child.digest, own.written_at)
            .select_from(repository_manifests.join(manifest_children, child.parent_digest == own.digest))
            .where(own.repository_id.in_(repositories), own.digest.in_(parents), own.present, ~gone)
        )
        found = {(row.repository_id, row.digest): row.written_at for row in connection.execute(query)}
        if not found:
            return
        insert_missing(connection, repository_manifests, [_row(*key, found[key], now) for key in sorted(found)])
        parents = {Digest(digest) for _, digest in found}


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
