"""Tags whose name is made of a digest, and an index for lists that are sorted to the last row.

Revision ID: 0003
"""

import re
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DIGEST = sa.String(135).with_variant(sa.String(135, collation="C"), "postgresql")
REFERRER = re.compile(r"sha256-([0-9a-f]{64})(\.sig|\.att|\.sbom)?")
PRESENT: dict[str, Any] = {"sqlite_where": sa.text("present = 1"), "postgresql_where": sa.text("present")}


def upgrade() -> None:
    op.add_column("tags", sa.Column("referrer_of", DIGEST))
    op.create_index("ix_tags_referrer_of", "tags", ["repository_id", "referrer_of"])
    op.drop_index("ix_tags_present", "tags")
    op.create_index("ix_tags_present", "tags", ["repository_id", "written_at", "id"], **PRESENT)
    tags = sa.table("tags", sa.column("id"), sa.column("name"), sa.column("referrer_of"))
    connection = op.get_bind()
    named = connection.execute(sa.select(tags.c.id, tags.c.name).where(tags.c.name.startswith("sha256-")))
    for number, tag in named.all():
        if found := REFERRER.fullmatch(tag):
            known = {"referrer_of": f"sha256:{found[1]}"}
            connection.execute(sa.update(tags).where(tags.c.id == number).values(known))


def downgrade() -> None:
    op.drop_index("ix_tags_present", "tags")
    op.create_index("ix_tags_present", "tags", ["repository_id", "written_at", "name"], **PRESENT)
    op.drop_index("ix_tags_referrer_of", "tags")
    op.drop_column("tags", "referrer_of")
