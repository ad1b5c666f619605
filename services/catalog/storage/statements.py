"""Statements that both databases have and SQLAlchemy spells differently."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *, keep: Collection[str] = ()) -> None:
    """Insert rows, each with the same columns; overwrite those that are there already.

    Args:
        rows: must hold the columns that tell rows apart: a unique constraint's, else the primary key.
        keep: columns that an existing row keeps.
    """
    if not rows:
        return
    insert = new_insert(connection, table)
    key = _key(table)
    changes = {column: insert.excluded[column] for column in rows[0] if column not in (*key, *keep)}
    connection.execute(insert.on_conflict_do_update(index_elements=key, set_=changes), rows)


def insert_missing(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, leaving those alone that are there already."""
    if rows:
        connection.execute(new_insert(connection, table).on_conflict_do_nothing(), rows)


def new_insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Return the dialect's own INSERT, which knows what to do on a conflict."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def _key(table: Table) -> list[str]:
    unique = [constraint for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
    return [column.name for column in (unique[0].columns if unique else table.primary_key.columns)]
