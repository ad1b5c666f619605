"""The one place where ``auth`` is put together."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from argon2 import PasswordHasher
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from services.auth.api.errors import ERRORS, register_errors
from services.auth.api.identity import name_caller
from services.auth.api.internal import internal_blueprint
from services.auth.api.key_measures import register_key_measures
from services.auth.api.keys import keys_blueprint
from services.auth.api.openapi import register_management_api
from services.auth.api.services import Services, install_services
from services.auth.api.token import token_blueprint
from services.auth.api.unknown_service import UnknownServiceNotes
from services.auth.clients.catalog import CatalogClient
from services.auth.clients.registry import RegistryAnswer, probe_registry, probe_url
from services.auth.settings import Settings
from services.auth.signing.access_tokens import AccessTokens
from services.auth.signing.answers import AnswerCipher
from services.auth.signing.keyring import Keyring
from services.auth.signing.registry_tokens import RegistryTokenSigner
from services.auth.signing.watched_authority import WatchedAuthority
from services.auth.storage.tables import idempotency_keys
from services.auth.usecases.authenticate import Authenticator
from services.auth.usecases.background import GATHER_S, Background
from services.auth.usecases.issue_token import Issuing
from services.auth.usecases.logins import LoginKeeper
from services.auth.usecases.memory import PasswordMemory
from services.auth.usecases.passwords import Passwords, new_hasher
from services.auth.usecases.recent_callers import RecentCallers
from services.auth.usecases.sessions import SessionKeeper
from services.auth.usecases.write_notes import write_notes
from shared.api.application import new_api_app
from shared.api.checkups import Checkup, Finding
from shared.api.cors import register_cors
from shared.api.creation import register_creation
from shared.api.health import ReadinessCheck
from shared.clock import Clock, utc_now
from shared.database import Database, Migrations
from shared.idempotency import KeptAnswers
from shared.upstream import UpstreamSession

PATIENCE_S = 3.0
"""How long a read may take before the database is taken for hanging: clients of the registry wait for a token."""
MIGRATIONS = Path(__file__).parent / "storage" / "migrations"


def create_app(
    settings: Settings, *, clock: Clock = utc_now, hasher: PasswordHasher | None = None, gather_s: float = GATHER_S
) -> Flask:
    """Build the service.

    Args:
        settings: see ``services.auth.settings``.
        clock: the present moment.
        hasher: hashes passwords; tests take a cheaper one.
        gather_s: how long notes wait for others before they are written; tests write them when they want.

    Raises:
        SettingsError: the CA's files cannot be used.
    """
    services = build_services(settings, clock=clock, hasher=hasher or new_hasher(), gather_s=gather_s)
    warnings = {"authority": services.authority.warning}
    app = new_api_app("services.auth", checks=_checks(services), errors=ERRORS, warnings=warnings)
    install_services(app, services)
    register_key_measures(app)
    register_errors(app)
    register_cors(app, settings.web_url)
    register_creation(app, _kept_answers(services), name_caller)
    app.register_blueprint(token_blueprint())
    app.register_blueprint(keys_blueprint())
    app.register_blueprint(internal_blueprint(settings.internal_secret))
    register_management_api(app)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies)  # type: ignore[method-assign]
    return app


def build_services(settings: Settings, *, clock: Clock, hasher: PasswordHasher, gather_s: float) -> Services:
    """Wire everything that views hand to use cases.

    Raises:
        SettingsError: the CA's files cannot be used.
    """
    database = new_database(settings)
    passwords = Passwords(hasher)
    write = partial(
        write_notes,
        token_ttl_s=settings.token_ttl_s,
        login_ttl=settings.refresh_token_ttl,
        database=database,
        clock=clock,
    )
    background = Background(write, gather_s=gather_s)
    authority = WatchedAuthority(settings.ca_dir, clock=clock)
    keyring = new_keyring(settings, authority, database=database, clock=clock)
    access_tokens = AccessTokens(keyring, issuer=settings.issuer, ttl_s=settings.access_token_ttl_s, clock=clock)
    authenticator = Authenticator(
        database=database,
        passwords=passwords,
        memory=PasswordMemory(clock),
        internal_secret=settings.service_account_secret,
        first_service=settings.registry_service,
        note_use=background.put,
        clock=clock,
    )
    signer = RegistryTokenSigner(
        keyring,
        issuer=settings.issuer,
        service=settings.registry_service,
        ttl_s=settings.token_ttl_s,
        clock=clock,
    )
    probe_first = partial(probe_url, settings.registry_url, ca_bundle=settings.registry_ca_bundle)
    return Services(
        settings=settings,
        database=database,
        clock=clock,
        passwords=passwords,
        authority=authority,
        authenticator=authenticator,
        keyring=keyring,
        signer=signer,
        access_tokens=access_tokens,
        keeper=SessionKeeper(database, clock, access_tokens.issue, settings.session_ttl),
        catalog=new_catalog(settings),
        probe_registry=probe_registry,
        probe_first_registry=probe_first,
        background=background,
        checkup=_checkup(database, probe_first),
        issuing=Issuing(
            authenticator=authenticator,
            recent=RecentCallers(clock, grace=settings.outage_grace),
            sign=signer.sign,
            clock=clock,
            policy=settings.policy,
            passwords_welcome=not settings.registry_tokens_only,
            first_service=settings.registry_service,
            note=background.put,
            logins=LoginKeeper(database, clock, settings.refresh_token_ttl),
            explain_refusals=settings.explain_refusals,
            web_url=settings.web_url.rstrip("/"),
            database=database,
            note_unknown_service=UnknownServiceNotes(settings.registry_service, clock),
        ),
    )


def new_keyring(settings: Settings, authority: WatchedAuthority, *, database: Database, clock: Clock) -> Keyring:
    """Open the keys that tokens are signed with."""
    return Keyring(
        authority.refresh,
        algorithm=settings.token_algorithm,
        leaf_ttl=settings.leaf_ttl,
        database=database,
        clock=clock,
    )


def new_catalog(settings: Settings) -> CatalogClient:
    """Return the client of ``catalog``; nothing is connected yet."""
    session = UpstreamSession("the catalog", settings.catalog_url, retries=0)
    return CatalogClient(session, peer_secret=settings.internal_secret)


def new_database(settings: Settings) -> Database:
    """Open the service's own database, with a connection for every thread."""
    return Database(settings.database_url.reveal(), pool_size=settings.serving.threads, patience_s=PATIENCE_S)


def migrations_of(database: Database) -> Migrations:
    """Return the schema history of the service."""
    return Migrations(database, MIGRATIONS)


def _checkup(database: Database, probe_first: Callable[[], RegistryAnswer]) -> Checkup:
    def look_at_database() -> Finding:
        fault = migrations_of(database).fault()
        return Finding(fault or "the database is up-to-date", success=fault is None)

    def look_at_registry() -> Finding:
        fault = probe_first().fault
        return Finding(f"the registry {fault or 'is reachable'}", success=fault is None)

    return Checkup({"database": look_at_database, "registry": look_at_registry})


def _kept_answers(services: Services) -> KeptAnswers:
    cipher = AnswerCipher(lambda: services.authority.current)
    return KeptAnswers(services.database, idempotency_keys, cipher, services.clock)


def _checks(services: Services) -> dict[str, ReadinessCheck]:
    return {
        "database": migrations_of(services.database).fault,
        "authority": services.authority.fault,
        "signing leaf": services.keyring.fault,
    }
