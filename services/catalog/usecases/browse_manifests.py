"""Single manifests, and what is about them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from services.catalog.domain.deletions import IndexRef
from services.catalog.domain.details import ManifestDetails, read_details
from services.catalog.domain.manifests import Descriptor
from services.catalog.storage.deletion_queries import list_indexes_with, list_tags_on
from services.catalog.storage.manifest_queries import (
    ChildFacts,
    ManifestRow,
    PullFacts,
    count_pulls,
    find_digest_of,
    find_manifest,
    list_child_facts,
)
from services.catalog.storage.referrer_queries import ReferrerRow, count_referrers, list_referrers
from services.catalog.storage.repository_queries import find_repository
from services.catalog.usecases.not_found import ManifestNotFound, RepositoryNotFound
from shared.api.paging import Page, PageRequest
from shared.database import Database
from shared.oci.names import Digest, InvalidName, Tag, parse_digest, parse_tag
from shared.visibility.answers import Visibility


@dataclass(frozen=True, slots=True)
class Child:
    """A manifest of an index, with what is known of it by itself."""

    listed: Descriptor
    facts: ChildFacts


@dataclass(frozen=True, slots=True)
class ManifestView:
    """All that is known of a manifest in a repository."""

    row: ManifestRow
    details: ManifestDetails
    tags: Sequence[Tag]
    indexes: Sequence[IndexRef]
    """Those of the repository that list it."""
    children: Sequence[Child]
    pulls: PullFacts
    referrers: int


def get_manifest(visibility: Visibility, repository: int, reference: str, *, database: Database) -> ManifestView:
    """Return a manifest by a tag or its digest.

    Raises:
        RepositoryNotFound, ManifestNotFound: it is missing, or not for the caller.
    """
    with database.read() as connection:
        _require_repository(connection, visibility, repository)
        row = _find(connection, repository, reference)
        details = read_details(row.body, row.media_type, row.config) if row.body else ManifestDetails()
        facts = list_child_facts(connection, [child.digest for child in details.children])
        return ManifestView(
            row=row,
            details=details,
            tags=list_tags_on(connection, repository, row.digest),
            indexes=list_indexes_with(connection, repository, row.digest),
            children=[Child(one, facts.get(one.digest, ChildFacts(None, None))) for one in details.children],
            pulls=count_pulls(connection, repository, row.digest),
            referrers=count_referrers(connection, [repository], [row.digest]).get((repository, row.digest), 0),
        )


def list_manifest_referrers(
    visibility: Visibility,
    repository: int,
    digest: Digest,
    page: PageRequest,
    *,
    artifact_type: str | None,
    database: Database,
) -> Page[ReferrerRow]:
    """Return a page of what is about a manifest; nothing when the manifest itself is not there.

    Raises:
        RepositoryNotFound: the repository is missing, or not for the caller.
    """
    with database.read() as connection:
        _require_repository(connection, visibility, repository)
        return list_referrers(connection, repository, digest, page, artifact_type=artifact_type)


def _require_repository(connection: Connection, visibility: Visibility, repository: int) -> None:
    if find_repository(connection, visibility, repository) is None:
        raise RepositoryNotFound


def _find(connection: Connection, repository: int, reference: str) -> ManifestRow:
    digest = _find_digest(connection, repository, reference)
    row = find_manifest(connection, repository, digest) if digest else None
    if row is None:
        raise ManifestNotFound
    return row


def _find_digest(connection: Connection, repository: int, reference: str) -> Digest | None:
    try:
        return (
            parse_digest(reference)
            if ":" in reference
            else find_digest_of(connection, repository, parse_tag(reference))
        )
    except InvalidName:
        return None
