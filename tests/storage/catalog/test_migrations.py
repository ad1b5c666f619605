"""The migrations and the tables say the same."""

from datetime import UTC, datetime

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from services.catalog.domain.history import Kind
from services.catalog.storage.contents import list_manifests_of
from services.catalog.storage.pending import take_due
from services.catalog.storage.schema import metadata, migrations
from services.catalog.storage.tag_history import list_writes_of
from shared.clock import utc_now
from shared.database import Database
from shared.oci.names import RepositoryName, Tag
from tests.support.catalog import NOON, digest_of


def test_the_migrations_end_in_the_schema_of_the_code(database: Database) -> None:
    with database.write() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, metadata) == []


def test_migrating_again_does_nothing(database: Database) -> None:
    migrations(database).upgrade()

    assert migrations(database).fault() is None


def test_a_database_that_was_not_migrated_is_not_ready(database_url: str) -> None:
    fault = migrations(Database(database_url)).fault()

    assert fault
    assert "migrate" in fault


FIRST_INDEX = [
    "INSERT INTO repositories VALUES (1, 'team/app', 'team', 2, 0, 0, :noon, :noon)",
    "INSERT INTO tags VALUES (1, 1, '1.0', :digest, true, :noon, 'event', :noon, 'jane', :noon)",
    "INSERT INTO tags VALUES (2, 1, 'latest', :digest, true, :noon, 'event', :noon, 'jane', :noon)",
    "INSERT INTO tags VALUES (3, 1, 'gone', :gone, false, :noon, 'event', :noon, 'jane', :noon)",
    "INSERT INTO manifests (digest, readable, body) VALUES (:digest, true, :body)",
]


def test_an_index_of_the_first_version_is_read_again(database_url: str) -> None:
    """What lies in the repositories is taken over, and each manifest is fetched once more for what it is made of."""
    database = Database(database_url)
    migrations(database).upgrade("0001")
    known = {"noon": NOON.replace(tzinfo=None) if database.is_sqlite else NOON, "body": b"{}"}
    with database.write() as connection:
        for statement in FIRST_INDEX:
            connection.execute(text(statement), known | {"digest": digest_of("app"), "gone": digest_of("gone")})

    migrations(database).upgrade()

    with database.write() as connection:
        assert list_manifests_of(connection, RepositoryName("team/app")) == [digest_of("app")]
        due = take_due(connection, now=utc_now(), limit=10)
        assert [one.kind for one in list_writes_of(connection, 1, Tag("1.0"))] == [Kind.PUSHED]
    assert [one.key for one in due] == [("team/app", digest_of("app"))]
    assert due[0].attempts.since.date() == datetime.now(UTC).date()
