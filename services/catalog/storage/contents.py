"""Which manifests lie in a repository."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from services.catalog.storage.manifests import MAX_NESTING
from services.catalog.storage.tables import manifest_children, repositories, tags
from shared.oci.names import Digest, RepositoryName


def list_manifests_of(connection: Connection, repository: RepositoryName) -> Sequence[Digest]:
    """Return the manifests that the tags of a repository lead to, an index before what it holds."""
    level = (
        select(tags.c.digest)
        .select_from(tags.join(repositories))
        .where(repositories.c.full_name == repository, tags.c.present)
    )
    # A manifest in several places counts where it lies deepest.
    depths: dict[Digest, int] = {}
    for depth in range(MAX_NESTING + 1):
        depths |= dict.fromkeys(map(Digest, connection.scalars(level)), depth)
        level = select(manifest_children.c.digest).where(manifest_children.c.parent_digest.in_(level))
    return sorted(depths, key=lambda digest: (depths[digest], digest))
