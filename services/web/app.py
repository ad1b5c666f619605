"""The one place where the portal is put together."""

from flask import Flask, Response
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from services.web.clients.access import AccessClient
from services.web.clients.administration import AdministrationClient
from services.web.clients.artifacts import ArtifactsClient
from services.web.clients.auth import AuthClient
from services.web.clients.catalog import CatalogClient
from services.web.clients.content import ContentClient
from services.web.clients.me import MeClient
from services.web.clients.peer import Peer
from services.web.clients.places import NamespacesClient, TeamsClient
from services.web.clients.probe import Probe
from services.web.clients.registries import RegistriesClient
from services.web.clients.retention import RetentionClient
from services.web.clients.rights import RightsClient
from services.web.clients.scans import ScansClient
from services.web.clients.sessions import Sessions
from services.web.clients.statistics import StatisticsClient
from services.web.clients.sync import SyncClient
from services.web.clients.webhooks import WebhooksClient
from services.web.pages.assets import register_assets
from services.web.pages.cookies import STATE, Cookies
from services.web.pages.errors import register_error_pages
from services.web.pages.headers import set_defensive_headers
from services.web.pages.languages import register_languages
from services.web.pages.portal import Portal
from services.web.pages.routes import register_pages
from services.web.pages.visitors import drop_ended_session
from services.web.settings import Settings
from services.web.viewmodels.numbers import present_count, present_decimal
from services.web.viewmodels.said import say
from shared.api.health import ReadinessCheck, health_blueprint
from shared.api.requests import register_request_hooks
from shared.clock import Clock, utc_now
from shared.upstream import UpstreamSession

MAX_BODY_BYTES = 64 * 1024
"""Largest form; the longest field of ours is a password of 1024 characters."""

FORM_LIFETIME_S = 8 * 3600
"""A form may be sent this long after it was opened: a working day."""

PEER_TIMEOUT_S = 5
"""Longest silence of a peer before a page says that it is away: somebody is waiting for the page."""


def create_app(settings: Settings, *, clock: Clock = utc_now) -> Flask:
    """Build the portal.

    Args:
        settings: addresses, secrets, cookies.
        clock: the present moment.
    """
    app = Flask("services.web")
    portal = _wire(settings, clock)
    _configure(app, settings, portal.cookies)
    # The request's id comes first: the page about a form that is too old shows it.
    register_request_hooks(app)
    CSRFProtect(app)
    register_assets(app)
    register_languages(app, portal.cookies)
    register_pages(app, portal)
    register_error_pages(app, portal)
    app.register_blueprint(health_blueprint(portal.probes))
    app.after_request(set_defensive_headers)

    @app.after_request
    def drop_session(response: Response) -> Response:
        return drop_ended_session(portal, response)

    return app


def _wire(settings: Settings, clock: Clock) -> Portal:
    auth_peer = Peer("auth", _session("auth", settings.auth_url))
    auth = AuthClient(auth_peer, settings.internal_secret)
    catalog_peer = Peer("catalog", _session("catalog", settings.catalog_url))
    notifier_peer = Peer("notifier", _session("notifier", settings.notifier_url))
    return Portal(
        auth=auth,
        catalog=CatalogClient(catalog_peer),
        artifacts=ArtifactsClient(catalog_peer),
        scans=ScansClient(catalog_peer),
        content=ContentClient(catalog_peer),
        rights=RightsClient(auth_peer),
        namespaces=NamespacesClient(auth_peer),
        teams=TeamsClient(auth_peer),
        access=AccessClient(auth_peer),
        me=MeClient(auth_peer),
        administration=AdministrationClient(auth_peer),
        registries=RegistriesClient(auth_peer),
        sync=SyncClient(catalog_peer, notifier_peer),
        webhooks=WebhooksClient(notifier_peer),
        retention=RetentionClient(catalog_peer),
        statistics=StatisticsClient(catalog_peer),
        sessions=Sessions(auth, clock),
        cookies=Cookies(secure=settings.cookie_secure),
        probes=_probes(settings, clock),
        clock=clock,
        registry_host=settings.registry_host,
        anonymous_browsing=settings.anonymous_browsing,
    )


def _session(name: str, url: str) -> UpstreamSession:
    return UpstreamSession(name, url, user_agent="portus-web", read_timeout_s=PEER_TIMEOUT_S)


def _configure(app: Flask, settings: Settings, cookies: Cookies) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key.reveal(),
        SESSION_COOKIE_NAME=cookies.name(STATE),
        SESSION_COOKIE_SECURE=settings.cookie_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=FORM_LIFETIME_S,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_BODY_BYTES,
    )
    app.jinja_env.filters |= {"said": say, "counted": present_count, "decimal": present_decimal}
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    hops = settings.trusted_proxies
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def _probes(settings: Settings, clock: Clock) -> dict[str, ReadinessCheck]:
    peers = {"auth": settings.auth_url, "catalog": settings.catalog_url}
    return {name: Probe(name, url, clock).fault for name, url in peers.items()}
