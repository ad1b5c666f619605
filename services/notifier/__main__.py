"""``python -m services.notifier <command>``."""

import json
import sys

import click

from services.notifier.app import prepare_spool
from services.notifier.settings import Settings, load_settings
from services.notifier.storage.schema import migrations
from services.notifier.worker import run_worker
from services.notifier.wsgi import build_app
from shared.api.serving import serve as serve_app
from shared.commands import run, until_stopped
from shared.database import Database
from shared.messaging.commands import run_topology_command
from shared.observability.logs import configure_logging


@click.group(chain=True)
def commands() -> None:
    """What just happened in the registry? Several commands run one after the other."""


@commands.command()
def serve() -> None:
    """Answer requests until told to stop."""
    settings = _settings()
    prepare_spool(settings)
    serve_app(build_app, settings.serving)


@commands.command()
def worker() -> None:
    """Empty the spool and keep quarantined events, until told to stop."""
    settings = _settings()
    until_stopped(lambda stop: run_worker(settings, stop))


@commands.command()
def migrate() -> None:
    """Bring the database to the schema that this code needs."""
    schema = migrations(Database(_settings().database_url.reveal()))
    schema.upgrade()
    click.echo(f"notifier: the database is at revision {schema.current()}")


@commands.command()
def topology() -> None:
    """Declare the broker's exchanges, queues and bindings, and the spool."""
    settings = _settings()
    prepare_spool(settings)
    run_topology_command("notifier", settings.broker_url)


@commands.command()
def check() -> None:
    """Read the settings and put the service together; start nothing."""
    build_app()
    click.echo("notifier: the settings are in order")


@commands.command()
def openapi() -> None:
    """Print the API's OpenAPI document."""
    json.dump(build_app().extensions["portus.openapi"].spec.to_dict(), sys.stdout, indent=2)


def _settings() -> Settings:
    settings = load_settings()
    configure_logging("notifier", level=settings.log_level)
    return settings


if __name__ == "__main__":
    run(commands)
