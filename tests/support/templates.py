"""Databases that are migrated already: migrating takes longer than most tests."""

import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from sqlalchemy import URL, make_url

from shared.database import Database, Migrations
from tests.support.postgresql import create_database, drop_database, is_empty
from tests.support.shared_servers import RUN_VARIABLE

MigrationsOf = Callable[[Database], Migrations]


def start_migrated(database_url: str, migrations: MigrationsOf) -> None:
    """Let an empty database begin as a copy of one that was migrated; one that holds anything stays as it is.

    Args:
        database_url: of a file that need not be there, or of a database that nobody is connected to.
        migrations: of the service.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        _copy_file(url, migrations)
    else:
        _copy_database(url, migrations)


def _copy_file(url: URL, migrations: MigrationsOf) -> None:
    if url.database and not Path(url.database).exists():
        shutil.copyfile(_file(migrations), url.database)


def _copy_database(url: URL, migrations: MigrationsOf) -> None:
    if not is_empty(url.render_as_string(hide_password=False)):
        return
    maintenance_url = _maintenance_url(url)
    drop_database(maintenance_url, url.render_as_string())
    create_database(maintenance_url, name=url.database, template=template_of(maintenance_url, migrations))


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


def _maintenance_url(url: URL) -> str:
    return url.set(database="postgres").render_as_string(hide_password=False)
