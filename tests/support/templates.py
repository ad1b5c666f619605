"""Databases that are migrated already: migrating takes longer than most tests."""

import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from sqlalchemy import make_url

from shared.database import Database, Migrations
from tests.support.postgresql import create_database
from tests.support.shared_servers import RUN_VARIABLE

MigrationsOf = Callable[[Database], Migrations]


def start_migrated(database_url: str, migrations: MigrationsOf) -> None:
    """Let SQLite begin with a copy of a file that was migrated; one that is there stays as it is.

    On PostgreSQL a database is made from a template, see :func:`template_of`, or migrated by whoever opens it.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        shutil.copyfile(_file(migrations), url.database)


@cache
def _file(migrations: MigrationsOf) -> Path:
    """Migrate a file, once for each process of the test run."""
    path = Path(tempfile.mkdtemp(prefix="template-", dir=os.environ[RUN_VARIABLE])) / "template.db"
    _migrate(f"sqlite:///{path}", migrations)
    return path


@cache
def template_of(maintenance_url: str, migrations: MigrationsOf | None) -> str:
    """Return the name of a migrated database, made once for each process of the test run; ``None``: of an empty one."""
    if migrations is None:
        return "template0"
    url = create_database(maintenance_url)
    _migrate(url, migrations)
    return url.rpartition("/")[2]


def _migrate(url: str, migrations: MigrationsOf) -> None:
    database = Database(url)
    migrations(database).upgrade()
    # A template must have no connection; and closing the last one puts SQLite's write-ahead log into the file.
    database.dispose()
