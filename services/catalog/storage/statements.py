"""Statements that both databases have and SQLAlchemy spells differently."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, Column, Connection, FromClause, Table, UniqueConstraint, bindparam, column, func, values
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


def listing(
    connection: Connection, columns: Sequence[Column[Any]], rows: Sequence[tuple[Any, ...]]
) -> tuple[FromClause, Mapping[str, Any]]:
    """Return rows that are given as a table to join with, and the parameters of the statement.

    Args:
        columns: of other tables; the rows have values of their types, under their names.
    """
    names = [one.name for one in columns]
    wanted = [column(one.name, one.type) for one in columns]
    if connection.dialect.name == "sqlite":
        return values(*wanted, name="listed").data(rows).cte(), {}
    # One parameter: a statement with a parameter for each value is compiled and planned for every number of them.
    listed = func.json_to_recordset(bindparam("listed", type_=JSON)).table_valued(*wanted, name="listed")
    return listed.render_derived(with_types=True), {"listed": [dict(zip(names, row, strict=True)) for row in rows]}
