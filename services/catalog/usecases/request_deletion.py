"""A caller wants something deleted, or to know what would go with it."""

from services.catalog.domain.deletions import DeletionPlan, Method, TagPlace
from services.catalog.storage.deletion_queries import find_tag, holds_manifest
from services.catalog.storage.repository_queries import RepositoryRow, find_repository
from services.catalog.usecases.delete_content import ContentDeleter
from services.catalog.usecases.not_found import ManifestNotFound, RepositoryNotFound, TagNotFound
from services.catalog.usecases.plan_deletion import plan_digest, plan_repository, plan_tag
from services.catalog.usecases.rights import DELETE, FindPermissions, actor_of, require
from shared.database import Database
from shared.oci.names import Digest, RepositoryName
from shared.visibility.answers import Visibility


def preview_tag(
    visibility: Visibility,
    permissions: FindPermissions,
    tag: int,
    *,
    deleter: ContentDeleter,
    keep_referrers: bool = False,
) -> DeletionPlan:
    """Return what the deletion of a tag would do.

    Raises:
        TagNotFound, NotAllowed: the caller may not see it, or not delete there.
        RegistryError: it cannot be told how this registry deletes.
    """
    place = _find_tag(visibility, permissions, tag, deleter.database)
    deletes_tags = deleter.registry.deletes_tags
    return plan_tag(
        place,
        database=deleter.database,
        deletes_tags=deletes_tags,
        keep_referrers=keep_referrers,
        max_tags=deleter.limits.max_tags,
    )


def delete_tag(
    visibility: Visibility,
    permissions: FindPermissions,
    tag: int,
    *,
    deleter: ContentDeleter,
    keep_referrers: bool = False,
) -> Method:
    """Delete one tag alone.

    Raises:
        TagNotFound, DeletionError, RegistryUnavailable: it is still there.
    """
    place = _find_tag(visibility, permissions, tag, deleter.database)
    return deleter.delete_tag(actor_of(visibility), place, keep_referrers=keep_referrers)


def preview_manifest(
    visibility: Visibility,
    permissions: FindPermissions,
    repository: int,
    digest: Digest,
    *,
    deleter: ContentDeleter,
    keep_referrers: bool = False,
) -> DeletionPlan:
    """Return what the deletion of a manifest would do.

    Raises:
        RepositoryNotFound, ManifestNotFound, NotAllowed: the caller may not see it, or not delete there.
    """
    row = _find_repository(visibility, permissions, repository, digest, deleter.database)
    return plan_digest(
        row,
        digest,
        database=deleter.database,
        keep_referrers=keep_referrers,
        max_tags=deleter.limits.max_tags,
    )


def delete_manifest(
    visibility: Visibility,
    permissions: FindPermissions,
    repository: int,
    digest: Digest,
    *,
    deleter: ContentDeleter,
    keep_referrers: bool = False,
) -> Method:
    """Delete a manifest with every tag on it.

    Raises:
        RepositoryNotFound, ManifestNotFound, DeletionError, RegistryUnavailable: it is still there.
    """
    row = _find_repository(visibility, permissions, repository, digest, deleter.database)
    name, actor = RepositoryName(row.full_name), actor_of(visibility)
    return deleter.delete_manifest(actor, name, digest, keep_referrers=keep_referrers)


def preview_repository(
    visibility: Visibility, permissions: FindPermissions, repository: int, *, deleter: ContentDeleter
) -> DeletionPlan:
    """Return what the deletion of a repository would do.

    Raises:
        RepositoryNotFound, NotAllowed: the caller may not see it, or not delete there.
    """
    row = _find_repository(visibility, permissions, repository, None, deleter.database)
    return plan_repository(row, database=deleter.database)


def delete_repository(
    visibility: Visibility, permissions: FindPermissions, repository: int, *, deleter: ContentDeleter
) -> Method:
    """Delete everything in a repository.

    Raises:
        RepositoryNotFound, DeletionError, RegistryUnavailable: something is still there.
    """
    row = _find_repository(visibility, permissions, repository, None, deleter.database)
    return deleter.delete_repository(actor_of(visibility), RepositoryName(row.full_name))


def _find_tag(visibility: Visibility, permissions: FindPermissions, tag: int, database: Database) -> TagPlace:
    with database.read() as connection:
        place = find_tag(connection, visibility, tag)
    if place is None:
        raise TagNotFound
    require(permissions, place.repository, DELETE)
    return place


def _find_repository(
    visibility: Visibility, permissions: FindPermissions, repository: int, digest: Digest | None, database: Database
) -> RepositoryRow:
    with database.read() as connection:
        row = find_repository(connection, visibility, repository)
        if row is None:
            raise RepositoryNotFound
        if digest and not holds_manifest(connection, repository, digest):
            raise ManifestNotFound
    require(permissions, RepositoryName(row.full_name), DELETE)
    return row
