"""``python -m services.auth <command>``."""

from functools import partial

import click

from services.auth.app import migrations_of, new_database
from services.auth.domain.actors import COMMAND_LINE
from services.auth.domain.errors import Invalid, NotFound
from services.auth.settings import Settings, load_administrator, load_settings
from services.auth.signing.authority import authority_fault, create_authority, load_authority
from services.auth.usecases.passwords import Passwords, new_hasher
from services.auth.usecases.people import NewPerson, ensure_administrator
from services.auth.usecases.verify_audit import verify_audit
from services.auth.worker import work
from services.auth.wsgi import build_app
from shared.api.serving import serve as serve_app
from shared.clock import utc_now
from shared.commands import run, until_stopped
from shared.config import SettingsError
from shared.database import Database
from shared.messaging.commands import run_topology_command
from shared.observability.logs import configure_logging


@click.group(chain=True)
def commands() -> None:
    """Who are you, and what may you do? Several commands run one after the other."""


@commands.command()
def serve() -> None:
    """Answer requests until told to stop."""
    settings = _settings()
    # Asked here, where it ends in one plain line; in gunicorn's workers it would be a traceback.
    load_authority(settings.ca_dir)
    serve_app(build_app, settings.serving)


@commands.command()
def worker() -> None:
    """Publish events, renew the signing leaf and tidy up, until told to stop."""
    until_stopped(partial(work, _settings()))


@commands.command()
def migrate() -> None:
    """Bring the database to the schema that this code needs."""
    migrations = migrations_of(new_database(_settings()))
    migrations.upgrade()
    click.echo(f"auth: the database is at revision {migrations.current()}")


@commands.command()
def check() -> None:
    """Read the settings and say what is still missing; start nothing."""
    settings = _settings()
    faults = (migrations_of(new_database(settings)).fault(), authority_fault(settings.ca_dir, now=utc_now()))
    for fault in filter(None, faults):
        click.echo(f"auth: not ready: {fault}")
    click.echo("auth: the settings are in order")


@commands.command("init-ca")
def init_ca() -> None:
    """Make the CA that the registry is to trust, unless there is one."""
    folder = _settings().ca_dir
    made = create_authority(folder, now=utc_now())
    click.echo(f"auth: {'made the CA' if made else 'the CA is there already'}: {folder / 'ca.crt'}")


@commands.command("ensure-admin")
def ensure_admin() -> None:
    """Make the first administrator from PORTUS_ADMIN_USERNAME and PORTUS_ADMIN_PASSWORD."""
    database, wanted = _prepared_database(), load_administrator()
    person = NewPerson(wanted.username, wanted.password, administrator=True)
    passwords = Passwords(new_hasher())
    try:
        user = ensure_administrator(COMMAND_LINE, person, database=database, clock=utc_now, passwords=passwords)
    except Invalid as fault:
        raise SettingsError("\n".join(_lines(fault))) from fault
    click.echo(f"auth: made the administrator {user.username}" if user else "auth: there are people already")


@commands.command("verify-audit")
@click.option("--partition", help="Only the entries of one month, like 2026-11.")
@click.option("--since-head", help="A hash that this command printed earlier: the chain must still hold it.")
def prove_audit(partition: str | None, since_head: str | None) -> None:
    """Prove that nobody has changed the audit trail; the status is 1 when somebody has."""
    database = _prepared_database()
    try:
        proof = verify_audit(partition=partition, since=since_head, database=database)
    except NotFound as fault:
        raise click.ClickException(f"auth: there is no partition {partition}") from fault
    click.echo(f"auth: {proof.entries} entries, head {proof.head}")
    if proof.broken:
        raise click.ClickException(f"auth: the audit trail is broken at {proof.broken}")
    if not proof.met:
        raise click.ClickException(f"auth: no entry of the audit trail has the hash {since_head}: it was rewritten")


@commands.command()
def topology() -> None:
    """Declare the queues that the services use."""
    run_topology_command("auth", _settings().broker_url)


def _settings() -> Settings:
    settings = load_settings()
    configure_logging("auth", level=settings.log_level)
    return settings


def _prepared_database() -> Database:
    database = new_database(_settings())
    if missing := migrations_of(database).fault():
        raise SettingsError(missing)
    return database


def _lines(fault: Invalid) -> list[str]:
    return [f"PORTUS_ADMIN_{name.upper()}: {' '.join(faults)}" for name, faults in fault.errors.items()]


if __name__ == "__main__":
    run(commands)
