"""Variables of SUSE Portus whose meaning is the same as one of ours; docs/operations.md lists them.

Variables that have kept their name are not here (``PORTUS_DELETE_ENABLED``, ``PORTUS_DELETE_CONTRIBUTORS``,
``PORTUS_LOG_LEVEL``, ``PORTUS_SIGNUP_ENABLED``, ``PORTUS_USER_PERMISSION_…_ENABLED``).

Source: Portus 2.5, config/config.yml.
"""

from shared.environment import OldName


def _seconds(minutes: str) -> str:
    if not (minutes.isascii() and minutes.isdigit()):
        raise ValueError("Must be a whole number of minutes.")
    return str(int(minutes) * 60)


WITHOUT_COUNTERPART = {
    "PORTUS_DB_HOST": "each service has a database of its own: PORTUS_AUTH_DATABASE_URL and so on",
    "PORTUS_DB_DATABASE": "each service has a database of its own: PORTUS_AUTH_DATABASE_URL and so on",
    "PORTUS_KEY_PATH": "tokens are signed by leaves of a CA, which change: PORTUS_CA_DIR",
    "PORTUS_SECRET_KEY_BASE": "the browser's cookie is signed with PORTUS_WEB_SECRET_KEY",
    "PORTUS_CHECK_SSL_USAGE_ENABLED": "TLS ends at the proxy in front; PORTUS_COOKIE_SECURE keeps browsers to it",
    "PORTUS_DISPLAY_NAME_ENABLED": "answers hold both names, and whoever shows them chooses",
}
"""Variables of SUSE Portus that say nothing here, each with why; whoever still sets one is told at the start."""

OLD_NAMES = (
    OldName("PORTUS_REGISTRY_JWT_EXPIRATION_TIME_VALUE", "PORTUS_TOKEN_TTL_S", _seconds),
    OldName("PORTUS_MACHINE_FQDN_VALUE", "PORTUS_ISSUER"),
    OldName("PORTUS_FIRST_USER_ADMIN_ENABLED", "PORTUS_FIRST_USER_ADMIN"),
    OldName("PORTUS_USER_PERMISSION_PUSH_IMAGES_POLICY", "PORTUS_PUSH_POLICY"),
    OldName("PORTUS_PASSWORD", "PORTUS_SERVICE_ACCOUNT_SECRET"),
    OldName("PORTUS_INIT_REGISTRY_HOSTNAME", "PORTUS_REGISTRY_HOST"),
    OldName("PORTUS_BACKGROUND_SYNC_STRATEGY", "PORTUS_CRAWL_STRATEGY"),
    OldName("PORTUS_PUMA_WORKERS", "PORTUS_WORKERS"),
    OldName("PORTUS_PUMA_MAX_THREADS", "PORTUS_THREADS"),
)
