"""For WSGI servers of one's own: ``gunicorn 'services.catalog.wsgi:build_app()'``."""

from flask import Flask

from services.catalog.app import create_app, new_database
from services.catalog.settings import load_settings
from shared.observability.logs import configure_logging


def build_app() -> Flask:
    """Build the API from the environment.

    Raises:
        SettingsError: the environment does not describe a runnable catalogue.
    """
    settings = load_settings()
    configure_logging("catalog", level=settings.log_level)
    return create_app(settings, new_database(settings))
