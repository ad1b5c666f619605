"""SQLite gives no id twice: the tables are made anew, with what is in them.

Revision ID: 0007
"""

from collections.abc import Mapping

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = (
    *("teams", "registries", "namespaces", "users", "team_members", "application_tokens"),
    *("robots", "robot_secrets", "roles", "grants", "freezes", "refresh_tokens"),
)


def upgrade() -> None:
    """Let SQLite remember the highest id of each table; PostgreSQL does."""
    _make_anew({"sqlite_autoincrement": True})


def downgrade() -> None:
    """Let SQLite forget them."""
    _make_anew({})


def _make_anew(options: Mapping[str, bool]) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for name in TABLES:
        # Nothing is changed in it: the new one has the options.
        with op.batch_alter_table(name, recreate="always", table_kwargs=dict(options)):
            pass
