"""Several registries; application tokens, robots, custom roles, grants, freezes; auditors and bots."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from shared.database import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Extend the schema; what is there belongs to the first registry."""
    _create_registries()
    _give_namespaces_a_registry()
    _widen_users()
    _widen_sessions()
    _create_application_tokens()
    _create_robots()
    _create_roles_and_grants()
    _create_freezes()
    _create_refresh_tokens()


def downgrade() -> None:
    """Drop what was added; namespaces of further registries must be gone before."""
    for name in (
        *("refresh_tokens", "freezes", "grants", "roles", "robot_secrets", "robots"),
        "application_tokens",
    ):
        op.drop_table(name)
    with op.batch_alter_table("sessions") as table:
        table.drop_column("address")
        table.drop_column("user_agent")
    with op.batch_alter_table("users") as table:
        table.drop_constraint(op.f("ck_users_one_office"), type_="check")
        for column in ("auditor", "bot", "current_sign_in_at", "last_sign_in_at"):
            table.drop_column(column)
        table.alter_column("password_hash", existing_type=sa.String(255), nullable=False)
        table.alter_column("namespace_id", existing_type=sa.Integer, nullable=False)
    with op.batch_alter_table("namespaces") as table:
        table.drop_constraint("uq_namespaces_registry_id_name", type_="unique")
        table.drop_constraint("fk_namespaces_registry_id_registries", type_="foreignkey")
        table.drop_column("registry_id")
        table.create_unique_constraint("uq_namespaces_name", ["name"])
    op.drop_table("registries")


def _create_registries() -> None:
    op.create_table(
        "registries",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("service", sa.String(255), nullable=False),
        sa.Column("hostname", sa.String(255), nullable=False),
        sa.Column("external_hostname", sa.String(255)),
        sa.Column("use_ssl", sa.Boolean, nullable=False),
        sa.Column("token_ttl_s", sa.Integer),
        sa.Column("push_policy", sa.String(16)),
        sa.Column("delete_policy", sa.String(16)),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_registries"),
        sa.UniqueConstraint("name", name="uq_registries_name"),
        sa.UniqueConstraint("service", name="uq_registries_service"),
        sa.UniqueConstraint("hostname", name="uq_registries_hostname"),
        sa.CheckConstraint(
            "push_policy IN ('allow-teams', 'allow-personal', 'admin-only')", name=op.f("ck_registries_push_policy")
        ),
        sa.CheckConstraint(
            "delete_policy IN ('nobody', 'owners', 'contributors')", name=op.f("ck_registries_delete_policy")
        ),
    )
    now = datetime.now(UTC)
    registries = sa.table(
        "registries",
        *(sa.column(name, sa.String) for name in ("name", "service", "hostname")),
        sa.column("use_ssl", sa.Boolean),
        *(sa.column(name, UtcDateTime) for name in ("created_at", "updated_at")),
    )
    # What is empty here is what the environment says.
    first = {"name": "registry", "service": "", "hostname": "", "use_ssl": True}
    op.execute(registries.insert().values({**first, "created_at": now, "updated_at": now}))


def _give_namespaces_a_registry() -> None:
    with op.batch_alter_table("namespaces") as table:
        table.add_column(sa.Column("registry_id", sa.Integer, nullable=False, server_default="1"))
        table.drop_constraint("uq_namespaces_name", type_="unique")
    with op.batch_alter_table("namespaces") as table:
        table.alter_column("registry_id", existing_type=sa.Integer, server_default=None)
        table.create_unique_constraint("uq_namespaces_registry_id_name", ["registry_id", "name"])
        table.create_foreign_key("fk_namespaces_registry_id_registries", "registries", ["registry_id"], ["id"])


def _widen_users() -> None:
    with op.batch_alter_table("users") as table:
        table.add_column(sa.Column("auditor", sa.Boolean, nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("bot", sa.Boolean, nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("current_sign_in_at", UtcDateTime))
        table.add_column(sa.Column("last_sign_in_at", UtcDateTime))
        table.alter_column("password_hash", existing_type=sa.String(255), nullable=True)
        table.alter_column("namespace_id", existing_type=sa.Integer, nullable=True)
    with op.batch_alter_table("users") as table:
        table.alter_column("auditor", existing_type=sa.Boolean, server_default=None)
        table.alter_column("bot", existing_type=sa.Boolean, server_default=None)
        table.create_check_constraint(op.f("ck_users_one_office"), "NOT (administrator AND auditor)")


def _widen_sessions() -> None:
    with op.batch_alter_table("sessions") as table:
        table.add_column(sa.Column("address", sa.String(64), nullable=False, server_default=""))
        table.add_column(sa.Column("user_agent", sa.String(255), nullable=False, server_default=""))
    with op.batch_alter_table("sessions") as table:
        table.alter_column("address", existing_type=sa.String(64), server_default=None)
        table.alter_column("user_agent", existing_type=sa.String(255), server_default=None)


def _create_application_tokens() -> None:
    op.create_table(
        "application_tokens",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("actions", sa.String(64)),
        sa.Column("namespaces", sa.JSON(none_as_null=True)),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("expires_at", UtcDateTime),
        sa.Column("last_used_at", UtcDateTime),
        sa.Column("last_used_address", sa.String(64)),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_application_tokens"),
        sa.UniqueConstraint("secret_hash", name="uq_application_tokens_secret_hash"),
        sa.UniqueConstraint("user_id", "name", name="uq_application_tokens_user_id_name"),
        _reference("application_tokens", "user_id", "users"),
    )
    op.create_index("ix_application_tokens_expires_at", "application_tokens", ["expires_at"])


def _create_robots() -> None:
    op.create_table(
        "robots",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("username", sa.String(255), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("namespace_id", sa.Integer),
        sa.Column("team_id", sa.Integer),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("expires_at", UtcDateTime),
        sa.Column("allowed_addresses", sa.JSON(none_as_null=True)),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("last_used_at", UtcDateTime),
        sa.Column("last_used_address", sa.String(64)),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_robots"),
        sa.UniqueConstraint("username", name="uq_robots_username"),
        _reference("robots", "namespace_id", "namespaces"),
        _reference("robots", "team_id", "teams"),
        sa.CheckConstraint("namespace_id IS NULL OR team_id IS NULL", name=op.f("ck_robots_one_home")),
    )
    op.create_index("ix_robots_namespace_id", "robots", ["namespace_id"])
    op.create_index("ix_robots_team_id", "robots", ["team_id"])
    op.create_table(
        "robot_secrets",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("robot_id", sa.Integer, nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("expires_at", UtcDateTime),
        sa.Column("last_used_at", UtcDateTime),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_robot_secrets"),
        sa.UniqueConstraint("secret_hash", name="uq_robot_secrets_secret_hash"),
        _reference("robot_secrets", "robot_id", "robots"),
    )
    op.create_index("ix_robot_secrets_robot_id", "robot_secrets", ["robot_id"])


def _create_roles_and_grants() -> None:
    op.create_table(
        "roles",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("actions", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_roles"),
        sa.UniqueConstraint("name", name="uq_roles_name"),
    )
    op.create_table(
        "grants",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("namespace_id", sa.Integer),
        sa.Column("registry_id", sa.Integer),
        sa.Column("pattern", sa.String(255), nullable=False),
        sa.Column("user_id", sa.Integer),
        sa.Column("team_id", sa.Integer),
        sa.Column("robot_id", sa.Integer),
        sa.Column("actions", sa.String(64)),
        sa.Column("role_id", sa.Integer),
        sa.Column("expires_at", UtcDateTime),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("from_administrator", sa.Boolean, nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
        _reference("grants", "namespace_id", "namespaces"),
        _reference("grants", "registry_id", "registries"),
        _reference("grants", "user_id", "users"),
        _reference("grants", "team_id", "teams"),
        _reference("grants", "robot_id", "robots"),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name="fk_grants_role_id_roles"),
        sa.CheckConstraint(
            "(CASE WHEN user_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN team_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN robot_id IS NULL THEN 0 ELSE 1 END) = 1",
            name=op.f("ck_grants_one_grantee"),
        ),
        sa.CheckConstraint("(actions IS NULL) <> (role_id IS NULL)", name=op.f("ck_grants_actions_or_role")),
    )
    for column in ("namespace_id", "role_id", "expires_at"):
        op.create_index(f"ix_grants_{column}", "grants", [column])
    for column in ("user_id", "team_id", "robot_id"):
        op.create_index(f"ix_grants_{column}_namespace_id", "grants", [column, "namespace_id"])


def _create_freezes() -> None:
    op.create_table(
        "freezes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("namespace_id", sa.Integer, nullable=False),
        sa.Column("repository", sa.String(255), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_freezes"),
        sa.UniqueConstraint("namespace_id", "repository", name="uq_freezes_namespace_id_repository"),
        _reference("freezes", "namespace_id", "namespaces"),
    )


def _create_refresh_tokens() -> None:
    op.create_table(
        "refresh_tokens",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("registry_id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer),
        sa.Column("robot_id", sa.Integer),
        sa.Column("application_token_id", sa.Integer),
        sa.Column("robot_secret_id", sa.Integer),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("last_used_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_refresh_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_refresh_tokens_token_hash"),
        _reference("refresh_tokens", "registry_id", "registries"),
        _reference("refresh_tokens", "user_id", "users"),
        _reference("refresh_tokens", "robot_id", "robots"),
        _reference("refresh_tokens", "application_token_id", "application_tokens"),
        _reference("refresh_tokens", "robot_secret_id", "robot_secrets"),
        sa.CheckConstraint("(user_id IS NULL) <> (robot_id IS NULL)", name=op.f("ck_refresh_tokens_one_owner")),
    )
    for column in ("user_id", "robot_id", "application_token_id", "robot_secret_id", "expires_at"):
        op.create_index(f"ix_refresh_tokens_{column}", "refresh_tokens", [column])


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    """Return a foreign key whose row goes when what it refers to goes."""
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}", ondelete="CASCADE")
