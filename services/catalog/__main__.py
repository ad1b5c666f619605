"""``python -m services.catalog <command>``."""

import json
import sys
from threading import Event

import click

from services.catalog.settings import Settings, load_settings
from services.catalog.storage.schema import migrations
from services.catalog.usecases.registry import RegistryError
from services.catalog.usecases.rounds import list_orphans
from services.catalog.worker import crawl_now, run_worker
from services.catalog.wsgi import build_app
from shared.api.serving import serve as serve_app
from shared.commands import run, until_stopped
from shared.database import Database
from shared.messaging.commands import run_topology_command
from shared.observability.logs import configure_logging


@click.group()
def commands() -> None:
    """The catalogue: what is in the registry, and since when."""


@commands.command()
def serve() -> None:
    """Serve the API until told to stop."""
    serve_app(build_app, load_settings().serving)


@commands.command()
def worker() -> None:
    """Apply notifications, fetch manifests and crawl, until told to stop."""
    settings = _logging_settings()
    until_stopped(lambda stop: run_worker(settings, stop))


@commands.command()
def migrate() -> None:
    """Bring the database to the schema that this version needs."""
    settings = _logging_settings()
    migrations(Database(settings.database_url.reveal())).upgrade()


@commands.command()
def topology() -> None:
    """Declare the broker's exchanges, queues and bindings."""
    run_topology_command("catalog", _logging_settings().broker_url)


@commands.command()
@click.option("--light", is_flag=True, help="Only what has changed, and a share of all else, as rounds do.")
def crawl(light: bool) -> None:
    """Compare the index with the registry now, every tag of it, and put it right.

    Nothing is taken out of the index unless PORTUS_CRAWL_STRATEGY is update-delete.
    """
    settings = _logging_settings()
    until_stopped(lambda stop: _crawl(settings, stop, light=light))


@commands.command()
def orphans() -> None:
    """Print the namespaces that hold images and that nobody has made, one a line, for import-namespaces of auth.

    They are known once a crawl has come to its end; each line is to be ended with the team that takes it.
    """
    database = Database(_logging_settings().database_url.reveal())
    for name in list_orphans(database=database):
        click.echo(f"{name},")


@commands.command()
def check() -> None:
    """Read the settings and put the service together; start nothing."""
    build_app()
    click.echo("catalog: settings are in order")


@commands.command()
def openapi() -> None:
    """Print the API's OpenAPI document."""
    app = build_app()
    json.dump(app.extensions["portus.openapi"].spec.to_dict(), sys.stdout, indent=2)


def _logging_settings() -> Settings:
    settings = load_settings()
    configure_logging("catalog", level=settings.log_level)
    return settings


def _crawl(settings: Settings, stop: Event, *, light: bool) -> None:
    try:
        report = crawl_now(settings, stop, light=light)
    except RegistryError as fault:
        raise click.ClickException(str(fault)) from fault
    if report is None:
        raise click.ClickException("a worker is crawling already")
    click.echo(f"{report.repositories} repositories, {report.tags} tags, {report.failures} repositories not readable")
    click.echo(f"{report.drift} differences, {report.repaired} tags put right, {report.removed} let go of")
    if report.failures or not report.finished:
        raise SystemExit(1)


if __name__ == "__main__":
    run(commands)
