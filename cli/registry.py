"""The configuration of the one-machine stack's registry (distribution 2.8 and 3.x).

Source: distribution "Configuring a registry".
"""

import json
from typing import Any

from cli.settings import UpSettings
from shared.config import Secret


def dump_registry_configuration(settings: UpSettings, *, notifications_secret: Secret, http_secret: Secret) -> str:
    """Return the registry's configuration file.

    Args:
        settings: addresses, folders and names.
        notifications_secret: what it sends to ``notifier``.
        http_secret: signs the state of uploads.
    """
    configuration = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(settings.data_dir / "registry")},
            # That the registry can delete at all; who may is decided by `auth`.
            "delete": {"enabled": True},
        },
        "http": {
            "addr": f"{settings.bind}:{settings.ports['registry']}",
            "secret": http_secret.reveal(),
            # When it is stopped it finishes the requests in flight, and reports what they did.
            "draintimeout": "5s",
        },
        "auth": {"token": _token(settings)},
        "notifications": {"endpoints": [_endpoint(settings, notifications_secret)]},
    }
    # JSON is YAML, and needs no library.
    return json.dumps(configuration, indent=2) + "\n"


def _token(settings: UpSettings) -> dict[str, Any]:
    return {
        "realm": f"{settings.auth_url}/v2/token",
        "service": settings.registry_service,
        "issuer": settings.issuer,
        "rootcertbundle": str(settings.ca_dir / "ca.crt"),
        # 3.x would also take HMAC; 2.8 does not know the key and passes over it. Both that `auth` can be
        # told to use, so that a change needs nothing here.
        "signingalgorithms": ["ES256", "RS256"],
    }


def _endpoint(settings: UpSettings, secret: Secret) -> dict[str, Any]:
    return {
        "name": "portus",
        "url": f"{settings.notifier_url}/v2/webhooks/events",
        "headers": {"Authorization": [f"Bearer {secret.reveal()}"]},
        "timeout": "5s",
        "threshold": 5,
        "backoff": "5s",
        # Events about layers are the bulk, and the manifest's event carries all that we need.
        "ignore": {"mediatypes": ["application/octet-stream"]},
    }
