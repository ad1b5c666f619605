"""One row, written."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, insert


def insert_row(connection: Connection, table: Table, row: Mapping[str, Any]) -> int:
    """Insert a row into a table that counts its ids; return the id."""
    row_id: int = connection.execute(insert(table).values(row).returning(table.c.id)).scalar_one()
    return row_id
