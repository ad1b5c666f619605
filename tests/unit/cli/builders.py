"""Settings of a one-machine stack, of which a test names only what matters to it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from cli.settings import DEFAULT_PORTS, UpSettings


def make_up_settings(data_dir: Path, **changes: Any) -> UpSettings:
    """Return the settings of an empty environment, with changes."""
    settings = UpSettings(
        data_dir=data_dir,
        bind="127.0.0.1",
        ports=DEFAULT_PORTS,
        auth_url="http://localhost:8081",
        notifier_url="http://localhost:8083",
        registry_host="localhost:5000",
        web_url="http://localhost:8080",
        catalog_url="http://localhost:8082",
        registry_service="portus-registry",
        issuer="portus",
        ca_dir=data_dir / "ca",
        admin_username="admin",
        admin_password=None,
        notifications_secret=None,
    )
    return replace(settings, **changes)
