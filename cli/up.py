"""`portus up`: from nothing to a running Portus with a registry, on one machine."""

import os
import shutil
from pathlib import Path

import click

import cli
from cli.plan import make_plan
from cli.preflight import check_ports, claimed_folder, find_registry_program
from cli.secret_files import find_secret
from cli.settings import UpSettings, load_up_settings
from cli.supervise import Stopped, StopSignals, Supervisor

_ROOT = Path(cli.__file__).parents[1]
"""Where the packages `services` and `shared` lie."""

_MADE_ADMINISTRATOR = "made the administrator"
"""What `ensure-admin` says when it did; otherwise somebody else's password is valid."""


def run_stack() -> None:
    """Run the stack in the foreground until a signal ends it.

    Raises:
        SettingsError: a variable is wrong.
        CannotStart: it cannot be started; nothing is left running.
    """
    signals = StopSignals()
    signals.install()
    # What is made from here on is for its owner only, whatever the mode of the folder that holds it.
    os.umask(0o077)
    settings = load_up_settings()
    with claimed_folder(settings.data_dir):
        registry_program = find_registry_program()
        check_ports(settings.bind, settings.ports)
        kept_password = find_secret(settings.admin_password_file)
        plan = make_plan(settings, registry_program, os.environ)
        logs = settings.data_dir / "logs"
        logs.mkdir(exist_ok=True)
        _empty_run_dir(settings.run_dir)
        supervisor = Supervisor(signals, logs=logs, environment=plan.environment, folder=_ROOT)
        try:
            said = supervisor.run_to_end(plan.setup)
            for programs in plan.waves:
                supervisor.run_until_ready(programs)
            if kept_password is None:
                _hand_over_password(settings, is_used=_MADE_ADMINISTRATOR in said)
            _announce(settings)
            supervisor.watch()
        except Stopped:
            click.echo("Stopped before it was ready.")
        finally:
            supervisor.stop()


def _empty_run_dir(folder: Path) -> None:
    # Only what is ours by its name: the data folder may be one that others use too.
    for left_behind in folder.glob("portus-*"):
        shutil.rmtree(left_behind, ignore_errors=True)
    folder.mkdir(exist_ok=True)


def _announce(settings: UpSettings) -> None:
    password = settings.admin_password_file
    where = f" (password in {password})" if password.exists() else ""
    click.echo(
        f"Portus is ready: portal {settings.web_url}, registry {settings.registry_host}, "
        f"administrator {settings.admin_username}{where}\n"
        f"    tokens         {settings.auth_url}/v2/token\n"
        f"    catalog        {settings.catalog_url}/api/v1/repositories\n"
        f"    notifications  {settings.notifier_url}/v2/webhooks/events"
    )


def _hand_over_password(settings: UpSettings, *, is_used: bool) -> None:
    """Show the password that was made up just now, or forget it if there was an administrator already."""
    password = find_secret(settings.admin_password_file)
    if password is None:
        return
    if is_used:
        click.echo(f"The administrator's password, shown this once: {password.reveal()}")
    else:
        settings.admin_password_file.unlink()
