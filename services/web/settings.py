"""What the portal reads from its environment; docs/operations.md describes every variable."""

from dataclasses import dataclass

from environs import Env

from shared.api.serving import ServingSettings, load_serving_settings, load_trusted_proxies
from shared.config import Secret, http_url, read_settings, secret
from shared.observability.logs import load_log_level


@dataclass(frozen=True, slots=True)
class Settings:
    """The portal's settings, read once at the edge of the process."""

    auth_url: str
    """Address at which the portal reaches `auth`."""
    catalog_url: str
    """Address at which the portal reaches `catalog`."""
    notifier_url: str
    """Address at which the portal reaches `notifier`."""
    registry_host: str
    """The registry as people type it in ``docker pull``; part of every command shown."""
    internal_secret: Secret
    """What peers prove themselves with; it lets `auth` believe the client address we forward."""
    secret_key: Secret
    """Signs the browser's state cookie, which holds the CSRF secret and one-time notices."""
    cookie_secure: bool
    """Whether cookies travel over HTTPS only."""
    trusted_proxies: int
    """How many proxies in front may be believed about the client's address."""
    log_level: str
    """A name of the standard library's levels."""
    serving: ServingSettings
    """Address, processes and threads of the server."""
    anonymous_browsing: bool = True
    """Whether people who are not signed in see public repositories in the portal."""


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: one line per variable that is missing or wrong.
    """
    return read_settings(_build)


def _build(env: Env) -> Settings:
    return Settings(
        auth_url=http_url(env, "PORTUS_AUTH_URL", "http://localhost:8081"),
        catalog_url=http_url(env, "PORTUS_CATALOG_URL", "http://localhost:8082"),
        notifier_url=http_url(env, "PORTUS_NOTIFIER_URL", "http://localhost:8083"),
        registry_host=env.str("PORTUS_REGISTRY_HOST", "localhost:5000"),
        internal_secret=secret(env, "PORTUS_INTERNAL_SECRET"),
        secret_key=secret(env, "PORTUS_WEB_SECRET_KEY"),
        cookie_secure=env.bool("PORTUS_COOKIE_SECURE", False),
        trusted_proxies=load_trusted_proxies(env),
        log_level=load_log_level(env),
        serving=load_serving_settings(env, port_variable="PORTUS_WEB_PORT", default_port=8080),
        anonymous_browsing=env.bool("PORTUS_ANONYMOUS_BROWSING_ENABLED", True),
    )
