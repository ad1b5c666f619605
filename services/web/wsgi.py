"""For WSGI servers of one's own: ``gunicorn 'services.web.wsgi:build_app()'``."""

from flask import Flask

from services.web.app import create_app
from services.web.settings import load_settings
from shared.observability.logs import configure_logging


def build_app() -> Flask:
    """Build the portal from the environment.

    Raises:
        SettingsError: the environment does not describe a runnable portal.
    """
    settings = load_settings()
    configure_logging("web", level=settings.log_level)
    return create_app(settings)
