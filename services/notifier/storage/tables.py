"""The tables of the notifier."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from shared.database import UtcDateTime, new_metadata
from shared.messaging.inbox import inbox_table

metadata = new_metadata()

inbox = inbox_table(metadata)

quarantined_events = Table(
    "quarantined_events",
    metadata,
    # SQLite counts by itself only in a column that is called INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("event_id", String(255), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("raw", Text, nullable=False),
)
