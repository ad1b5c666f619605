"""The one place where the catalogue is put together."""

from collections.abc import Collection

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from services.catalog.api.deletions import deletions_blueprint
from services.catalog.api.errors import ERRORS
from services.catalog.api.history import history_blueprint
from services.catalog.api.immutability import immutability_blueprint
from services.catalog.api.internal import internal_blueprint
from services.catalog.api.losses import losses_blueprint
from services.catalog.api.manifests import manifests_blueprint
from services.catalog.api.people import people_blueprint
from services.catalog.api.repositories import repositories_blueprint
from services.catalog.api.retention import retention_blueprint
from services.catalog.api.rounds import rounds_blueprint
from services.catalog.api.scans import SCANNING, scans_blueprint
from services.catalog.api.schemas import REGISTRY_HOST
from services.catalog.api.search import search_blueprint
from services.catalog.api.statistics import statistics_blueprint
from services.catalog.api.tags import tags_blueprint
from services.catalog.clients.metrics import DeliveryCounters
from services.catalog.clients.namespaces import NamespaceClient
from services.catalog.clients.registry import USER_AGENT, RegistryClient
from services.catalog.clients.scanner import ScannerClient
from services.catalog.clients.tokens import RegistryTokens
from services.catalog.metrics import measure_deletions, measure_drift, measure_losses, measure_scans
from services.catalog.settings import ScannerSettings, Settings
from services.catalog.storage.manifests import list_fetched
from services.catalog.storage.schema import migrations
from services.catalog.storage.tables import idempotency_keys
from services.catalog.usecases.delete_content import ContentDeleter
from services.catalog.usecases.empty_repository import RepositoryEmptier
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from services.catalog.usecases.immutability import ImmutabilityDesk
from services.catalog.usecases.registry import Registry, WritableRegistry
from services.catalog.usecases.restore_tag import TagRestorer
from services.catalog.usecases.retention import RetentionDesk
from services.catalog.usecases.run_retention import look_at
from services.catalog.usecases.scanner import NewAuthorization
from services.catalog.usecases.scans import ScanDesk
from shared.api.application import new_api_app
from shared.api.cors import register_cors
from shared.api.creation import register_creation
from shared.api.health import ReadinessCheck
from shared.api.measures import measure_when_asked
from shared.api.openapi import new_openapi
from shared.ciphers import derive_cipher
from shared.clock import utc_now
from shared.config import Secret
from shared.database import Database
from shared.idempotency import KeptAnswers
from shared.messaging.topology import topology_fault
from shared.oci.names import Digest, RepositoryName
from shared.upstream import UpstreamSession
from shared.visibility.callers import (
    callers_name,
    callers_permissions,
    callers_places,
    callers_visibility,
    callers_visibility_in,
)
from shared.visibility.client import VisibilityClient

AUTH_READ_TIMEOUT_S = 5
REGISTRY_READ_TIMEOUT_S = 5
"""Longest silence; a manifest that takes longer is asked for again later."""
SCANNER_READ_TIMEOUT_S = 5
"""Longest silence; Harbor waits as long."""


def create_app(settings: Settings, database: Database) -> Flask:
    """Build the API.

    Args:
        database: migrated, or readiness says so.
    """
    app = new_api_app("services.catalog", checks=readiness_checks(settings, database), errors=ERRORS)
    register_cors(app, settings.web_url)
    app.config[REGISTRY_HOST] = settings.registry_host
    app.config[SCANNING] = settings.scanner is not None
    hops = settings.trusted_proxies
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops)  # type: ignore[method-assign]
    auth = VisibilityClient(_auth_session(settings), peer_secret=settings.internal_secret)
    visibility = callers_visibility(auth, peer_secret=settings.internal_secret)
    visibility_in = callers_visibility_in(auth, peer_secret=settings.internal_secret)
    places = callers_places(auth, peer_secret=settings.internal_secret)
    register_creation(app, _kept_answers(settings, database), callers_name(visibility))
    app.config["API_SPEC_OPTIONS"] = {"security": [{"basic": []}, {"bearer": []}, {}]}
    api = new_openapi(app, title="Portus catalog", version="v1")
    api.spec.components.security_scheme("basic", {"type": "http", "scheme": "basic"})
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    api.register_blueprint(repositories_blueprint(database, visibility, visibility_in, places))
    api.register_blueprint(tags_blueprint(database, visibility))
    scanner = new_scanner(settings.scanner) if settings.scanner else None
    api.register_blueprint(scans_blueprint(lambda: ScanDesk(visibility(), scanner, database, utc_now)))
    api.register_blueprint(search_blueprint(database, visibility))
    max_tags = look_at(settings.crawl_rate).max_tags
    api.register_blueprint(
        retention_blueprint(lambda: RetentionDesk(visibility(), permissions, database, utc_now, max_tags))
    )
    api.register_blueprint(statistics_blueprint(database, visibility, clock=utc_now))
    api.register_blueprint(losses_blueprint(database, visibility))
    api.register_blueprint(rounds_blueprint(database, visibility, clock=utc_now))
    measure_when_asked(app, lambda: _measure(database, scans=settings.scanner is not None))
    registry = new_registry(settings)
    permissions = callers_permissions(auth, peer_secret=settings.internal_secret)
    api.register_blueprint(people_blueprint(database, visibility, permissions, places, clock=utc_now))
    api.register_blueprint(
        immutability_blueprint(lambda: ImmutabilityDesk(visibility(), permissions, database, utc_now))
    )
    restorer = TagRestorer(database, registry, utc_now)
    api.register_blueprint(history_blueprint(database, restorer, visibility, permissions))
    deleter = ContentDeleter(database, registry, utc_now)
    api.register_blueprint(manifests_blueprint(database, visibility))
    api.register_blueprint(deletions_blueprint(deleter, visibility, permissions))
    emptier = RepositoryEmptier(database, registry, utc_now)
    app.register_blueprint(internal_blueprint(database, emptier, settings.internal_secret))
    app.extensions["portus.openapi"] = api
    return app


def _kept_answers(settings: Settings, database: Database) -> KeptAnswers:
    cipher = derive_cipher(settings.internal_secret, "portus idempotent answers 1")
    return KeptAnswers(database, idempotency_keys, cipher, utc_now)


def _measure(database: Database, *, scans: bool) -> None:
    measure_losses(database, utc_now)
    measure_drift(database, utc_now)
    measure_deletions(database)
    if scans:
        measure_scans(database, utc_now)


def new_namespaces(settings: Settings) -> NamespaceClient:
    """Return what tells which namespaces nobody has made."""
    return NamespaceClient(_auth_session(settings), peer_secret=settings.internal_secret)


def new_database(settings: Settings) -> Database:
    """Open the index, with a connection for every thread that serves."""
    return Database(settings.database_url.reveal(), pool_size=settings.serving.threads, custom_plans=True)


def readiness_checks(settings: Settings, database: Database) -> dict[str, ReadinessCheck]:
    """Return what must be in order before the catalogue can do its work."""
    schema = migrations(database)
    return {"database": schema.fault, "broker": lambda: topology_fault(settings.broker_url)}


def new_scanner(settings: ScannerSettings) -> ScannerClient:
    """Return the scanner."""
    session = UpstreamSession(
        "The scanner",
        settings.url,
        read_timeout_s=SCANNER_READ_TIMEOUT_S,
        user_agent=USER_AGENT,
        ca_bundle=settings.ca_bundle,
        pool_size=32,
    )
    return ScannerClient(session, authorization=settings.authorization, api_key=settings.api_key)


def new_scanner_authorization(settings: Settings) -> NewAuthorization:
    """Return what makes the tokens with which a scanner pulls."""
    tokens = _new_tokens(settings)

    def authorize(repository: RepositoryName) -> Secret:
        return Secret(f"Bearer {tokens.new_token(f'repository:{repository}:pull')}")

    return authorize


def _new_tokens(settings: Settings) -> RegistryTokens:
    return RegistryTokens(
        _auth_session(settings), service=settings.registry_service, secret=settings.service_account_secret
    )


def new_registry(settings: Settings) -> WritableRegistry:
    """Return the registry, used as the internal account."""
    session = UpstreamSession(
        "registry",
        settings.registry_url,
        read_timeout_s=REGISTRY_READ_TIMEOUT_S,
        user_agent=USER_AGENT,
        # As many as PORTUS_CRAWL_THREADS may be, or connections are thrown away.
        pool_size=64,
        ca_bundle=settings.registry_ca_bundle,
    )
    return RegistryClient(session, _new_tokens(settings), clock=utc_now)


def new_counters(settings: Settings) -> DeliveryCounters | None:
    """Return what reads the registry's own count of deliveries, where it was said where that is."""
    if not settings.registry_metrics_urls:
        return None
    sessions = [
        UpstreamSession(
            "registry metrics",
            url,
            read_timeout_s=REGISTRY_READ_TIMEOUT_S,
            user_agent=USER_AGENT,
            ca_bundle=settings.registry_ca_bundle,
        )
        for url in settings.registry_metrics_urls
    ]
    return DeliveryCounters(sessions, endpoint=settings.registry_metrics_endpoint)


def new_fetcher(registry: Registry, database: Database) -> ManifestFetcher:
    """Return what fetches manifests that the index does not have; one for each thread that waits for it."""

    def known(digests: Collection[Digest]) -> set[Digest]:
        with database.read() as connection:
            return list_fetched(connection, digests)

    return ManifestFetcher(registry, known)


def _auth_session(settings: Settings) -> UpstreamSession:
    return UpstreamSession("auth", settings.auth_url, read_timeout_s=AUTH_READ_TIMEOUT_S, user_agent=USER_AGENT)
