"""Statements that both databases have and SQLAlchemy spells differently."""

from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    FromClause,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    column,
    func,
    select,
    values,
)
from sqlalchemy.dialects import postgresql, sqlite

MOST_BYTES_AT_ONCE = 8 * 1024 * 1024
"""Of bodies in one statement."""


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *, keep: Collection[str] = ()) -> None:
    """Insert rows, each with the same columns; overwrite those that are there already.

    Args:
        rows: must hold the columns that tell rows apart: a unique constraint's, else the primary key; no two alike
            in those.
        keep: columns that an existing row keeps.
    """
    if not rows:
        return
    insert, parameters = _insert_of(connection, table, rows)
    key = _key(table)
    changes = {column: insert.excluded[column] for column in rows[0] if column not in (*key, *keep)}
    connection.execute(insert.on_conflict_do_update(index_elements=key, set_=changes), parameters)


def insert_missing(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, leaving those alone that are there already."""
    if rows:
        insert, parameters = _insert_of(connection, table, rows)
        connection.execute(insert.on_conflict_do_nothing(), parameters)


def new_insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Return the dialect's own INSERT, which knows what to do on a conflict."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def _insert_of(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]]
) -> tuple[postgresql.Insert | sqlite.Insert, Any]:
    """Return the INSERT of some rows, with the parameters of the statement."""
    insert = new_insert(connection, table)
    if connection.dialect.name == "sqlite" or len(rows) == 1 or _count_bytes(rows) > MOST_BYTES_AT_ONCE:
        return insert, rows
    # PostgreSQL runs executemany as a statement for each row, which costs several times as much.
    columns = [table.c[name] for name in rows[0]]
    as_text = [Column(one.name, Text) if isinstance(one.type, LargeBinary) else one for one in columns]
    listed, parameters = listing(connection, as_text, [tuple(map(_as_json, row.values())) for row in rows])
    values = [
        func.decode(listed.c[one.name], "base64") if isinstance(one.type, LargeBinary) else listed.c[one.name]
        for one in columns
    ]
    return insert.from_select(list(rows[0]), select(*values)), parameters


def _count_bytes(rows: Sequence[dict[str, Any]]) -> int:
    return sum(len(value) for row in rows for value in row.values() if isinstance(value, bytes))


def _as_json(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return b64encode(value).decode() if isinstance(value, bytes) else value


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
