"""Turns are the hosts': which one a webhook leads to, and whether it took long the last time.

Revision ID: 0008
"""

from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INDEX = "ix_webhooks_host_served_at"


def upgrade() -> None:
    """Add the columns and their index, and find the hosts of the webhooks that are there."""
    op.add_column("webhooks", sa.Column("host", sa.Text))
    op.add_column("webhooks", sa.Column("slow", sa.Boolean))
    op.create_index(INDEX, "webhooks", ["host", "served_at"])
    table = sa.table("webhooks", sa.column("id"), sa.column("url"), sa.column("host"))
    connection = op.get_bind()
    for id, url in connection.execute(sa.select(table.c.id, table.c.url)).all():
        connection.execute(sa.update(table).where(table.c.id == id).values(host=_host_of(url)))


def _host_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname or ''}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def downgrade() -> None:
    """Drop them."""
    op.drop_index(INDEX, "webhooks")
    for column in ("slow", "host"):
        op.drop_column("webhooks", column)
