"""Several tags of one repository are to go at once, each alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from services.catalog.domain.deletions import DeletionPlan, Method, TagPlace
from services.catalog.storage.deletion_queries import find_tags
from services.catalog.storage.repository_queries import find_repository
from services.catalog.usecases.delete_content import ContentDeleter
from services.catalog.usecases.deletion_errors import DeletionError, ReferrersLeft, TagMoved
from services.catalog.usecases.not_found import RepositoryNotFound, TagNotFound
from services.catalog.usecases.plan_deletion import plan_tag
from services.catalog.usecases.rights import DELETE, FindPermissions, actor_of, require
from shared.oci.names import Digest, RepositoryName, Tag
from shared.visibility.answers import Visibility

MAX_TAGS = 100
"""Tags in one request."""


@dataclass(frozen=True, slots=True)
class ChosenTag:
    """A tag as the caller has seen it."""

    name: Tag
    digest: Digest


@dataclass(frozen=True, slots=True)
class TagOutcome:
    """What became of a tag, or would."""

    tag: Tag
    plan: DeletionPlan | None = None
    method: Method | None = None
    """How it was deleted."""
    fault: str | None = None
    """Why it is there still; beside a method: why something that was about it is."""


def preview_tags(
    visibility: Visibility,
    permissions: FindPermissions,
    repository: int,
    chosen: Sequence[ChosenTag],
    *,
    deleter: ContentDeleter,
    keep_referrers: bool = False,
) -> list[TagOutcome]:
    """Return what the deletion of each tag would do after those before it, in the order of the request.

    Raises:
        RepositoryNotFound, NotAllowed: the caller may not see it, or not delete there.
        RegistryError: it cannot be told how this registry deletes.
    """
    _name, found = _find(visibility, permissions, repository, chosen, deleter)
    # Asked once, by a deletion that deletes nothing, and not for each tag.
    deletes_tags = cache(deleter.registry.deletes_tags)
    plans = dict[Tag, DeletionPlan]()
    for one in chosen:
        place = found.get(one.name)
        if place and place.digest == one.digest:
            plans[one.name] = plan_tag(
                place,
                database=deleter.database,
                deletes_tags=deletes_tags,
                keep_referrers=keep_referrers,
                after=plans.values(),
                max_tags=deleter.limits.max_tags,
            )
    return [
        TagOutcome(one.name, plan=plans[one.name])
        if one.name in plans
        else TagOutcome(one.name, fault=_why_not(found.get(one.name)))
        for one in chosen
    ]


def delete_tags(
    visibility: Visibility,
    permissions: FindPermissions,
    repository: int,
    chosen: Sequence[ChosenTag],
    *,
    deleter: ContentDeleter,
    keep_referrers: bool = False,
) -> list[TagOutcome]:
    """Delete each tag alone, and tell of each what became of it; one that is refused does not stop the others.

    Raises:
        RepositoryNotFound, NotAllowed: the caller may not see it, or not delete there.
        RegistryUnavailable: of those behind the last one that is told nothing was tried; ask again.
    """
    name, found = _find(visibility, permissions, repository, chosen, deleter)
    around = deleter.surroundings_of(name)

    def delete(place: TagPlace) -> Method:
        return deleter.delete_tag(actor_of(visibility), place, around, keep_referrers=keep_referrers)

    return [_delete(one, found.get(one.name), delete) for one in chosen]


def _delete(chosen: ChosenTag, place: TagPlace | None, delete: Callable[[TagPlace], Method]) -> TagOutcome:
    if place is None or place.digest != chosen.digest:
        return TagOutcome(chosen.name, fault=_why_not(place))
    try:
        return TagOutcome(chosen.name, method=delete(place))
    except ReferrersLeft as left:
        return TagOutcome(chosen.name, method=Method.DIGEST, fault=str(left))
    except DeletionError as refusal:
        return TagOutcome(chosen.name, fault=str(refusal))


def _find(
    visibility: Visibility,
    permissions: FindPermissions,
    repository: int,
    chosen: Sequence[ChosenTag],
    deleter: ContentDeleter,
) -> tuple[RepositoryName, dict[Tag, TagPlace]]:
    with deleter.database.read() as connection:
        row = find_repository(connection, visibility, repository)
        if row is None:
            raise RepositoryNotFound
        places = find_tags(connection, repository, [one.name for one in chosen])
    name = RepositoryName(row.full_name)
    require(permissions, name, DELETE)
    return name, {place.name: place for place in places}


def _why_not(place: TagPlace | None) -> str:
    return str(TagMoved() if place else TagNotFound())
