"""Variables of SUSE Portus whose meaning is the same as one of ours; docs/operations.md lists them.

Variables that have kept their name are not here (``PORTUS_DELETE_ENABLED``, ``PORTUS_DELETE_CONTRIBUTORS``,
``PORTUS_LOG_LEVEL``).

Source: Portus 2.5, config/config.yml.
"""

from shared.environment import OldName


def _seconds(minutes: str) -> str:
    if not (minutes.isascii() and minutes.isdigit()):
        raise ValueError("Must be a whole number of minutes.")
    return str(int(minutes) * 60)


OLD_NAMES = (
    OldName("PORTUS_REGISTRY_JWT_EXPIRATION_TIME_VALUE", "PORTUS_TOKEN_TTL_S", _seconds),
    OldName("PORTUS_MACHINE_FQDN_VALUE", "PORTUS_ISSUER"),
    OldName("PORTUS_FIRST_USER_ADMIN_ENABLED", "PORTUS_FIRST_USER_ADMIN"),
    OldName("PORTUS_USER_PERMISSION_PUSH_IMAGES_POLICY", "PORTUS_PUSH_POLICY"),
    OldName("PORTUS_PASSWORD", "PORTUS_SERVICE_ACCOUNT_SECRET"),
)
