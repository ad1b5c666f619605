"""The migrations make what the tables say, on both databases."""

from datetime import UTC, datetime
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Table, inspect, select, text
from sqlalchemy.exc import IntegrityError

from services.auth.app import migrations_of
from services.auth.storage.decision_parts import DEFAULT_PART
from services.auth.storage.tables import grants, metadata, namespaces, registries, robots, teams
from shared.database import Database
from tests.support.auth import AuthService

TIMES = dict.fromkeys(("created_at", "updated_at"), datetime(2026, 11, 1, tzinfo=UTC))
NAMESPACE = {"registry_id": 1, "team_id": 1, "description": "", "visibility": "private", **TIMES}
ROBOT = {
    **{"username": "robot+ci", "name": "ci", "description": "", "enabled": True, "created_by": "jane"},
    **{"allowed_addresses": ["10.0.0.0/8"], **TIMES},
}
GRANT = {
    **{"pattern": "*", "actions": "pull", "reason": "", "from_administrator": False, "created_by": "jane"},
    **TIMES,
}


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


def test_an_id_is_given_once(auth: AuthService) -> None:
    """Webhooks, records and addresses of pages remember the id of what is gone."""
    with auth.database.write() as connection:
        first = add(connection, namespaces, **NAMESPACE, name="first")
        connection.execute(namespaces.delete().where(namespaces.c.id == first))
        second = add(connection, namespaces, **NAMESPACE, name="second")

    assert second > first


def test_so_it_is_in_every_table_that_numbers_its_rows(auth: AuthService) -> None:
    numbered = {table.name for table in metadata.sorted_tables if table.autoincrement_column is not None}
    if auth.database.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL gives no number of a sequence twice")

    with auth.database.read() as connection:
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        made = {row.name: row.sql for row in rows}

    assert {"namespaces", "users", "refresh_tokens"} <= numbered
    assert {name for name in numbered - {"outbox"} if "AUTOINCREMENT" not in made[name]} == set()


def test_tables_that_are_made_anew_keep_what_is_in_them(database_url: str) -> None:
    database = Database(database_url)
    migrations = migrations_of(database)
    migrations.upgrade("0006")
    with database.write() as connection:
        team = add(connection, teams, name="team", description="", hidden=False, **TIMES)
        namespace = add(connection, namespaces, **{**NAMESPACE, "team_id": team}, name="team")
        robot = add(connection, robots, **ROBOT, namespace_id=namespace)
        add(connection, grants, **GRANT, namespace_id=namespace, robot_id=robot)
    before = schema_of(database), rows_of(database)

    migrations.upgrade()

    assert (schema_of(database), rows_of(database)) == before
    with database.write() as connection:
        assert add(connection, namespaces, **NAMESPACE, name="next") > namespace
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(teams.delete().where(teams.c.id == team))
    with database.write() as connection:
        connection.execute(namespaces.delete().where(namespaces.c.id == namespace))
    assert (rows_of(database)["robots"], rows_of(database)["grants"]) == ([], []), "they go with their namespace"
    database.dispose()


def add(connection: Connection, table: Table, **values: object) -> int:
    return int(connection.execute(table.insert().values(values).returning(table.c.id)).scalar_one())


def rows_of(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.read() as connection:
        return {
            table.name: sorted(tuple(row) for row in connection.execute(select(table)))
            for table in (teams, registries, namespaces, robots, grants)
        }


def schema_of(database: Database) -> dict[str, Any]:
    """Return what can be told of the tables, but for what their primary keys are called."""
    with database.read() as connection:
        inspector = inspect(connection)
        return {
            name: (
                [(one["name"], str(one["type"]), one["nullable"]) for one in inspector.get_columns(name)],
                inspector.get_pk_constraint(name)["constrained_columns"],
                *(
                    sorted(look(name), key=lambda one: one["name"])
                    for look in (
                        inspector.get_foreign_keys,
                        inspector.get_unique_constraints,
                        inspector.get_check_constraints,
                        inspector.get_indexes,
                    )
                ),
            )
            for name in inspector.get_table_names()
        }


def test_the_global_namespace_is_there_from_the_beginning(auth: AuthService) -> None:
    with auth.database.read() as connection:
        row = connection.execute(select(namespaces, teams.c.hidden).join(teams)).one()

    assert (row.name, row.visibility, row.hidden) == ("", "public", True)


def test_an_unknown_visibility_cannot_be_stored(auth: AuthService) -> None:
    with pytest.raises(IntegrityError), auth.database.write() as connection:
        connection.execute(namespaces.update().values(visibility="secret"))
