"""Statements that both databases have and SQLAlchemy spells differently."""

from base64 import b64encode
from collections.abc import Collection, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnClause,
    ColumnElement,
    Connection,
    FromClause,
    LargeBinary,
    Row,
    Select,
    Table,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    column,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

LISTED = "listed"
"""Name of what is given as a table, and of the parameter with its rows."""
MOST_BYTES_AT_ONCE = 8 * 1024 * 1024
"""Of bodies in one statement."""


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *, keep: Collection[str] = ()) -> None:
    """Insert rows, each with the same columns; overwrite those that are there already.

    Args:
        rows: must hold the columns that tell rows apart: a unique constraint's, else the primary key; no two alike
            in those.
        keep: columns that an existing row keeps.
    """
    _insert(connection, table, rows, keep=frozenset(keep))


def insert_missing(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, leaving those alone that are there already."""
    _insert(connection, table, rows, keep=None)


def new_insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Return the dialect's own INSERT, which knows what to do on a conflict."""
    return _insert_into(table, connection.dialect.name)


def _insert(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *, keep: frozenset[str] | None
) -> None:
    if not rows:
        return
    dialect, names = connection.dialect.name, tuple(rows[0])
    # PostgreSQL runs executemany as a statement for each row, which costs several times as much.
    at_once = dialect != "sqlite" and len(rows) > 1 and _count_bytes(rows) <= MOST_BYTES_AT_ONCE
    statement = _insert_statement(table, names, keep, dialect, at_once)
    if at_once:
        connection.execute(statement, {LISTED: [{name: _as_json(row[name]) for name in names} for row in rows]})
    else:
        connection.execute(statement, rows)


@cache
def _insert_statement(
    table: Table, names: tuple[str, ...], keep: frozenset[str] | None, dialect: str, at_once: bool
) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT of rows with some columns, made once: to put it together costs as much as to run it.

    Args:
        keep: columns that an existing row keeps; ``None``: all of them.
        at_once: whether all rows come in one parameter, as JSON; else it is executed for each.
    """
    insert = _insert_into(table, dialect)
    key = _key(table)
    changes = {name: insert.excluded[name] for name in names if name not in (*key, *(keep or ()))}
    if at_once:
        columns = [table.c[name] for name in names]
        as_text = [Column(one.name, Text) if isinstance(one.type, LargeBinary) else one for one in columns]
        listed = _listed_as_json(as_text, dialect)
        insert = insert.from_select(list(names), select(*(_from_json(listed.c[one.name], one) for one in columns)))
    if keep is None:
        return insert.on_conflict_do_nothing()
    return insert.on_conflict_do_update(index_elements=key, set_=changes)


def _insert_into(table: Table, dialect: str) -> postgresql.Insert | sqlite.Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def _count_bytes(rows: Sequence[dict[str, Any]]) -> int:
    return sum(len(value) for row in rows for value in row.values() if isinstance(value, bytes))


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is None:
        # The column's own type would say so, were the values not inside a document.
        raise TypeError("a naive datetime cannot be stored")
    if isinstance(value, date):
        return value.isoformat()
    return b64encode(value).decode() if isinstance(value, bytes) else value


def _from_json(listed: ColumnElement[Any], target: Column[Any]) -> ColumnElement[Any]:
    return func.decode(listed, "base64") if isinstance(target.type, LargeBinary) else listed


def _key(table: Table) -> list[str]:
    unique = [constraint for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
    return [column.name for column in (unique[0].columns if unique else table.primary_key.columns)]


def select_listed(
    connection: Connection, table: Table, columns: tuple[Column[Any], ...], keys: Collection[tuple[Any, ...]]
) -> Sequence[Row[Any]]:
    """Return the rows of a table that have some values in some columns.

    Args:
        columns: of the table.
        keys: a value for each of the columns.
    """
    if not keys:
        return ()
    names = [one.name for one in columns]
    parameters = {LISTED: [dict(zip(names, key, strict=True)) for key in sorted(keys)]}
    return connection.execute(_select_listed(table, columns, connection.dialect.name), parameters).all()


@cache
def _select_listed(table: Table, columns: tuple[Column[Any], ...], dialect: str) -> Select[Any]:
    # A join, because SQLite reads a whole table to find those rows whose (a, b) are IN a list.
    listed = _listed_as_json(columns, dialect)
    return select(table).join_from(listed, table, and_(*(one == listed.c[one.name] for one in columns)))


def _listed_as_json(columns: Sequence[Column[Any]], dialect: str) -> FromClause:
    # One parameter: a statement with a parameter for each value is compiled and planned for every number of them.
    given = bindparam(LISTED, type_=JSON)
    if dialect == "sqlite":
        rows = func.json_each(given).table_valued(column("value", Text))
        fields = [_field(rows.c.value, one) for one in columns]
        return select(*fields).select_from(rows).cte(LISTED)
    listed = func.json_to_recordset(given).table_valued(*_named(columns), name=LISTED)
    return listed.render_derived(with_types=True)


def _field(row: ColumnElement[Any], named: Column[Any]) -> ColumnElement[Any]:
    path: ColumnElement[str] = literal_column(f"'$.{named.name}'")
    return func.json_extract(row, path, type_=named.type).label(named.name)


def _named(columns: Sequence[Column[Any]]) -> Sequence[ColumnClause[Any]]:
    return [column(one.name, one.type) for one in columns]
