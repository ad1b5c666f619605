"""For WSGI servers of one's own: ``gunicorn 'services.notifier.wsgi:build_app()'``."""

from flask import Flask

from services.notifier.app import create_app
from services.notifier.settings import load_settings
from shared.database import Database
from shared.observability.logs import configure_logging


def build_app() -> Flask:
    """Build the service from the environment.

    Raises:
        SettingsError: the environment does not describe a runnable notifier.
    """
    settings = load_settings()
    configure_logging("notifier", level=settings.log_level)
    return create_app(settings, Database(settings.database_url.reveal(), pool_size=settings.serving.threads))
