"""What the portal asks of `catalog` about one artifact: its manifest, what is about it, and the past of its tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from marshmallow import fields

from services.web.clients.peer import Peer
from services.web.clients.scans import ScanEntry, ScanSchema
from services.web.clients.schemas import Made, Moment, Pairs, Text, Texts
from services.web.clients.sessions import Visitor
from shared.api.paging import Page, PageRequest


@dataclass(frozen=True, slots=True)
class Runs:
    """The operating system and processor that something is made for."""

    os: str
    architecture: str
    variant: str | None
    os_version: str | None = None


@dataclass(frozen=True, slots=True)
class ChildEntry:
    """A manifest that an index holds; its size is ``None`` while it has not been fetched."""

    digest: str
    media_type: str | None
    platform: Runs | None
    size_bytes: int | None
    is_attestation: bool
    attests: str | None


@dataclass(frozen=True, slots=True)
class LayerEntry:
    """A layer, and the command that made it as far as the configuration tells."""

    digest: str
    size_bytes: int
    media_type: str | None
    created_by: str | None


@dataclass(frozen=True, slots=True)
class Config:
    """What a container is started with, as its maker wrote it."""

    created: str | None
    author: str | None
    os: str | None
    architecture: str | None
    user: str | None
    working_dir: str | None
    stop_signal: str | None
    entrypoint: Sequence[str]
    cmd: Sequence[str]
    env: Sequence[str]
    secret_env: Sequence[str]
    """Names of variables that look as if they held a secret."""
    exposed_ports: Sequence[str]
    volumes: Sequence[str]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """An index that lists the manifest, and the tags of that index."""

    digest: str
    tags: Sequence[str]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A manifest as the index knows it; most is missing while ``known`` is false."""

    digest: str
    media_type: str | None
    artifact_type: str | None
    size_bytes: int | None
    platform: Runs | None
    pushed_at: datetime | None
    pushed_by: str | None
    first_seen_at: datetime | None
    pulled_at: datetime | None
    pulls: int
    known: bool
    readable: bool
    subject: str | None
    annotations: Mapping[str, str]
    children: Sequence[ChildEntry]
    layers: Sequence[LayerEntry]
    config: Config | None
    indexes: Sequence[IndexEntry]
    tags: Sequence[str]
    referrers: int
    scan: ScanEntry | None = None
    """``None``: nothing is scanned."""


@dataclass(frozen=True, slots=True)
class ReferrerEntry:
    """Something that is about a manifest: ``kind`` is signature, attestation, sbom or other."""

    digest: str
    kind: str
    media_type: str | None
    artifact_type: str | None
    size_bytes: int | None
    pushed_at: datetime | None
    pushed_by: str | None


@dataclass(frozen=True, slots=True)
class Period:
    """What a tag pointed at, from when to when; ``until`` is ``None`` while it does."""

    digest: str
    since: datetime
    until: datetime | None
    pushed_by: str | None
    is_witnessed: bool
    end: str | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class RestoreRefused:
    """Why a tag was not put back, and the parts that the registry no longer has."""

    detail: str
    missing: Sequence[str]


class _RunsSchema(Made):
    makes = Runs
    os = fields.String(required=True)
    architecture = fields.String(required=True)
    variant = Text()
    os_version = Text()


class _ChildSchema(Made):
    makes = ChildEntry
    digest = fields.String(required=True)
    media_type = Text()
    platform = fields.Nested(_RunsSchema, allow_none=True, load_default=None)
    size_bytes = fields.Integer(allow_none=True, load_default=None)
    is_attestation = fields.Boolean(load_default=False)
    attests = Text()


class _LayerSchema(Made):
    makes = LayerEntry
    digest = fields.String(required=True)
    size_bytes = fields.Integer(required=True)
    media_type = Text()
    created_by = Text()


class _ConfigSchema(Made):
    makes = Config
    created, author, os, architecture = Text(), Text(), Text(), Text()
    user, working_dir, stop_signal = Text(), Text(), Text()
    entrypoint, cmd, env, secret_env = Texts(), Texts(), Texts(), Texts()
    exposed_ports, volumes = Texts(), Texts()
    labels = Pairs()


class _IndexSchema(Made):
    makes = IndexEntry
    digest = fields.String(required=True)
    tags = Texts()


class _ArtifactSchema(Made):
    makes = Artifact
    digest = fields.String(required=True)
    media_type, artifact_type, pushed_by, subject = Text(), Text(), Text(), Text()
    size_bytes = fields.Integer(allow_none=True, load_default=None)
    platform = fields.Nested(_RunsSchema, allow_none=True, load_default=None)
    pushed_at, first_seen_at, pulled_at = Moment(), Moment(), Moment()
    pulls = fields.Integer(load_default=0)
    known = fields.Boolean(load_default=True)
    readable = fields.Boolean(load_default=True)
    annotations = Pairs()
    children = fields.List(fields.Nested(_ChildSchema), load_default=list)
    layers = fields.List(fields.Nested(_LayerSchema), load_default=list)
    config = fields.Nested(_ConfigSchema, allow_none=True, load_default=None)
    indexes = fields.List(fields.Nested(_IndexSchema), load_default=list)
    tags = Texts()
    referrers = fields.Integer(load_default=0)
    scan = fields.Nested(ScanSchema, allow_none=True, load_default=None)


class _ReferrerSchema(Made):
    makes = ReferrerEntry
    digest = fields.String(required=True)
    kind = fields.String(load_default="other")
    media_type, artifact_type, pushed_by = Text(), Text(), Text()
    size_bytes = fields.Integer(allow_none=True, load_default=None)
    pushed_at = Moment()


class _PeriodSchema(Made):
    makes = Period
    digest = fields.String(required=True)
    since = fields.AwareDateTime(format="iso", required=True)
    until = Moment()
    pushed_by, end, ended_by = Text(), Text(), Text()
    is_witnessed = fields.Boolean(load_default=True)


class ArtifactsClient:
    """Asks `catalog` about artifacts, as the visitor.

    Args:
        peer: how it is reached.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def get(self, visitor: Visitor, repository_id: int, reference: str) -> Artifact:
        """Return a manifest by a tag or its digest.

        Raises:
            NotFound: there is none.
        """
        response = self._peer.get(_manifest(repository_id, reference), access_token=visitor.access_token)
        artifact: Artifact = self._peer.load(_ArtifactSchema(), response)
        return artifact

    def list_referrers(
        self, visitor: Visitor, repository_id: int, digest: str, page: PageRequest
    ) -> Page[ReferrerEntry]:
        """Return one page of what is about a manifest."""
        return self._peer.page(
            f"{_manifest(repository_id, digest)}/referrers",
            _ReferrerSchema(many=True),
            page,
            access_token=visitor.access_token,
        )

    def fetch_raw(self, visitor: Visitor, repository_id: int, digest: str) -> bytes:
        """Return a manifest as the registry has it.

        Raises:
            NotFound: the registry has none.
        """
        path = f"{_manifest(repository_id, digest)}/raw"
        return self._peer.get(path, access_token=visitor.access_token).content

    def fetch_raw_config(self, visitor: Visitor, repository_id: int, digest: str) -> bytes:
        """Return a manifest's configuration as the registry has it: of a Helm chart, what its Chart.yaml says.

        Raises:
            NotFound: it has none.
        """
        path = f"{_manifest(repository_id, digest)}/config"
        return self._peer.get(path, access_token=visitor.access_token).content

    def list_periods(self, visitor: Visitor, repository_id: int, tag: str, page: PageRequest) -> Page[Period]:
        """Return one page of what a tag pointed at, newest first.

        Raises:
            NotFound: there was never such a tag.
        """
        path = f"/api/v1/repositories/{repository_id:d}/history/{quote(tag, safe='')}"
        return self._peer.page(path, _PeriodSchema(many=True), page, access_token=visitor.access_token)

    def restore(self, visitor: Visitor, repository_id: int, tag: str, digest: str) -> RestoreRefused | None:
        """Put an earlier manifest under a tag; ``None`` when that is done.

        Raises:
            NotAllowed: the visitor may not push there.
            PeerAway: `catalog`, or the registry behind it, does not answer.
        """
        path = f"/api/v1/repositories/{repository_id:d}/restore"
        response = self._peer.post(path, {"tag": tag, "digest": digest}, access_token=visitor.access_token)
        if response.status_code != 422:
            self._peer.checked(response)
            return None
        problem = response.json()
        missing = (problem.get("errors") or {}).get("missing") or ()
        return RestoreRefused(str(problem.get("detail", "")), [str(digest) for digest in missing])


def _manifest(repository_id: int, reference: str) -> str:
    return f"/api/v1/repositories/{repository_id:d}/manifests/{quote(reference, safe=':')}"
