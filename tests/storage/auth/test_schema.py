"""The migrations make what the tables say, on both databases."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, select
from sqlalchemy.exc import IntegrityError

from services.auth.app import migrations_of
from services.auth.storage.decision_parts import DEFAULT_PART
from services.auth.storage.tables import metadata, namespaces, teams
from shared.database import Database
from tests.support.auth import AuthService


def test_the_migrations_make_the_tables_of_the_code(auth: AuthService) -> None:
    with auth.database.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": lambda name, *_: name != DEFAULT_PART}
        )

        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(auth: AuthService) -> None:
    migrations_of(auth.database).upgrade()

    assert migrations_of(auth.database).fault() is None


def test_the_way_back_leaves_nothing(database_url: str) -> None:
    database = Database(database_url)
    migrations = migrations_of(database)
    migrations.upgrade()
    migrations.downgrade("base")

    assert inspect(database.engine).get_table_names() == ["alembic_version"]
    database.dispose()


def test_the_global_namespace_is_there_from_the_beginning(auth: AuthService) -> None:
    with auth.database.read() as connection:
        row = connection.execute(select(namespaces, teams.c.hidden).join(teams)).one()

    assert (row.name, row.visibility, row.hidden) == ("", "public", True)


def test_an_unknown_visibility_cannot_be_stored(auth: AuthService) -> None:
    with pytest.raises(IntegrityError), auth.database.write() as connection:
        connection.execute(namespaces.update().values(visibility="secret"))
