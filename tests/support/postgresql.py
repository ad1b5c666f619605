"""A private PostgreSQL cluster: own data folder, own port, no fsync."""

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.parts import require_program
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.waiting import wait_until

_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "unix_socket_directories": "",
}


class PostgresqlCluster:
    """A cluster in a folder, run as an unprivileged user when we are root.

    Args:
        folder: made and owned by it; its parents must let others pass.
    """

    def __init__(self, folder: Path) -> None:
        self._programs = find_programs()
        self._folder = folder
        self._port = free_port()
        self._process: Process | None = None

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of the maintenance database."""
        return f"postgresql+psycopg://portus@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Make the cluster at the first start, run it, and wait until it answers."""
        user = _unprivileged_user()
        if not self._folder.exists():
            self._folder.mkdir(parents=True)
            if user:
                shutil.chown(self._folder, user, user)
            initdb = [
                str(self._programs / "initdb"),
                "-D",
                str(self._data),
                "-U",
                "portus",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "-N",
            ]
            subprocess.run(
                [*initdb, "--locale=C.UTF-8"], check=True, capture_output=True, user=user, group=user, cwd="/"
            )
        options = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self._port), *options]
        self._process = Process(command, log=self._folder / "log", user=user, folder=Path("/"))
        wait_until(self._answers, what="PostgreSQL answers")

    def stop(self) -> None:
        """End it at once: the data are not wanted any more."""
        if self._process:
            self._process.stop(signal.SIGQUIT)

    @classmethod
    @contextmanager
    def temporary(cls) -> Iterator["PostgresqlCluster"]:
        """A started cluster of one's own, to be stopped and frozen; removed in the end."""
        folder = Path(tempfile.mkdtemp(prefix="portus-postgresql-"))
        # It belongs to another user, who must be able to pass.
        folder.chmod(0o711)
        cluster = cls(folder / "cluster")
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """Of the postmaster."""
        assert self._process
        return self._process.pid

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _answers(self) -> bool:
        try:
            psycopg.connect(_plain(self.url), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def find_programs() -> Path:
    """Return the folder of PostgreSQL's programs, which need not be on the PATH."""
    return Path(require_program("initdb", package="postgresql", folders=_FOLDERS)).resolve().parent


def create_database(maintenance_url: str, *, template: str = "template0") -> str:
    """Create a database with a name of its own and return its URL.

    Args:
        template: what it begins with a copy of; nothing, unless something is given.
    """
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(_plain(maintenance_url), autocommit=True) as connection:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
    return f"{maintenance_url.rpartition('/')[0]}/{name}"


def drop_database(maintenance_url: str, url: str) -> None:
    """Drop a database, whoever is still connected."""
    name = url.rpartition("/")[2]
    with psycopg.connect(_plain(maintenance_url), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


def _unprivileged_user() -> str | None:
    return "postgres" if os.getuid() == 0 else None
