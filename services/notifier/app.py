"""The one place where the notifier is put together."""

from http import HTTPStatus

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from services.notifier.api.webhooks import webhooks_blueprint
from services.notifier.clients.event_store import EventStore, Patience, spool_fault, spool_queue
from services.notifier.domain.notifications import TooManyEvents
from services.notifier.metrics import SPOOL_LENGTH
from services.notifier.settings import Settings
from services.notifier.storage.schema import migrations
from services.notifier.usecases.accept_envelope import NothingStored
from shared.api.application import new_api_app
from shared.api.health import ReadinessCheck
from shared.api.openapi import new_openapi
from shared.clock import Clock, utc_now
from shared.config import Secret, SettingsError
from shared.database import Database
from shared.messaging.connections import BROKER_FAULTS, explain_fault
from shared.messaging.topology import declare_topology, missing_topology, queue_length, topology_fault

ERRORS: dict[type[Exception], HTTPStatus] = {
    NothingStored: HTTPStatus.SERVICE_UNAVAILABLE,
    TooManyEvents: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}

READINESS_TIMEOUT_S = 0.4


DEFAULT_PATIENCE = Patience()


def create_app(
    settings: Settings, database: Database, *, clock: Clock = utc_now, patience: Patience = DEFAULT_PATIENCE
) -> Flask:
    """Build the service; nothing is opened yet.

    Args:
        database: migrated, or readiness says so.
        patience: how long broker and spool may take before a registry is answered.
    """
    app = new_api_app("services.notifier", checks=readiness_checks(settings, database), errors=ERRORS)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_envelope_bytes
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies)  # type: ignore[method-assign]
    store = EventStore(settings.broker_url, settings.spool_url, patience)
    app.extensions["portus.event_store"] = store
    api = new_openapi(app, title="Portus notifier", version="1")
    api.spec.components.security_scheme("secret", {"type": "http", "scheme": "bearer"})
    api.register_blueprint(webhooks_blueprint(store.store, settings.notifications_secret, clock=clock))
    if settings.spool_url:
        _measure_spool(app, settings.spool_url, spool_queue(settings.spool_max_events).name)
    return app


def prepare_spool(settings: Settings) -> None:
    """Make the spool, if there is to be one: each notifier has its own, so each makes it when it starts.

    Raises:
        SettingsError: its file cannot be made.
    """
    if settings.spool_url is None:
        return
    try:
        declare_topology(settings.spool_url, [spool_queue(settings.spool_max_events)])
    except BROKER_FAULTS as fault:
        raise SettingsError(f"PORTUS_SPOOL_FILE: {settings.spool_file}: {explain_fault(fault)}") from fault


def readiness_checks(settings: Settings, database: Database) -> dict[str, ReadinessCheck]:
    """Return what must be in order before events can be accepted.

    A broker that is away is no reason to turn a registry away as long as the spool takes its events, nor is
    a database that restarts: only the worker writes to it.
    """
    checks = {"database": _once(migrations(database).fault)}
    spool_url = settings.spool_url
    if spool_url is None:
        return checks | {"broker": lambda: topology_fault(settings.broker_url)}
    queue = spool_queue(settings.spool_max_events)
    return checks | {
        "broker": lambda: _topology_gap(settings.broker_url),
        "spool": lambda: spool_fault(spool_url, queue),
    }


def _topology_gap(broker_url: Secret) -> str | None:
    try:
        return missing_topology(broker_url, timeout_s=READINESS_TIMEOUT_S)
    except BROKER_FAULTS:
        return None


def _once(check: ReadinessCheck) -> ReadinessCheck:
    """Return a check that is not asked any more after it has passed."""
    passed = False

    def remembering() -> str | None:
        nonlocal passed
        fault = None if passed else check()
        passed = fault is None
        return fault

    return remembering


def _measure_spool(app: Flask, spool_url: Secret, queue: str) -> None:
    @app.before_request
    def measure() -> None:
        # Measured when somebody asks: the worker, another process, is the one who empties it.
        if request.path == "/metrics":
            try:
                SPOOL_LENGTH.labels(queue).set(queue_length(spool_url, queue))
            except BROKER_FAULTS:
                SPOOL_LENGTH.labels(queue).set(float("nan"))
