"""The one place where the notifier is put together."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix

from services.notifier.api.dead_letters import dead_letters_blueprint
from services.notifier.api.events import events_blueprint
from services.notifier.api.hooks import hooks_blueprint
from services.notifier.api.quarantine import quarantine_blueprint
from services.notifier.api.turns import Turns
from services.notifier.api.webhooks import webhooks_blueprint
from services.notifier.clients.event_store import EventStore, Patience, spool_fault, spool_queue
from services.notifier.clients.webhook_receiver import Receiver
from services.notifier.domain.notifications import TooManyEvents
from services.notifier.domain.webhooks import InvalidWebhook
from services.notifier.metrics import DEAD_LETTERS, SPOOL_LENGTH, WEBHOOK_DELIVERIES
from services.notifier.settings import Settings
from services.notifier.storage.dead_letters import count_by_queue
from services.notifier.storage.deliveries import count_waiting
from services.notifier.storage.schema import migrations
from services.notifier.storage.sealing import Seal
from services.notifier.storage.tables import idempotency_keys
from services.notifier.usecases.accept_envelope import NothingStored
from services.notifier.usecases.deliver import Deliverer
from services.notifier.usecases.expectations import CountDiffers
from services.notifier.usecases.manage_dead_letters import DeadLetterNotFound
from services.notifier.usecases.manage_quarantine import QuarantinedEventNotFound, StillUnreadable
from services.notifier.usecases.read_events import EventsGone, NotYetGiven
from services.notifier.usecases.webhook_rights import (
    DeliveryNotFound,
    HeaderNotFound,
    NamespaceNotFound,
    WebhookNotFound,
    WebhookPaused,
)
from services.notifier.usecases.webhooks import WebhookDesk
from shared.api.application import new_api_app
from shared.api.cors import register_cors
from shared.api.creation import register_creation
from shared.api.health import ReadinessCheck
from shared.api.measures import measure_when_asked
from shared.api.openapi import ProblemApi, new_openapi
from shared.ciphers import derive_cipher
from shared.clock import Clock, utc_now
from shared.config import Secret, SettingsError
from shared.database import Database
from shared.idempotency import KeptAnswers
from shared.messaging.connections import BROKER_FAULTS, explain_fault
from shared.messaging.topology import TOPOLOGY, declare_topology, missing_topology, queue_length, topology_fault
from shared.upstream import UpstreamSession
from shared.visibility.callers import callers_name, callers_rights, callers_visibility
from shared.visibility.client import VISIBILITY_ERRORS, VisibilityClient
from shared.visibility.permissions import PERMISSION_ERRORS

ERRORS: dict[type[Exception], HTTPStatus] = {
    NothingStored: HTTPStatus.SERVICE_UNAVAILABLE,
    TooManyEvents: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    EventsGone: HTTPStatus.GONE,
    DeadLetterNotFound: HTTPStatus.NOT_FOUND,
    QuarantinedEventNotFound: HTTPStatus.NOT_FOUND,
    StillUnreadable: HTTPStatus.UNPROCESSABLE_ENTITY,
    CountDiffers: HTTPStatus.CONFLICT,
    NotYetGiven: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidWebhook: HTTPStatus.UNPROCESSABLE_ENTITY,
    WebhookNotFound: HTTPStatus.NOT_FOUND,
    NamespaceNotFound: HTTPStatus.NOT_FOUND,
    DeliveryNotFound: HTTPStatus.NOT_FOUND,
    HeaderNotFound: HTTPStatus.NOT_FOUND,
    WebhookPaused: HTTPStatus.CONFLICT,
    **VISIBILITY_ERRORS,
    **PERMISSION_ERRORS,
}

READINESS_TIMEOUT_S = 0.4

AUTH_READ_TIMEOUT_S = 5
RESOLVING = timedelta(seconds=60)
"""Longer than a name takes to be resolved, and an answer to be noted."""
USER_AGENT = "portus-notifier"

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
    register_cors(app, settings.web_url)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_envelope_bytes
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies)  # type: ignore[method-assign]
    store = EventStore(settings.broker_url, settings.spool_url, patience)
    app.extensions["portus.event_store"] = store
    api = _new_api(app)
    api.register_blueprint(webhooks_blueprint(store.store, settings.notifications_secret, clock=clock))
    auth, turns = _auth(settings), Turns(settings.serving.threads)
    visibility = callers_visibility(auth, peer_secret=settings.internal_secret)
    register_creation(app, _kept_answers(settings, database, clock), callers_name(visibility))
    for blueprint in (
        events_blueprint(database, visibility),
        dead_letters_blueprint(database, visibility, clock=clock),
        quarantine_blueprint(database, visibility, store.store, clock=clock),
        hooks_blueprint(_webhook_desk(settings, database, auth, clock)),
    ):
        turns.guard(blueprint)
        api.register_blueprint(blueprint)
    if settings.spool_url:
        measure_when_asked(app, _spool_measure(settings.spool_url, spool_queue(settings.spool_max_events).name))
    measure_when_asked(app, _dead_letters_measure(database))
    measure_when_asked(app, _webhooks_measure(database, clock))
    return app


def _kept_answers(settings: Settings, database: Database, clock: Clock) -> KeptAnswers:
    cipher = derive_cipher(settings.internal_secret, "portus idempotent answers 1")
    return KeptAnswers(database, idempotency_keys, cipher, clock)


def _new_api(app: Flask) -> ProblemApi:
    app.config["API_SPEC_OPTIONS"] = {"security": [{"basic": []}, {"bearer": []}]}
    api = new_openapi(app, title="Portus notifier", version="1")
    for name, scheme in (("secret", "bearer"), ("basic", "basic"), ("bearer", "bearer")):
        api.spec.components.security_scheme(name, {"type": "http", "scheme": scheme})
    app.extensions["portus.openapi"] = api
    return api


def _auth(settings: Settings) -> VisibilityClient:
    session = UpstreamSession("auth", settings.auth_url, read_timeout_s=AUTH_READ_TIMEOUT_S, user_agent=USER_AGENT)
    return VisibilityClient(session, peer_secret=settings.internal_secret)


def _webhook_desk(settings: Settings, database: Database, auth: VisibilityClient, clock: Clock) -> WebhookDesk:
    return WebhookDesk(
        callers_rights(auth, peer_secret=settings.internal_secret),
        Seal(settings.internal_secret),
        settings.webhooks.allowed_networks,
        database,
        clock,
    )


def new_deliverer(settings: Settings, database: Database, *, clock: Clock = utc_now) -> Deliverer:
    """Return what sends webhooks; a worker gives it threads."""
    webhooks = settings.webhooks
    receiver = Receiver(webhooks.allowed_networks, webhooks.timeout_s, webhooks.ca_bundle)
    return Deliverer(
        receiver.send,
        Seal(settings.internal_secret),
        database,
        clock,
        max_attempts=webhooks.max_attempts,
        # The system's resolver has a time-out of its own.
        lease_for=timedelta(seconds=webhooks.timeout_s) + RESOLVING,
    )


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


def _spool_measure(spool_url: Secret, queue: str) -> Callable[[], None]:
    def measure() -> None:
        try:
            SPOOL_LENGTH.labels(queue).set(queue_length(spool_url, queue))
        except BROKER_FAULTS:
            SPOOL_LENGTH.labels(queue).set(float("nan"))

    return measure


def _dead_letters_measure(database: Database) -> Callable[[], None]:
    def measure() -> None:
        try:
            with database.read() as connection:
                counts: Mapping[str, float] = count_by_queue(connection)
        except SQLAlchemyError:
            counts = {spec.name: float("nan") for spec in TOPOLOGY}
        for spec in TOPOLOGY:
            DEAD_LETTERS.labels(spec.name).set(counts.get(spec.name, 0))

    return measure


def _webhooks_measure(database: Database, clock: Clock) -> Callable[[], None]:
    def measure() -> None:
        due: float
        later: float
        try:
            with database.read() as connection:
                due, later = count_waiting(connection, now=clock())
        except SQLAlchemyError:
            due = later = float("nan")
        WEBHOOK_DELIVERIES.labels("due").set(due)
        WEBHOOK_DELIVERIES.labels("later").set(later)

    return measure
