"""What a deletion would do: asked before it is done, and by whoever does it."""

from collections.abc import Callable

from sqlalchemy import Connection

from services.catalog.domain.deletions import DeletionPlan, Method, TagPlace, method_for_tag
from services.catalog.storage.deletion_queries import (
    count_tags,
    freed_by,
    has_unread,
    list_indexes_with,
    list_left_untagged,
    list_referrers_to,
    list_tags_in,
    list_tags_on,
)
from services.catalog.storage.repository_queries import RepositoryRow
from shared.database import Database
from shared.oci.names import Digest, RepositoryName

DeletesTags = Callable[[RepositoryName], bool]
"""Tells whether the registry can delete a tag alone."""


def plan_tag(place: TagPlace, *, database: Database, deletes_tags: DeletesTags) -> DeletionPlan:
    """Return what the deletion of one tag would do."""
    with database.read() as connection:
        on_digest = list_tags_on(connection, place.repository_id, place.digest)
        others = [tag for tag in on_digest if tag != place.name]
        indexes = list_indexes_with(connection, place.repository_id, place.digest)
        if not others and not indexes:
            return _plan_digest(connection, place.repository, place.repository_id, place.digest)
    method = method_for_tag(
        shares_digest=bool(others),
        is_listed=bool(indexes),
        registry_deletes_tags=deletes_tags(place.repository),
    )
    return DeletionPlan(place.repository, method, place.digest, tags=[place.name], tags_count=1, other_tags=others)


def plan_digest(repository: RepositoryRow, digest: Digest, *, database: Database) -> DeletionPlan:
    """Return what the deletion of one manifest would do."""
    with database.read() as connection:
        return _plan_digest(connection, RepositoryName(repository.full_name), repository.id, digest)


def plan_repository(repository: RepositoryRow, *, database: Database) -> DeletionPlan:
    """Return what the deletion of a repository would do."""
    name = RepositoryName(repository.full_name)
    with database.read() as connection:
        freed = freed_by(connection, repository.id)
        tags, tags_count = list_tags_in(connection, repository.id), count_tags(connection, repository.id)
    return DeletionPlan(
        name, Method.REPOSITORY, tags=tags, tags_count=tags_count, freed_bytes=freed.size_bytes, is_exact=freed.is_exact
    )


def _plan_digest(connection: Connection, name: RepositoryName, repository: int, digest: Digest) -> DeletionPlan:
    untagged = list_left_untagged(connection, repository, digest)
    freed = freed_by(connection, repository, [digest, *untagged])
    return DeletionPlan(
        name,
        Method.DIGEST,
        digest,
        tags=list_tags_on(connection, repository, digest),
        tags_count=count_tags(connection, repository, digest),
        indexes=list_indexes_with(connection, repository, digest),
        referrers=list_referrers_to(connection, repository, digest),
        untagged=untagged,
        freed_bytes=freed.size_bytes,
        # What was not read may be an index that lists it.
        is_exact=freed.is_exact and not has_unread(connection, repository),
    )
