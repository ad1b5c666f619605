"""The command line of a service's package: ``python -m services.<name> <command>``."""

import os
import signal
import sys
from collections.abc import Callable
from threading import Event

import click

from shared.config import SettingsError


def run(commands: click.Group) -> None:
    """Run a command line; a wrong environment ends in plain lines and status 2, not a traceback."""
    try:
        commands.main(standalone_mode=True)
    except SettingsError as fault:
        click.echo(f"The settings are not usable:\n{fault}", err=True)
        sys.exit(2)


def until_stopped(work: Callable[[Event], None]) -> None:
    """Run a worker until SIGTERM or SIGINT.

    Args:
        work: returns soon after the event that it is given has been set.
    """
    stop = Event()

    def handle(number: int, _frame: object) -> None:
        if stop.is_set():
            # A second signal means that someone is tired of waiting.
            os._exit(128 + number)
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    work(stop)
