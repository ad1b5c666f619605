"""For WSGI servers of one's own: ``gunicorn 'services.auth.wsgi:build_app()'``."""

from flask import Flask

from services.auth.app import create_app
from services.auth.settings import load_settings
from shared.observability.logs import configure_logging


def build_app() -> Flask:
    """Build the service from the environment.

    Raises:
        SettingsError: the environment does not describe a runnable service.
    """
    settings = load_settings()
    configure_logging("auth", level=settings.log_level)
    return create_app(settings)
