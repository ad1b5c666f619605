"""``python -m services.auth <command>``."""

import json
import os
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import IO

import click
import structlog

from services.auth.app import migrations_of, new_database, new_keyring
from services.auth.domain.actors import COMMAND_LINE
from services.auth.domain.errors import Invalid, NotFound
from services.auth.settings import Settings, load_administrator, load_settings, unknown_variables
from services.auth.signing.authority import authority_fault, load_valid_authority, read_files
from services.auth.signing.keyring import Keyring
from services.auth.signing.leaves import key_set
from services.auth.signing.minting import EVERY_LEAF, Rotation, RotationRefused
from services.auth.signing.new_authority import create_authority
from services.auth.signing.watched_authority import WatchedAuthority
from services.auth.usecases.import_namespaces import (
    Planned,
    PlanRefused,
    Step,
    carry_out_import,
    plan_import,
    read_plan,
)
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
from shared.old_names import WITHOUT_COUNTERPART

log = structlog.get_logger(__name__)


@click.group(chain=True)
def commands() -> None:
    """Who are you, and what may you do? Several commands run one after the other."""


@commands.command()
def serve() -> None:
    """Answer requests until told to stop."""
    settings = _settings()
    # Asked here, where it ends in one plain line; in gunicorn's workers it would be a traceback.
    load_valid_authority(settings.ca_dir, now=utc_now())
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
    path = read_files(folder).certificate_path
    click.echo(f"auth: {'made the CA' if made else 'the CA is there already'}: {path}")


@commands.command("rotate-keys")
@click.option("--now", "at_once", is_flag=True, help="Let it sign as soon as a process has read it.")
@click.option(
    "--revoke", metavar=f"KID|{EVERY_LEAF}", multiple=True, help="A leaf that must not be used again; implies --now."
)
def rotate_keys(at_once: bool, revoke: tuple[str, ...]) -> None:
    """Make a new key to sign tokens with; the registry needs no restart."""
    keyring = _keyring()
    try:
        rotation = keyring.rotate(COMMAND_LINE, at_once=at_once, revoke=revoke)
    except RotationRefused as fault:
        raise click.ClickException(str(fault)) from fault
    for line in _describe(rotation, at_once=at_once or bool(revoke)):
        click.echo(f"auth: {line}")


@commands.command()
def jwks() -> None:
    """Print the public keys that tokens are verified with, as a JSON Web Key Set."""
    click.echo(json.dumps(key_set(_keyring().leaves()), indent=2))


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


@commands.command("import-namespaces")
@click.argument("plan", type=click.File("r", encoding="utf-8"))
@click.option("--apply", is_flag=True, help="Do it; else it is only shown what would be done.")
def import_namespaces(plan: IO[str], apply: bool) -> None:
    """Make the namespaces of a file of lines "namespace,team", for images that were there before Portus."""
    database = _prepared_database()
    try:
        entries = read_plan(plan)
        if apply:
            planned = carry_out_import(COMMAND_LINE, entries, database=database, clock=utc_now)
        else:
            planned = plan_import(COMMAND_LINE, entries, database=database)
    except PlanRefused as refusal:
        _show_plan(refusal.planned)
        raise click.ClickException(f"auth: {refusal}") from refusal
    except ValueError as fault:
        raise click.ClickException(f"auth: {fault}") from fault
    _show_plan(planned)
    made = sum(one.step is Step.MAKE for one in planned)
    click.echo(f"auth: {'made' if apply else 'would make'} {made} namespaces{'' if apply else '; --apply does it'}")


def _show_plan(planned: Sequence[Planned]) -> None:
    for one in planned:
        fault = f": {one.fault}" if one.fault else ""
        click.echo(f"{one.step:5} {one.entry.namespace} -> {one.entry.team}{fault}")


@commands.command()
def topology() -> None:
    """Declare the queues that the services use."""
    run_topology_command("auth", _settings().broker_url)


def _keyring() -> Keyring:
    settings, database = _settings(), _prepared_database()
    return new_keyring(settings, WatchedAuthority(settings.ca_dir, clock=utc_now), database=database, clock=utc_now)


def _describe(rotation: Rotation, *, at_once: bool) -> list[str]:
    when = "every process signs with it within a minute" if at_once else f"it signs from {_time(rotation.signs_at)} on"
    return [
        f"minted leaf {rotation.minted}; {when}",
        *(
            f"revoked leaf {leaf.kid}; registries trust it until it expires, {_time(leaf.expires_at)}"
            for leaf in rotation.revoked
        ),
    ]


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _settings() -> Settings:
    settings = load_settings()
    configure_logging("auth", level=settings.log_level)
    for name in sorted(WITHOUT_COUNTERPART.keys() & os.environ.keys()):
        log.warning("settings.old_variable", variable=name, why=WITHOUT_COUNTERPART[name])
    for name, nearest in unknown_variables(settings):
        log.warning("settings.unknown_variable", variable=name, nearest=nearest)
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
