"""Single manifests, and what is about them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from services.catalog.domain.comparisons import Comparison, compare
from services.catalog.domain.deletions import IndexRef
from services.catalog.domain.details import ManifestDetails, read_details
from services.catalog.domain.manifests import Descriptor, read_manifest
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
from services.catalog.storage.repository_queries import RepositoryRow, find_repository
from services.catalog.storage.scan_queries import ScanRow, find_scan
from services.catalog.storage.untagged import UntaggedRow
from services.catalog.storage.untagged import list_untagged as list_untagged_rows
from services.catalog.usecases.not_found import ManifestNotFound, ManifestUnknown, RepositoryNotFound
from shared.api.paging import ListRequest, Page
from shared.api.slices import Slice
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
    scan: ScanRow


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
            scan=find_scan(connection, Digest(row.digest)),
        )


@dataclass(frozen=True, slots=True)
class ComparedManifest:
    """One side of a comparison."""

    repository: RepositoryRow
    row: ManifestRow


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """Two manifests and how the second differs from the first."""

    before: ComparedManifest
    after: ComparedManifest
    comparison: Comparison


def compare_manifests(
    visibility: Visibility, before: tuple[int, str], after: tuple[int, str], *, database: Database
) -> ComparisonView:
    """Compare two manifests, each given by its repository and a tag or digest.

    Raises:
        RepositoryNotFound, ManifestNotFound: one is missing, or not for the caller.
        ManifestUnknown: the bytes of one have not been fetched yet.
    """
    with database.read() as connection:
        sides = [_side(connection, visibility, *side) for side in (before, after)]
    details = [read_details(_body_of(side.row), side.row.media_type, side.row.config) for side in sides]
    return ComparisonView(sides[0], sides[1], compare(*details))


@dataclass(frozen=True, slots=True)
class RawBytes:
    """Bytes as the registry keeps them."""

    digest: Digest
    body: bytes


def get_raw_manifest(visibility: Visibility, repository: int, reference: str, *, database: Database) -> RawBytes:
    """Return a manifest's bytes.

    Raises:
        RepositoryNotFound, ManifestNotFound: it is missing, or not for the caller.
        ManifestUnknown: its bytes have not been fetched yet.
    """
    with database.read() as connection:
        row = _side(connection, visibility, repository, reference).row
    return RawBytes(row.digest, _body_of(row))


def get_raw_config(visibility: Visibility, repository: int, reference: str, *, database: Database) -> RawBytes:
    """Return the bytes of a manifest's configuration.

    Raises:
        RepositoryNotFound, ManifestNotFound: it is missing, has none that is kept, or is not for the caller.
        ManifestUnknown: its bytes have not been fetched yet.
    """
    with database.read() as connection:
        row = _side(connection, visibility, repository, reference).row
    manifest = read_manifest(_body_of(row), row.media_type)
    if row.config is None or manifest.config is None:
        raise ManifestNotFound
    return RawBytes(manifest.config.digest, row.config)


def list_untagged(
    visibility: Visibility, repository: int, request: ListRequest, *, database: Database
) -> Slice[UntaggedRow]:
    """Return a part of the manifests of a repository that no tag leads to.

    Raises:
        RepositoryNotFound: it is missing, or not for the caller.
    """
    with database.read() as connection:
        if find_repository(connection, visibility, repository, or_empty=True) is None:
            raise RepositoryNotFound
        return list_untagged_rows(connection, repository, request)


def _side(connection: Connection, visibility: Visibility, repository: int, reference: str) -> ComparedManifest:
    place = find_repository(connection, visibility, repository, or_empty=True)
    if place is None:
        raise RepositoryNotFound
    return ComparedManifest(place, _find(connection, repository, reference))


def _body_of(row: ManifestRow) -> bytes:
    if row.body is None:
        raise ManifestUnknown
    return row.body


def list_manifest_referrers(
    visibility: Visibility,
    repository: int,
    digest: Digest,
    request: ListRequest,
    *,
    database: Database,
) -> Page[ReferrerRow] | Slice[ReferrerRow]:
    """Return a part of what is about a manifest; nothing when the manifest itself is not there.

    Raises:
        RepositoryNotFound: the repository is missing, or not for the caller.
    """
    with database.read() as connection:
        _require_repository(connection, visibility, repository)
        return list_referrers(connection, repository, digest, request)


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
