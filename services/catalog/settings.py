"""What the catalogue reads from its environment; docs/operations.md describes every variable."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from environs import Env
from marshmallow import ValidationError
from marshmallow.validate import Range

from services.catalog.domain.retention import check_pattern
from services.catalog.domain.rounds import Rhythm, Strategy
from shared.api.cors import load_portal_url
from shared.api.serving import ServingSettings, load_serving_settings, load_trusted_proxies
from shared.config import (
    Secret,
    ca_bundle,
    data_file,
    http_url,
    http_urls,
    optional_http_url,
    optional_secret,
    read_settings,
    secret,
    secret_url,
)
from shared.messaging.connections import load_broker_url
from shared.observability.logs import load_log_level

DEFAULT_REGISTRY_URL = "http://localhost:5000"


@dataclass(frozen=True, slots=True)
class ScannerSettings:
    """The scanner that looks through images."""

    url: str
    """Its adapter as the catalogue reaches it."""
    authorization: Secret
    """A whole ``Authorization`` header for it; empty: none."""
    api_key: Secret
    """For adapters that want one in a header of its own; empty: none."""
    ca_bundle: Path | None
    """CAs that are believed about it, beside the well-known ones."""
    registry_url: str
    """The registry as the scanner reaches it."""
    time_limit: timedelta
    """For one scan."""
    concurrency: int
    """Scans at the same time, of all workers together."""
    period: timedelta
    """After which everything is scanned anew."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The catalogue's settings, read once at the edge of the process."""

    database_url: Secret
    """SQLAlchemy's URL of the index; may hold a password."""
    broker_url: Secret
    """Where notifications come from and events go to."""
    auth_url: str
    """Address at which the catalogue reaches ``auth``; our credentials go there and nowhere else."""
    internal_secret: Secret
    """What peers prove themselves with."""
    registry_url: str
    """The registry as the catalogue reaches it."""
    registry_ca_bundle: Path | None
    """CAs that are believed about the registry, beside the well-known ones."""
    registry_host: str
    """The registry as people type it in ``docker pull``."""
    registry_service: str
    """The registry's ``auth.token.service``."""
    service_account_secret: Secret
    """Password of the account ``portus``, with which the registry is read."""
    registry_metrics_urls: tuple[str, ...]
    """Where the registry's processes count their deliveries; empty: nobody asks."""
    registry_metrics_endpoint: str
    """The name of our endpoint in the registry's ``notifications.endpoints``."""
    crawl_on_empty: bool
    """Whether what the registry held before Portus came is read at the first start."""
    rhythm: Rhythm
    """How often it is compared with the index afterwards."""
    crawl_threads: int
    """Repositories that a crawl reads at the same time."""
    crawl_rate: int
    """Requests a second that a round sends at the most; 0: as many as it can."""
    garbage_collector: Mapping[str, Any] | None
    """What the retention rule of the environment says; ``None``: there is none."""
    scanner: ScannerSettings | None
    """``None``: nothing is scanned."""
    web_url: str
    """The portal as people type it; its pages may call the API with credentials."""
    tag_history: timedelta | None
    """How long is remembered what tags pointed at; ``None``: for ever."""
    trusted_proxies: int
    """How many proxies in front may be believed about the client's address."""
    log_level: str
    """A name of the standard library's levels."""
    serving: ServingSettings
    """Address, processes and threads of the server."""


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: one line per variable that is missing or wrong.
    """
    return read_settings(_build)


def _build(env: Env) -> Settings:
    return Settings(
        database_url=secret_url(env, "PORTUS_CATALOG_DATABASE_URL", f"sqlite:///{data_file(env, 'catalog.db')}"),
        broker_url=load_broker_url(env),
        auth_url=http_url(env, "PORTUS_AUTH_URL", "http://localhost:8081"),
        internal_secret=secret(env, "PORTUS_INTERNAL_SECRET"),
        registry_url=http_url(env, "PORTUS_REGISTRY_URL", DEFAULT_REGISTRY_URL),
        registry_ca_bundle=ca_bundle(env, "PORTUS_REGISTRY_CA_BUNDLE"),
        registry_host=env.str("PORTUS_REGISTRY_HOST", "localhost:5000"),
        registry_service=env.str("PORTUS_REGISTRY_SERVICE", "portus-registry"),
        service_account_secret=secret(env, "PORTUS_SERVICE_ACCOUNT_SECRET"),
        registry_metrics_urls=http_urls(env, "PORTUS_REGISTRY_METRICS_URL"),
        registry_metrics_endpoint=env.str("PORTUS_REGISTRY_METRICS_ENDPOINT", "portus"),
        crawl_on_empty=env.bool("PORTUS_CRAWL_ON_EMPTY", True),
        rhythm=_rhythm(env),
        crawl_threads=env.int("PORTUS_CRAWL_THREADS", 8, validate=Range(1, 64)),
        crawl_rate=env.int("PORTUS_CRAWL_RATE", 100, validate=Range(0, 10_000)),
        garbage_collector=_garbage_collector(env),
        scanner=_scanner(env),
        web_url=load_portal_url(env),
        tag_history=_days(env.int("PORTUS_TAG_HISTORY_DAYS", 400, validate=Range(0, 36500))),
        trusted_proxies=load_trusted_proxies(env),
        log_level=load_log_level(env),
        serving=load_serving_settings(env, port_variable="PORTUS_CATALOG_PORT", default_port=8082),
    )


def _scanner(env: Env) -> ScannerSettings | None:
    registry_url = http_url(env, "PORTUS_REGISTRY_URL", DEFAULT_REGISTRY_URL)
    settings = ScannerSettings(
        url=optional_http_url(env, "PORTUS_SCANNER_URL"),
        authorization=optional_secret(env, "PORTUS_SCANNER_AUTHORIZATION"),
        api_key=optional_secret(env, "PORTUS_SCANNER_API_KEY"),
        ca_bundle=ca_bundle(env, "PORTUS_SCANNER_CA_BUNDLE"),
        registry_url=optional_http_url(env, "PORTUS_SCANNER_REGISTRY_URL") or registry_url,
        time_limit=timedelta(seconds=env.int("PORTUS_SCANNER_TIMEOUT_S", 900, validate=Range(10, 86_400)) or 0),
        concurrency=env.int("PORTUS_SCANNER_CONCURRENCY", 2, validate=Range(1, 32)),
        period=timedelta(hours=env.int("PORTUS_SCANNER_RESCAN_HOURS", 24, validate=Range(1, 8760)) or 0),
    )
    return settings if settings.url else None


def _garbage_collector(env: Env) -> Mapping[str, Any] | None:
    enabled = env.bool("PORTUS_DELETE_GARBAGE_COLLECTOR_ENABLED", False)
    days = env.int("PORTUS_DELETE_GARBAGE_COLLECTOR_OLDER_THAN", 30, validate=Range(0, 36500))
    newest = env.int("PORTUS_DELETE_GARBAGE_COLLECTOR_KEEP_LATEST", 5, validate=Range(0, 100_000))
    pattern = env.str("PORTUS_DELETE_GARBAGE_COLLECTOR_TAG", "", validate=_is_pattern)
    terms = {"older_than_days": days, "unpulled_days": days, "keep_newest": newest}
    return {**terms, **({"tag_pattern": pattern} if pattern else {})} if enabled else None


def _is_pattern(value: str) -> None:
    try:
        check_pattern(value)
    except ValueError as fault:
        raise ValidationError(str(fault)) from fault


def _rhythm(env: Env) -> Rhythm:
    every_s = env.int("PORTUS_CRAWL_EVERY_S", 3600, validate=Range(10, 2_592_000))
    verify_days = env.int("PORTUS_CRAWL_VERIFY_DAYS", 7, validate=Range(1, 365))
    return Rhythm(
        env.enum("PORTUS_CRAWL_STRATEGY", Strategy.UPDATE, enum=Strategy, by_value=True),
        # A deferred reader returns nothing where the value is at fault.
        every=timedelta(seconds=every_s or 0),
        verify_within=timedelta(days=verify_days or 1),
    )


def _days(days: int | None) -> timedelta | None:
    # A deferred reader returns nothing where the value is at fault.
    return timedelta(days=days) if days else None
