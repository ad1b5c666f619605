"""One database per service: PostgreSQL in production, SQLite on one machine.

Owns how an engine is opened, how a transaction begins, how a schema is migrated, and nothing about
what is stored. Writers on SQLite begin IMMEDIATE: with Python's default transactions concurrent
read-modify-write loses updates without any error.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, DateTime, Engine, MetaData, create_engine, event, text
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.url import make_url
from sqlalchemy.exc import IntegrityError, InterfaceError, InvalidatePoolError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from shared.hanging import Breaker, is_hang, limit_patience

DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeoutError)
"""How SQLAlchemy says that a database does not answer."""

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Alembic's batch mode on SQLite can only alter constraints that have a name."""

BUSY_TIMEOUT_S = 10
"""How long a SQLite connection waits for another process's write transaction."""

REST_S = 1.0
"""A reading connection to PostgreSQL that was not used for as long is tested before its use."""

_RESTING_SINCE = "portus.resting_since_s"


def new_metadata() -> MetaData:
    """Return an empty ``MetaData`` whose constraints are all named."""
    return MetaData(naming_convention=NAMING_CONVENTION)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite has no time zones, so they are put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """The engine of one service and the two ways to use it.

    Args:
        url: ``sqlite:////absolute/path.db`` or ``postgresql+psycopg://user:password@host/name``.
        pool_size: connections per process for reading, and as many for writing (PostgreSQL only).
        patience_s: PostgreSQL only; how long a connection for reading waits for an answer before the
            server is taken for hanging; ``None``: for ever.
        custom_plans: PostgreSQL only; plan every read for its own values. After ten runs the server would
            take one plan for all values, which for a question of a small repository is another than for
            one of ten thousand tags (0.1 s became 3 s). Not for one short statement asked all the time.
        durable: SQLite only; ``True`` syncs every commit to disk (queues and spools), ``False``
            may lose the last commits on a power cut but never on a crash of the process.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 8,
        patience_s: float | None = None,
        custom_plans: bool = False,
        durable: bool = False,
    ) -> None:
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self._writer = _sqlite_engine(url, durable=durable) if self.is_sqlite else _postgresql_engine(url, pool_size)
        self._reader = (
            self._writer.execution_options(begin="DEFERRED")
            if self.is_sqlite
            else _reading_engine(url, pool_size, patience_s, custom_plans=custom_plans)
        )
        self._breaker = Breaker()
        self._together = threading.local()

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations and tests."""
        return self._writer

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a connection for reading; nothing written through it may be relied on.

        Raises:
            OperationalError: the server does not answer, or was found hanging a moment ago.
        """
        joined = self._joined
        if joined is not None:
            yield joined
            return
        self._breaker.check()
        hangs = False
        try:
            with self._reader.connect() as connection:
                yield connection
        except OperationalError as fault:
            hangs = is_hang(fault)
            raise
        finally:
            self._breaker.settle(hangs=hangs)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Open a connection for reading whose statements all see the database of one moment."""
        if self.is_sqlite:
            with self.read() as connection:
                yield connection
            return
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._writer.connect().execution_options(**options) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open one write transaction: committed at the end, rolled back by an exception."""
        joined = self._joined
        if joined is not None:
            # What fails within is undone, even where somebody further out goes on.
            with joined.begin_nested():
                yield joined
            return
        with self._writer.begin() as connection:
            yield connection

    @contextmanager
    def migrate(self) -> Iterator[Connection]:
        """Open one transaction that may change the schema; one process at a time.

        Raises:
            IntegrityError: a row would refer to one that is not there (SQLite).
        """
        if self.is_sqlite:
            with _without_foreign_keys(self._writer) as connection:
                yield connection
            return
        with self.write() as connection:
            # Several replicas may run this at once; the second waits and then finds nothing to do.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('portus.migrate'))"))
            yield connection

    @property
    def _joined(self) -> Connection | None:
        return getattr(self._together, "connection", None)

    @contextmanager
    def together(self) -> Iterator[Connection]:
        """Open one write transaction that every ``read`` and ``write`` of this thread joins until it ends.

        For what must be kept together with the work of a use case that knows nothing of it.
        """
        with self._writer.begin() as connection:
            self._together.connection = connection
            try:
                yield connection
            finally:
                self._together.connection = None

    def ping(self) -> None:
        """Ask the database for its pulse.

        Raises:
            SQLAlchemyError: it does not answer.
        """
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def dispose(self) -> None:
        """Close every pooled connection (after a fork, or at the end of a test)."""
        self._writer.dispose()
        self._reader.dispose()


def _postgresql_engine(url: str, pool_size: int, **options: Any) -> Engine:
    settings: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_timeout": 5,
        # One extra round trip per checkout: without it the first request of every pooled
        # connection fails after the server has restarted.
        "pool_pre_ping": True,
        "connect_args": {"connect_timeout": 5},
    }
    return create_engine(url, **(settings | options))


def _reading_engine(url: str, pool_size: int, patience_s: float | None, *, custom_plans: bool) -> Engine:
    # A lone SELECT needs neither BEGIN nor ROLLBACK, and nothing to be put back afterwards. An
    # option on the writing engine would switch every connection to and fro, at a quarter of the
    # read's whole cost. Connections are only opened when they are needed.
    engine = _postgresql_engine(
        url, pool_size, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, pool_pre_ping=False
    )
    _ping_after_rest(engine)
    if custom_plans:
        _plan_each(engine)
    if patience_s is not None:
        limit_patience(engine, patience_s)
    return engine


def _plan_each(engine: Engine) -> None:
    # Source: PostgreSQL, "PREPARE", on generic and custom plans.
    @event.listens_for(engine, "connect")
    def choose(connection: Any, _record: object) -> None:
        connection.autocommit = True
        connection.execute("SET plan_cache_mode = force_custom_plan")


def _ping_after_rest(engine: Engine) -> None:
    """Test a pooled connection before its use, like ``pool_pre_ping``, but only one that has rested.

    Under load every read would pay for a second round trip otherwise; and one that fails after
    less than a rest was in use when the server went away, as far as anybody can tell.

    Source: SQLAlchemy, "Custom / Legacy Pessimistic Ping".
    """

    @event.listens_for(engine, "checkin")
    def rest(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info[_RESTING_SINCE] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def check(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        since_s = record.info.get(_RESTING_SINCE)
        if since_s is None or time.monotonic() - since_s < REST_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as fault:
            # The pool drops all its connections and tries again with a new one.
            raise InvalidatePoolError from fault


def _sqlite_engine(url: str, *, durable: bool) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # isolation_level=None leaves BEGIN to us (below); the driver's own is DEFERRED and late.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("begin", "IMMEDIATE")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


@contextmanager
def _without_foreign_keys(engine: Engine) -> Iterator[Connection]:
    """Open a transaction in which tables may be made anew under the foot of those that refer to them.

    Source: SQLite, "Making Other Kinds Of Table Schema Changes".
    """
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        # Outside of the transaction: inside one the pragma does nothing.
        raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                if broken:
                    raise IntegrityError(f"a row of {broken[0]} refers to nothing", None, ValueError(str(broken)))
        finally:
            raw.execute("PRAGMA foreign_keys=ON")


class Migrations:
    """The schema history of one service, configured in code.

    Args:
        database: the service's own database.
        folder: the package folder ``storage/migrations`` (``env.py`` and ``versions/``).
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._config = Config()
        self._config.set_main_option("script_location", str(folder))
        self._config.set_main_option("path_separator", "os")

    def upgrade(self, revision: str = "head") -> None:
        """Bring the schema to a revision; does nothing when it is there already."""
        with self._database.migrate() as connection:
            self._config.attributes["connection"] = connection
            command.upgrade(self._config, revision)

    def downgrade(self, revision: str) -> None:
        """Bring the schema back to an earlier revision."""
        with self._database.migrate() as connection:
            self._config.attributes["connection"] = connection
            command.downgrade(self._config, revision)

    def current(self) -> str | None:
        """Return the revision that the database stands at."""
        with self._database.read() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def head(self) -> str | None:
        """Return the revision that this code needs."""
        return ScriptDirectory.from_config(self._config).get_current_head()

    def fault(self) -> str | None:
        """Return why the database cannot be used yet, or ``None``: a readiness check."""
        try:
            current, head = self.current(), self.head()
        except SQLAlchemyError as fault:
            return f"database does not answer: {type(fault).__name__}"
        return None if current == head else f"database is at revision {current}, this code needs {head}: run 'migrate'"


def run_migration_environment(config: Config, metadata: MetaData) -> None:
    """Be a service's ``migrations/env.py``: run the scripts on the connection we were given."""
    from alembic import context

    connection = config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()
