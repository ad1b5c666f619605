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
)

from shared.database import UtcDateTime, new_metadata
from shared.messaging.outbox import outbox_table

metadata = new_metadata()

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
)

namespaces = Table(
    "namespaces",
    metadata,
    Column("id", Integer, primary_key=True),
    # Empty for the global namespace: that is the first component of a name without a slash.
    Column("name", String(255), nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("visibility", String(16), nullable=False),
    Column("team_id", ForeignKey("teams.id"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint("visibility IN ('private', 'protected', 'public')", name="visibility"),
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
    Column("password_hash", String(255), nullable=False),
    Column("administrator", Boolean, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("namespace_id", ForeignKey("namespaces.id"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
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
)

sessions = Table(
    "sessions",
    metadata,
    # Random; travels in access tokens. A session that was revoked has no row any more.
    Column("id", String(32), primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False, index=True),
    # SHA-256 of the refresh token: 256 random bits need no slow hash.
    Column("token_hash", String(64), nullable=False, unique=True),
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
    Index(None, "authority", "expires_at"),
)

# Refers to nothing: what an entry tells of may be gone. Rows are only added, by storage.audit.
audit_entries = Table(
    "audit_entries",
    metadata,
    # Counted by us and not by the database, without a gap.
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
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
    Index(None, "actor", "sequence"),
    Index(None, "actor_id", "sequence"),
    Index(None, "action", "sequence"),
    Index(None, "target_name", "sequence"),
    Index(None, "user_id", "sequence"),
    Index(None, "team_id", "sequence"),
    Index(None, "namespace_id", "sequence"),
)

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("partition", String(7), primary_key=True),
    Column("previous_hash", String(64), nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    # The head outlives the entries.
    Column("purged_at", UtcDateTime),
)

outbox = outbox_table(metadata)
