"""``python -m cli`` and, where the project is installed, ``portus``."""

import sys

import click

from cli.preflight import CannotStart
from cli.up import run_stack
from shared.commands import run


@click.group()
def commands() -> None:
    """Portus: guards a Docker registry and shows what is in it."""


@commands.command()
def up() -> None:
    """Run everything on this machine: a registry, the four services and their workers.

    Data are kept in PORTUS_DATA_DIR (.portus); every port can be moved by its variable. See
    docs/operations.md.
    """
    try:
        run_stack()
    # An OSError here is about a file in the data folder, and names it.
    except (CannotStart, OSError) as fault:
        click.echo(f"portus up: {fault}", err=True)
        sys.exit(1)


def main() -> None:
    """Run the command line."""
    run(commands)


if __name__ == "__main__":
    main()
