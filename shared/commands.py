"""The command line of a service's package: ``python -m services.<name> <command>``."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from threading import Event, Thread

import click
import structlog

from shared.config import SettingsError

Task = Callable[[Event], None]
"""Returns soon after the event that it is given has been set."""

log = structlog.get_logger(__name__)


def run(commands: click.Group) -> None:
    """Run a command line; a wrong environment ends in plain lines and status 2, not a traceback."""
    try:
        commands.main(standalone_mode=True)
    except SettingsError as fault:
        click.echo(f"The settings are not usable:\n{fault}", err=True)
        sys.exit(2)


def until_stopped(work: Task) -> None:
    """Run a worker until SIGTERM or SIGINT."""
    stop = Event()

    def handle(number: int, _frame: object) -> None:
        if stop.is_set():
            # A second signal means that someone is tired of waiting.
            os._exit(128 + number)
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    work(stop)


def run_tasks(tasks: Mapping[str, Task], stop: Event) -> None:
    """Run each task in a thread until all have ended; one that dies stops the others.

    Whoever supervises the process starts it again, which is better than a worker that does half its work.

    Raises:
        SystemExit: a task has died.
    """
    died: list[str] = []

    def run(name: str, task: Task) -> None:
        try:
            task(stop)
        except Exception:
            log.exception("worker.task_died", task=name)
            died.append(name)
            stop.set()

    threads = [Thread(target=run, args=item, name=item[0]) for item in tasks.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if died:
        raise SystemExit(1)
