"""Single manifests as the API shows them, and what refers to them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from services.catalog.domain.manifests import Platform
from services.catalog.storage.tables import (
    configs,
    manifests,
    pulls,
    repository_manifests,
    tags,
)
from shared.oci.names import Digest, Tag

_HELD = repository_manifests.c


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A manifest of a repository, with its bytes; what they say is not known while ``body`` is ``None``."""

    digest: Digest
    media_type: str | None
    artifact_type: str | None
    size_bytes: int | None
    readable: bool
    platform: Platform | None
    body: bytes | None
    config: bytes | None
    pushed_at: datetime | None
    """``None``: a crawl found it."""
    pushed_by: str | None
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class KeptManifest:
    """A manifest as it was pushed."""

    digest: Digest
    body: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class ChildFacts:
    """What is known of a manifest that an index lists."""

    size_bytes: int | None
    platform: Platform | None


@dataclass(frozen=True, slots=True)
class PullFacts:
    """How often a manifest was fetched, by whatever name."""

    pulls: int = 0
    pulled_at: datetime | None = None


def find_digest_of(connection: Connection, repository: int, tag: Tag) -> Digest | None:
    """Return where a tag points."""
    query = select(tags.c.digest).where(tags.c.repository_id == repository, tags.c.name == tag, tags.c.present)
    found = connection.scalar(query)
    return Digest(found) if found else None


def find_manifest(connection: Connection, repository: int, digest: Digest) -> ManifestRow | None:
    """Return a manifest that lies in a repository."""
    one = manifests.c
    query = (
        select(
            *(one[name] for name in ("digest", "media_type", "artifact_type", "size_bytes", "readable", "body")),
            *(one[name] for name in ("os", "architecture", "variant")),
            *(_HELD[name] for name in ("written_at", "written_by_event", "pushed_by", "first_seen_at")),
            configs.c.body.label("config"),
        )
        .select_from(
            repository_manifests.join(manifests, one.digest == _HELD.digest).join(
                configs, configs.c.digest == one.config_digest, isouter=True
            )
        )
        .where(_HELD.repository_id == repository, _HELD.digest == digest, _HELD.present)
    )
    row = connection.execute(query).one_or_none()
    return _manifest(row) if row else None


def _manifest(row: Any) -> ManifestRow:
    return ManifestRow(
        digest=Digest(row.digest),
        media_type=row.media_type,
        artifact_type=row.artifact_type,
        size_bytes=row.size_bytes,
        readable=row.readable,
        platform=_platform(row),
        body=row.body,
        config=row.config,
        pushed_at=row.written_at if row.written_by_event else None,
        pushed_by=row.pushed_by,
        first_seen_at=row.first_seen_at,
    )


def _platform(row: Any) -> Platform | None:
    return Platform(row.os, row.architecture, row.variant) if row.os else None


def find_kept(connection: Connection, digest: Digest) -> KeptManifest | None:
    """Return a manifest's bytes, where we have them; no caller ever sees this."""
    query = select(manifests.c.body, manifests.c.media_type).where(manifests.c.digest == digest)
    row = connection.execute(query).one_or_none()
    return KeptManifest(digest, row.body, row.media_type) if row and row.body and row.media_type else None


def list_child_facts(connection: Connection, digests: Collection[Digest]) -> Mapping[Digest, ChildFacts]:
    """Return what is known of manifests, for the index that lists them."""
    names = ("digest", "size_bytes", "os", "architecture", "variant")
    query = select(*(manifests.c[name] for name in names)).where(manifests.c.digest.in_(digests))
    return {Digest(row.digest): ChildFacts(row.size_bytes, _platform(row)) for row in connection.execute(query)}


def count_pulls(connection: Connection, repository: int, digest: Digest) -> PullFacts:
    """Return how often a manifest was fetched, by its digest or by a tag that pointed at it."""
    query = select(func.sum(pulls.c.pulls), func.max(pulls.c.pulled_at)).where(
        pulls.c.repository_id == repository, pulls.c.digest == digest
    )
    total, pulled_at = connection.execute(query).one()
    return PullFacts(int(total or 0), pulled_at)
