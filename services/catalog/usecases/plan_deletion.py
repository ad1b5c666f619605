"""What a deletion would do: asked before it is done, and by whoever does it."""

from collections.abc import Callable, Collection
from dataclasses import replace

from sqlalchemy import Connection

from services.catalog.domain.deletions import DeletionPlan, Method, TagPlace, method_for_tag
from services.catalog.storage.deletion_queries import (
    count_tags,
    freed_by,
    has_unread,
    list_doomed,
    list_indexes_with,
    list_left_untagged,
    list_referrer_tags,
    list_referrers_to,
    list_tags_in,
    list_tags_on,
)
from services.catalog.storage.repository_queries import RepositoryRow
from shared.database import Database
from shared.oci.names import Digest, RepositoryName

DeletesTags = Callable[[RepositoryName], bool]
"""Tells whether the registry can delete a tag alone."""


def plan_tag(
    place: TagPlace,
    *,
    database: Database,
    deletes_tags: DeletesTags,
    keep_referrers: bool = False,
    after: Collection[DeletionPlan] = (),
    max_tags: int | None = None,
) -> DeletionPlan:
    """Return what the deletion of one tag would do.

    Args:
        max_tags: with more of them a repository is not looked through; ``None``: it is for the caller to see.
        keep_referrers: the tags that are made of its digest are to stay.
        after: what is deleted in the same repository before.
    """
    gone = {tag for plan in after for tag in plan.tags}
    gone_digests = {plan.digest for plan in after if plan.method is Method.DIGEST}
    with database.read() as connection:
        on_digest = list_tags_on(connection, place.repository_id, place.digest)
        others = [tag for tag in on_digest if tag != place.name and tag not in gone]
        listing = list_indexes_with(connection, place.repository_id, place.digest)
        indexes = [index for index in listing if index.digest not in gone_digests]
        # Where something else leads to it the tag goes alone in any case, and nobody need count.
        is_looked_through = bool(others or indexes) or _is_looked_through(connection, place.repository_id, max_tags)
        if not others and not indexes and is_looked_through:
            plan = _plan_digest(connection, place.repository, place.repository_id, place.digest, keep_referrers)
            return replace(plan, tags=[place.name], tags_count=1, indexes=())
    method = method_for_tag(
        shares_digest=bool(others) or not is_looked_through,
        is_listed=bool(indexes),
        registry_deletes_tags=deletes_tags(place.repository),
    )
    return DeletionPlan(
        place.repository,
        method,
        place.digest,
        tags=[place.name],
        tags_count=1,
        other_tags=others,
        is_looked_through=is_looked_through,
    )


def plan_digest(
    repository: RepositoryRow,
    digest: Digest,
    *,
    database: Database,
    keep_referrers: bool = False,
    max_tags: int | None = None,
) -> DeletionPlan:
    """Return what the deletion of one manifest would do; the arguments are as above."""
    name = RepositoryName(repository.full_name)
    with database.read() as connection:
        plan = _plan_digest(connection, name, repository.id, digest, keep_referrers)
        is_looked_through = _is_looked_through(connection, repository.id, max_tags)
    return replace(plan, is_looked_through=is_looked_through, is_exact=plan.is_exact and is_looked_through)


def plan_repository(repository: RepositoryRow, *, database: Database) -> DeletionPlan:
    """Return what the deletion of a repository would do."""
    name = RepositoryName(repository.full_name)
    with database.read() as connection:
        freed = freed_by(connection, repository.id)
        tags, tags_count = list_tags_in(connection, repository.id), count_tags(connection, repository.id)
    return DeletionPlan(
        name, Method.REPOSITORY, tags=tags, tags_count=tags_count, freed_bytes=freed.size_bytes, is_exact=freed.is_exact
    )


def _is_looked_through(connection: Connection, repository: int, max_tags: int | None) -> bool:
    return max_tags is None or count_tags(connection, repository) <= max_tags


def _plan_digest(
    connection: Connection, name: RepositoryName, repository: int, digest: Digest, keep_referrers: bool
) -> DeletionPlan:
    about = [] if keep_referrers else list_referrer_tags(connection, name, digest)
    doomed = list_doomed(connection, digest, about)
    untagged = list_left_untagged(connection, repository, doomed)
    freed = freed_by(connection, repository, [*doomed, *untagged])
    return DeletionPlan(
        name,
        Method.DIGEST,
        digest,
        tags=list_tags_on(connection, repository, digest),
        tags_count=count_tags(connection, repository, digest),
        indexes=list_indexes_with(connection, repository, digest),
        referrers=list_referrers_to(connection, repository, digest),
        referrer_tags=[place.name for place in about],
        untagged=untagged,
        freed_bytes=freed.size_bytes,
        # What was not read may be an index that lists it.
        is_exact=freed.is_exact and not has_unread(connection, repository),
    )
