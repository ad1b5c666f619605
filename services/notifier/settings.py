"""What the notifier reads from its environment; docs/operations.md describes every variable."""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

from environs import Env
from marshmallow import ValidationError
from marshmallow.validate import Range

from services.notifier.domain.addresses import Network
from shared.api.cors import load_portal_url
from shared.api.serving import ServingSettings, load_serving_settings, load_trusted_proxies
from shared.config import Secret, ca_bundle, data_file, http_url, read_settings, secret, secret_url
from shared.messaging.connections import load_broker_url
from shared.observability.logs import load_log_level


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """How webhooks are told."""

    allowed_networks: tuple[Network, ...]
    """May be reached besides public addresses."""
    timeout_s: int
    """How long one attempt may take, in seconds."""
    max_attempts: int
    """How often a delivery is sent before it has failed."""
    threads: int
    """Requests that a worker sends at the same time."""
    keep: timedelta
    """How long a delivery can be looked at."""
    ca_bundle: Path | None
    """CA certificates that receivers are believed by, beside the well-known ones."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The notifier's settings, read once at the edge of the process."""

    database_url: Secret
    """SQLAlchemy URL of the service's own database; may hold a password."""
    broker_url: Secret
    """Where events go; may hold a password."""
    notifications_secret: Secret
    """What the registry proves itself with."""
    auth_url: str
    """Address at which the notifier reaches ``auth``, to ask what a caller may see."""
    internal_secret: Secret
    """What peers prove themselves with."""
    spool_file: Path
    """Store for events while RabbitMQ is away; not used when the broker is a file itself."""
    spool_max_events: int
    """When as many wait, events are refused."""
    max_envelope_bytes: int
    """Largest request body of a registry, in bytes."""
    events_keep: timedelta
    """How long an event stays in the log."""
    events_max: int
    """Events in the log at the most; the oldest go first."""
    webhooks: WebhookSettings
    """How webhooks are told."""
    web_url: str
    """The portal as people type it; its pages may call the API with credentials."""
    trusted_proxies: int
    """How many proxies in front may be believed about the client's address."""
    log_level: str
    """A name of the standard library's levels."""
    serving: ServingSettings
    """Address, processes and threads of the server."""

    @property
    def spool_url(self) -> Secret | None:
        """The spool as a broker; ``None`` when the broker is a file on this machine, which is never away."""
        if self.broker_url.reveal().startswith("sqlite:"):
            return None
        return Secret(f"sqlite:///{self.spool_file}")


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: one line per variable that is missing or wrong.
    """
    return read_settings(_build)


def _build(env: Env) -> Settings:
    return Settings(
        database_url=secret_url(env, "PORTUS_NOTIFIER_DATABASE_URL", f"sqlite:///{data_file(env, 'notifier.db')}"),
        broker_url=load_broker_url(env),
        notifications_secret=secret(env, "PORTUS_NOTIFICATIONS_SECRET"),
        auth_url=http_url(env, "PORTUS_AUTH_URL", "http://localhost:8081"),
        internal_secret=secret(env, "PORTUS_INTERNAL_SECRET"),
        spool_file=Path(env.str("PORTUS_SPOOL_FILE", str(data_file(env, "spool.db")))).absolute(),
        spool_max_events=env.int("PORTUS_SPOOL_MAX_EVENTS", 1_000_000, validate=Range(1, 100_000_000)),
        max_envelope_bytes=env.int("PORTUS_MAX_ENVELOPE_BYTES", 8_388_608, validate=Range(1024, 67_108_864)),
        events_keep=timedelta(days=env.int("PORTUS_EVENTS_KEEP_DAYS", 30, validate=Range(1, 3650)) or 1),
        events_max=env.int("PORTUS_EVENTS_MAX", 5_000_000, validate=Range(1_000, 1_000_000_000)),
        webhooks=_webhooks(env),
        web_url=load_portal_url(env),
        trusted_proxies=load_trusted_proxies(env),
        log_level=load_log_level(env),
        serving=load_serving_settings(env, port_variable="PORTUS_NOTIFIER_PORT", default_port=8083),
    )


def _webhooks(env: Env) -> WebhookSettings:
    networks: list[str] = env.list("PORTUS_WEBHOOK_ALLOWED_NETWORKS", [], validate=_are_networks) or []
    return WebhookSettings(
        allowed_networks=_networks(networks),
        timeout_s=env.int("PORTUS_WEBHOOK_TIMEOUT_S", 10, validate=Range(1, 300)) or 1,
        max_attempts=env.int("PORTUS_WEBHOOK_MAX_ATTEMPTS", 8, validate=Range(1, 20)) or 1,
        threads=env.int("PORTUS_WEBHOOK_THREADS", 8, validate=Range(1, 64)) or 1,
        keep=timedelta(days=env.int("PORTUS_WEBHOOK_DELIVERIES_KEEP_DAYS", 30, validate=Range(1, 3650)) or 1),
        ca_bundle=ca_bundle(env, "PORTUS_WEBHOOK_CA_BUNDLE"),
    )


def _are_networks(texts: list[str]) -> None:
    try:
        _networks(texts)
    except ValueError as fault:
        raise ValidationError(f"Must be networks like 10.0.0.0/8, separated by commas: {fault}.") from fault


def _networks(texts: list[str]) -> tuple[Network, ...]:
    return tuple(ip_network(text.strip()) for text in texts if text.strip())
