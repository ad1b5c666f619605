"""The tables of ``auth``. Times are aware UTC."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from shared.database import UtcDateTime, new_metadata
from shared.idempotency import idempotency_table
from shared.messaging.outbox import outbox_table

metadata = new_metadata()

# sqlite_autoincrement: the id of a row that is gone is given to no other, as on PostgreSQL. Others remember it:
# records, webhooks, addresses of pages. A migration in batch mode has to say it again, or the table has lost it.

teams = Table(
    "teams",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("description", Text, nullable=False),
    # Teams that stand behind one person or the global namespace; people never choose them.
    Column("hidden", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

registries = Table(
    "registries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    # The registry's auth.token.service; empty for the first one, which the environment names.
    Column("service", String(255), nullable=False, unique=True),
    # host[:port] as people type it; empty for the first one, which the environment names.
    Column("hostname", String(255), nullable=False, unique=True),
    Column("external_hostname", String(255)),
    Column("use_ssl", Boolean, nullable=False),
    # Where they are NULL, the settings of the installation hold.
    Column("token_ttl_s", Integer),
    Column("push_policy", String(16)),
    Column("delete_policy", String(16)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint("push_policy IN ('allow-teams', 'allow-personal', 'admin-only')", name="push_policy"),
    CheckConstraint("delete_policy IN ('nobody', 'owners', 'contributors')", name="delete_policy"),
    sqlite_autoincrement=True,
)

namespaces = Table(
    "namespaces",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("registry_id", ForeignKey("registries.id"), nullable=False),
    # Empty for the global namespace: that is the first component of a name without a slash.
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("visibility", String(16), nullable=False),
    Column("team_id", ForeignKey("teams.id"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("registry_id", "name"),
    CheckConstraint("visibility IN ('private', 'protected', 'public')", name="visibility"),
    sqlite_autoincrement=True,
)

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("username", String(128), nullable=False),
    # Lower case: what must be unique and what a caller is looked up by.
    Column("username_key", String(128), nullable=False, unique=True),
    Column("email", String(254)),
    Column("email_key", String(254), unique=True),
    Column("display_name", String(255)),
    # NULL for a bot: it has application tokens only.
    Column("password_hash", String(255)),
    Column("administrator", Boolean, nullable=False),
    # Sees everything and changes nothing.
    Column("auditor", Boolean, nullable=False),
    Column("bot", Boolean, nullable=False),
    Column("enabled", Boolean, nullable=False),
    # The personal namespace; a bot has none.
    Column("namespace_id", ForeignKey("namespaces.id"), index=True),
    Column("current_sign_in_at", UtcDateTime),
    Column("last_sign_in_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint("NOT (administrator AND auditor)", name="one_office"),
    sqlite_autoincrement=True,
)

team_members = Table(
    "team_members",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("team_id", ForeignKey("teams.id"), nullable=False),
    Column("user_id", ForeignKey("users.id"), nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("team_id", "user_id"),
    CheckConstraint("role IN ('viewer', 'contributor', 'owner')", name="role"),
    sqlite_autoincrement=True,
)

application_tokens = Table(
    "application_tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(255), nullable=False),
    # SHA-256 of the secret: 256 random bits need no slow hash.
    Column("secret_hash", String(64), nullable=False, unique=True),
    # Narrowing: what is left of the owner's rights; NULL leaves them whole. Actions separated by commas.
    Column("actions", String(64)),
    # A JSON list of namespace names.
    Column("namespaces", JSON(none_as_null=True)),
    Column("created_by", String(128), nullable=False),
    Column("expires_at", UtcDateTime, index=True),
    Column("last_used_at", UtcDateTime),
    Column("last_used_address", String(64)),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("user_id", "name"),
    sqlite_autoincrement=True,
)

robots = Table(
    "robots",
    metadata,
    Column("id", Integer, primary_key=True),
    # robot+<name> and the like; lower case.
    Column("username", String(255), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("description", Text, nullable=False),
    # What it belongs to bounds what it can be granted; neither: the installation.
    Column("namespace_id", ForeignKey("namespaces.id", ondelete="CASCADE"), index=True),
    Column("team_id", ForeignKey("teams.id", ondelete="CASCADE"), index=True),
    Column("enabled", Boolean, nullable=False),
    Column("expires_at", UtcDateTime),
    # A JSON list of networks (CIDR) from which it may be used; NULL: from anywhere.
    Column("allowed_addresses", JSON(none_as_null=True)),
    Column("created_by", String(128), nullable=False),
    Column("last_used_at", UtcDateTime),
    Column("last_used_address", String(64)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint("namespace_id IS NULL OR team_id IS NULL", name="one_home"),
    sqlite_autoincrement=True,
)

robot_secrets = Table(
    "robot_secrets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("robot_id", ForeignKey("robots.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

roles = Table(
    "roles",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("description", Text, nullable=False),
    # Separated by commas, sorted.
    Column("actions", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

grants = Table(
    "grants",
    metadata,
    Column("id", Integer, primary_key=True),
    # Where it holds: one namespace; or, when that is NULL, every namespace of one registry; or of all.
    Column("namespace_id", ForeignKey("namespaces.id", ondelete="CASCADE"), index=True),
    Column("registry_id", ForeignKey("registries.id", ondelete="CASCADE")),
    # A glob on the full name of the repository; see domain.patterns.
    Column("pattern", String(255), nullable=False),
    # Who gets it: one of the three.
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE")),
    Column("team_id", ForeignKey("teams.id", ondelete="CASCADE")),
    Column("robot_id", ForeignKey("robots.id", ondelete="CASCADE")),
    # What: actions separated by commas, or a custom role.
    Column("actions", String(64)),
    Column("role_id", ForeignKey("roles.id"), index=True),
    Column("expires_at", UtcDateTime, index=True),
    Column("reason", Text, nullable=False),
    # Whether an administrator gave it: where only administrators may push, no other grant lets one.
    Column("from_administrator", Boolean, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index(None, "user_id", "namespace_id"),
    Index(None, "team_id", "namespace_id"),
    Index(None, "robot_id", "namespace_id"),
    CheckConstraint(
        "(CASE WHEN user_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN team_id IS NULL THEN 0 ELSE 1 END)"
        " + (CASE WHEN robot_id IS NULL THEN 0 ELSE 1 END) = 1",
        name="one_grantee",
    ),
    CheckConstraint("(actions IS NULL) <> (role_id IS NULL)", name="actions_or_role"),
    sqlite_autoincrement=True,
)

freezes = Table(
    "freezes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("namespace_id", ForeignKey("namespaces.id", ondelete="CASCADE"), nullable=False),
    # Full name of one repository; empty: the whole namespace.
    Column("repository", String(255), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("namespace_id", "repository"),
    sqlite_autoincrement=True,
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("registry_id", ForeignKey("registries.id", ondelete="CASCADE"), nullable=False),
    # Whose it is, and the credential that it was got with: it ends with either.
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), index=True),
    Column("robot_id", ForeignKey("robots.id", ondelete="CASCADE"), index=True),
    Column("application_token_id", ForeignKey("application_tokens.id", ondelete="CASCADE"), index=True),
    Column("robot_secret_id", ForeignKey("robot_secrets.id", ondelete="CASCADE"), index=True),
    Column("client_id", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("last_used_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("(user_id IS NULL) <> (robot_id IS NULL)", name="one_owner"),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    # Random; travels in access tokens. A session that was revoked has no row any more.
    Column("id", String(32), primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False, index=True),
    # SHA-256 of the refresh token: 256 random bits need no slow hash.
    Column("token_hash", String(64), nullable=False, unique=True),
    # Where it was opened and with what, so that its person knows it again; cut at the column's length.
    Column("address", String(64), nullable=False),
    Column("user_agent", String(255), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

login_failures = Table(
    "login_failures",
    metadata,
    # SHA-256 of what was given as the name, because people type passwords there; empty in the row
    # that counts all failures of an address.
    Column("account", String(64), primary_key=True),
    Column("address", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False, index=True),
)

signing_leaves = Table(
    "signing_leaves",
    metadata,
    Column("kid", String(64), primary_key=True),
    # Fingerprint of the CA's public key: a leaf of another CA is of no use to anybody.
    Column("authority", String(64), nullable=False),
    Column("certificate", Text, nullable=False),
    # Encrypted under a key derived from the CA's private key.
    Column("private_key", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    # Signs before every process has had the time to read it: somebody was in a hurry.
    Column("at_once", Boolean, nullable=False, server_default=false()),
    Column("revoked_at", UtcDateTime),
    Index(None, "authority", "expires_at"),
)

# Refers to nothing: what a record tells of may be gone. On PostgreSQL it is made of parts, one for each
# day: storage.decision_parts.
decisions = Table(
    "decisions",
    metadata,
    # The first half of a part's key, so that the newest come first and a part can be found by it.
    Column("at", UtcDateTime, primary_key=True),
    # Says the millisecond of `at`, too: domain.records.new_record_id.
    Column("id", String(32), primary_key=True),
    # NULL when the client named a registry that nobody knows; what it said is in `service`.
    Column("registry_id", Integer),
    Column("service", String(255), nullable=False),
    Column("subject_kind", String(16), nullable=False),
    Column("username", String(255), nullable=False),
    Column("user_id", Integer),
    Column("robot_id", Integer),
    Column("credential_kind", String(32), nullable=False),
    Column("credential_id", Integer),
    Column("credential_name", String(255), nullable=False),
    Column("address", String(64), nullable=False),
    # What the client says of itself; nothing follows from it.
    Column("client", String(255), nullable=False),
    Column("client_id", String(64), nullable=False),
    Column("account", String(255), nullable=False),
    Column("verdict", String(16), nullable=False),
    # Of the scope for whose sake the token was asked.
    Column("action", String(64), nullable=False),
    Column("repository", String(255), nullable=False),
    Column("namespace", String(255)),
    # Why, where the scopes do not say it.
    Column("reason", String(255), nullable=False),
    Column("scopes", JSON, nullable=False),
    # Decided by what was known before the database went away.
    Column("degraded", Boolean, nullable=False),
    Index(None, "username", "at"),
    Index(None, "namespace", "at"),
    postgresql_partition_by="RANGE (at)",
)

# Refers to nothing: what an entry tells of may be gone. Rows are only added, by storage.audit.
audit_entries = Table(
    "audit_entries",
    metadata,
    # Counted by us and not by the database, without a gap.
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("partition", String(7), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("actor_kind", String(16), nullable=False),
    Column("actor", String(255), nullable=False),
    Column("actor_id", Integer),
    Column("address", String(64), nullable=False),
    Column("request_id", String(64), nullable=False, index=True),
    Column("action", String(64), nullable=False),
    Column("target_type", String(32), nullable=False),
    Column("target_id", String(64), nullable=False),
    Column("target_name", String(255), nullable=False),
    # Whom it concerns, with the names of that moment.
    Column("user_id", Integer),
    Column("user_name", String(255)),
    Column("team_id", Integer),
    Column("team_name", String(255)),
    Column("namespace_id", Integer),
    Column("namespace_name", String(255)),
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("partition", "position"),
    # Pages go from the newest entry back, so every filter leads into that order.
    Index(None, "actor", "id"),
    Index(None, "actor_id", "id"),
    Index(None, "action", "id"),
    Index(None, "target_name", "id"),
    Index(None, "user_id", "id"),
    Index(None, "team_id", "id"),
    Index(None, "namespace_id", "id"),
)

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("partition", String(7), primary_key=True),
    Column("previous_hash", String(64), nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    # The head outlives the entries.
    Column("purged_at", UtcDateTime),
)

outbox = outbox_table(metadata)

idempotency_keys = idempotency_table(metadata)
