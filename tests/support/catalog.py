"""Builders for tests of the catalogue."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from services.catalog.domain.errands import OWN_EVENT_PREFIX, Errand, dump_errand
from services.catalog.domain.occurrences import SERVICE_ACCOUNT, Occurrence, Stamp
from services.catalog.domain.rounds import Rhythm, Strategy
from services.catalog.settings import ScannerSettings, Settings
from services.catalog.storage.schema import migrations
from shared.api.serving import ServingSettings
from shared.config import Secret
from shared.contracts.events import Envelope, RegistryNotification, envelope_of
from shared.database import Database
from shared.oci.names import Digest, RepositoryName, Tag
from tests.support.templates import start_migrated
from tests.support.visibility import PEER_SECRET

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
RECORDED = Path(__file__).parents[1] / "fixtures" / "registry-events"


def moment(seconds: float) -> datetime:
    """Return a time so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def digest_of(name: str) -> Digest:
    """Return some digest, always the same for a name."""
    return Digest(f"sha256:{hashlib.sha256(name.encode()).hexdigest()}")


def make_occurrence(
    action: str = "push",
    at: float = 0,
    *,
    id: str | None = None,
    repository: str = "team/app",
    digest: Digest | None = None,
    tag: str | None = None,
    media_type: str | None = MANIFEST_TYPE,
    method: str | None = None,
    actor: str | None = None,
) -> Occurrence:
    """Build an occurrence; ``at`` is in seconds after noon."""
    stamp = Stamp(moment(at), id or f"event-{at}")
    return Occurrence(
        stamp, action, RepositoryName(repository), digest, Tag(tag) if tag else None, media_type, method, actor
    )


def push(tag: str | None, digest: Digest, at: float, **other: Any) -> Occurrence:
    return make_occurrence("push", at, tag=tag, digest=digest, method="PUT", **other)


def pull(digest: Digest, at: float, *, tag: str | None = None, method: str = "GET", **other: Any) -> Occurrence:
    return make_occurrence("pull", at, tag=tag, digest=digest, method=method, **other)


def delete(at: float, *, tag: str | None = None, digest: Digest | None = None, **other: Any) -> Occurrence:
    return make_occurrence("delete", at, tag=tag, digest=digest, media_type=None, method="DELETE", **other)


def own(id: int, told: Occurrence, *, actor: str | None = "jane") -> Occurrence:
    """Return something as done by us on somebody's behalf; with one id it may be told at several times."""
    stamp = Stamp(told.stamp.time, f"{OWN_EVENT_PREFIX}00000000-0000-0000-0000-{id:012}")
    return replace(told, stamp=stamp, actor=actor or SERVICE_ACCOUNT)


def envelope_for(occurrence: Occurrence) -> Envelope:
    """Return an occurrence as the message that brings it, one that is ours as a registry tells of it."""
    if occurrence.stamp.is_own:
        return _envelope_for_own(occurrence)
    notification = RegistryNotification(
        action=occurrence.action,
        repository=occurrence.repository,
        registry="localhost:5000",
        digest=occurrence.digest,
        tag=occurrence.tag,
        media_type=occurrence.media_type,
        method=occurrence.method,
        actor=occurrence.actor,
    )
    return envelope_of(notification, id=occurrence.stamp.id, source="/notifier", time=occurrence.stamp.time)


def _envelope_for_own(occurrence: Occurrence) -> Envelope:
    own, time = occurrence.stamp.id, occurrence.stamp.time
    told = replace(occurrence, actor=SERVICE_ACCOUNT, stamp=Stamp(time, f"{own[-6:]}-{time.timestamp()}"))
    envelope = envelope_for(told)
    mark = dump_errand(Errand(own, occurrence.author))
    return replace(envelope, data={**envelope.data, "user_agent": f"portus-catalog {mark}"})


def recorded_envelopes(version: str) -> list[Envelope]:
    """Return what a real registry sent, step by step, as the messages that the notifier makes of it."""
    lines = (RECORDED / f"{version}.jsonl").read_text().splitlines()
    return [message_of(event) for line in lines for event in json.loads(line)["body"]["events"]]


def message_of(event: dict[str, Any]) -> Envelope:
    """Return what a registry sent as the message that the notifier makes of it."""
    target, request = event["target"], event["request"]
    notification = RegistryNotification(
        action=event["action"],
        repository=target["repository"],
        registry=request["host"],
        instance_id=event["source"]["instanceID"],
        digest=target.get("digest") or None,
        tag=target.get("tag") or None,
        media_type=target.get("mediaType") or None,
        size_bytes=target.get("size"),
        method=request["method"],
        user_agent=request["useragent"],
        address=request["addr"],
        actor=event["actor"].get("name"),
        from_repository=target.get("fromRepository"),
    )
    # Python reads microseconds at most; the registry sends nanoseconds.
    time = datetime.fromisoformat(event["timestamp"][:26] + "+00:00")
    return envelope_of(notification, id=event["id"], source="/notifier", time=time)


def make_settings(folder: Path, auth_url: str, **changes: Any) -> Settings:
    """Return settings with everything in one folder, and a registry that is not there."""
    settings = Settings(
        database_url=Secret(f"sqlite:///{folder / 'catalog.db'}"),
        broker_url=Secret(f"sqlite:///{folder / 'broker.db'}"),
        auth_url=auth_url,
        internal_secret=Secret(PEER_SECRET),
        registry_url="http://127.0.0.1:9",
        registry_ca_bundle=None,
        registry_host="registry.example:5000",
        registry_service="portus-registry",
        service_account_secret=Secret("the-secret-of-the-account"),
        registry_metrics_urls=(),
        registry_metrics_endpoint="portus",
        crawl_on_empty=False,
        rhythm=Rhythm(Strategy.INITIAL),
        crawl_threads=8,
        crawl_rate=0,
        garbage_collector=None,
        scanner=None,
        web_url="https://portus.example.org",
        tag_history=None,
        trusted_proxies=0,
        log_level="INFO",
        serving=ServingSettings("127.0.0.1:0", 1, 1),
    )
    return replace(settings, **changes)


def make_scanner(url: str, **changes: Any) -> ScannerSettings:
    """Return the settings of a scanner that wants no credentials."""
    none = Secret("")
    settings = ScannerSettings(url, none, none, None, url, timedelta(minutes=1), 1, timedelta(days=1))
    return replace(settings, **changes)


def new_index(url: str) -> Database:
    """Return an empty index, as the catalog's API opens it."""
    start_migrated(url, migrations)
    database = Database(url, custom_plans=True)
    migrations(database).upgrade()
    return database


def steps(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Cut a sequence into batches."""
    everything = list(items)
    for start in range(0, len(everything), size):
        yield everything[start : start + size]
