"""The tables of the index.

``repositories.tags_count``, ``size_bytes``, ``pulls`` and ``updated_at`` are sums over the other
tables, computed anew whenever one of those changes, so that a list of repositories reads one row
each.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    true,
)
from sqlalchemy.types import TypeEngine

from shared.database import UtcDateTime, new_metadata
from shared.idempotency import idempotency_table
from shared.messaging.inbox import inbox_table
from shared.messaging.outbox import outbox_table

metadata = new_metadata()

RowId = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts only an INTEGER up by itself."""


def name(length: int) -> TypeEngine[str]:
    """Return the type of a name: compared byte by byte, whatever the server's language is."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


DIGEST = name(135)
"""``sha512:`` and 128 characters."""

repositories = Table(
    "repositories",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("full_name", name(255), nullable=False, unique=True),
    # NULL: the global namespace.
    Column("namespace", name(255), index=True),
    Column("tags_count", Integer, nullable=False, default=0),
    Column("size_bytes", BigInteger, nullable=False, default=0),
    Column("pulls", BigInteger, nullable=False, default=0),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # What people have written beside it; Markdown, as it came.
    Column("description", Text),
    Column("stars", Integer, nullable=False, default=0, server_default="0"),
)

# People are known by their names here: accounts are somebody else's.
stars = Table(
    "stars",
    metadata,
    Column("repository_id", RowId, ForeignKey("repositories.id"), primary_key=True),
    Column("username", name(255), primary_key=True, index=True),
    Column("created_at", UtcDateTime, nullable=False),
)

comments = Table(
    "comments",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("repository_id", RowId, ForeignKey("repositories.id"), nullable=False),
    Column("author", name(255), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_comments_repository_id", "repository_id", "created_at", "id"),
)

# A row stays when its tag goes: it remembers the deletion for pushes that arrive after it.
tags = Table(
    "tags",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("repository_id", RowId, ForeignKey("repositories.id"), nullable=False),
    Column("name", name(128), nullable=False),
    # NULL: the last write deleted the tag by name.
    Column("digest", DIGEST),
    Column("present", Boolean(create_constraint=False), nullable=False),
    # The stamp of the last write: the registry's clock and the event's id.
    Column("written_at", UtcDateTime, nullable=False),
    Column("written_by_event", name(255), nullable=False),
    Column("pushed_at", UtcDateTime),
    Column("pushed_by", name(255)),
    Column("first_seen_at", UtcDateTime, nullable=False),
    # The digest of which the tag's name is made, where it is.
    Column("referrer_of", DIGEST),
    UniqueConstraint("repository_id", "name"),
    Index("ix_tags_digest", "digest", "repository_id"),
)
Index("ix_tags_pushed_by", tags.c.pushed_by, tags.c.repository_id)
Index(
    "ix_tags_name",
    tags.c.name,
    tags.c.repository_id,
    sqlite_where=tags.c.present == true(),
    postgresql_where=tags.c.present == true(),
)
# Few tags have one: whatever is planned, the rest is not looked through.
Index(
    "ix_tags_referrer_of",
    tags.c.repository_id,
    tags.c.referrer_of,
    sqlite_where=tags.c.referrer_of.is_not(None),
    postgresql_where=tags.c.referrer_of.is_not(None),
)
Index(
    "ix_tags_present",
    tags.c.repository_id,
    tags.c.written_at,
    tags.c.id,
    sqlite_where=tags.c.present == true(),
    postgresql_where=tags.c.present == true(),
)
# The newest of all repositories.
Index(
    "ix_tags_written_at",
    tags.c.written_at,
    tags.c.id,
    sqlite_where=tags.c.present == true(),
    postgresql_where=tags.c.present == true(),
)

# Every write of a tag that we were told of or saw. With an empty tag: a digest was deleted, with
# whatever tags it had.
tag_writes = Table(
    "tag_writes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("repository_id", RowId, ForeignKey("repositories.id"), nullable=False),
    Column("tag", name(128), nullable=False),
    Column("written_at", UtcDateTime, nullable=False, index=True),
    Column("event", name(255), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("digest", DIGEST),
    Column("actor", String(255)),
    UniqueConstraint("repository_id", "tag", "written_at", "event"),
    Index("ix_tag_writes_repository_id", "repository_id", "written_at", "id"),
    Index("ix_tag_writes_digest", "repository_id", "digest"),
)

manifest_deletions = Table(
    "manifest_deletions",
    metadata,
    Column("repository_id", RowId, ForeignKey("repositories.id"), primary_key=True),
    Column("digest", DIGEST, primary_key=True),
    Column("deleted_at", UtcDateTime, nullable=False, index=True),
    Column("event", name(255), nullable=False),
)

# A manifest in a repository, by a tag or without one; gone ones stay for a while, like tags.
repository_manifests = Table(
    "repository_manifests",
    metadata,
    Column("repository_id", RowId, ForeignKey("repositories.id"), primary_key=True),
    Column("digest", DIGEST, primary_key=True, index=True),
    Column("present", Boolean(create_constraint=False), nullable=False),
    # The stamp of the last push.
    Column("written_at", UtcDateTime, nullable=False),
    Column("written_by_event", name(255), nullable=False),
    Column("pushed_by", String(255)),
    Column("first_seen_at", UtcDateTime, nullable=False),
)

# Content-addressed, so one row serves every repository. A row without a body is a manifest that we
# have only heard of.
manifests = Table(
    "manifests",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("media_type", String(255)),
    Column("artifact_type", String(255)),
    Column("subject", DIGEST, index=True),
    Column("config_digest", DIGEST),
    # Configuration and layers; of an index, the sum over its children that are known.
    Column("size_bytes", BigInteger),
    Column("os", String(255)),
    Column("architecture", String(255)),
    Column("variant", String(255)),
    Column("readable", Boolean(create_constraint=False), nullable=False),
    Column("body", LargeBinary),
    Column("fetched_at", UtcDateTime),
)

manifest_children = Table(
    "manifest_children",
    metadata,
    Column("parent_digest", DIGEST, ForeignKey("manifests.digest"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("digest", DIGEST, nullable=False, index=True),
    Column("media_type", String(255)),
    Column("os", String(255)),
    Column("architecture", String(255)),
    Column("variant", String(255)),
    Column("is_attestation", Boolean(create_constraint=False), nullable=False),
)

# What a manifest is made of: its configuration has position 0, its layers follow.
manifest_blobs = Table(
    "manifest_blobs",
    metadata,
    Column("manifest_digest", DIGEST, ForeignKey("manifests.digest"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("digest", DIGEST, nullable=False, index=True),
    Column("media_type", String(255)),
    Column("size_bytes", BigInteger, nullable=False),
)

# What a manifest or its configuration says of itself, to be searched.
manifest_labels = Table(
    "manifest_labels",
    metadata,
    Column("manifest_digest", DIGEST, ForeignKey("manifests.digest"), primary_key=True),
    # True: an annotation of the manifest; false: a label of its configuration.
    Column("is_annotation", Boolean(create_constraint=False), primary_key=True),
    Column("key", name(255), primary_key=True),
    Column("value", name(255), nullable=False),
    Index("ix_manifest_labels_key", "key", "value"),
)

configs = Table(
    "configs",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

pulls = Table(
    "pulls",
    metadata,
    Column("repository_id", RowId, ForeignKey("repositories.id"), primary_key=True),
    Column("digest", DIGEST, primary_key=True),
    # Empty: the pull named the digest.
    Column("tag", name(128), primary_key=True),
    Column("pulls", BigInteger, nullable=False),
    Column("pulled_at", UtcDateTime),
    Column("checks", BigInteger, nullable=False),
    Column("checked_at", UtcDateTime),
    Index("ix_pulls_tag", "repository_id", "tag"),
)

# What happened on a day, by UTC.
activity = Table(
    "activity",
    metadata,
    Column("repository_id", RowId, ForeignKey("repositories.id"), primary_key=True),
    Column("day", Date, primary_key=True, index=True),
    Column("pushes", BigInteger, nullable=False),
    Column("pulls", BigInteger, nullable=False),
)

pending_fetches = Table(
    "pending_fetches",
    metadata,
    Column("repository", name(255), primary_key=True),
    Column("digest", DIGEST, primary_key=True, index=True),
    Column("since", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("refusals", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime, nullable=False, index=True),
)

crawls = Table(
    "crawls",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("repositories", Integer, nullable=False),
    Column("tags", Integer, nullable=False),
    # Repositories that could not be read and were left as they were.
    Column("failures", Integer, nullable=False),
    Column("kind", String(16), nullable=False, server_default="first"),
    Column("repaired", Integer, nullable=False, default=0, server_default="0"),
    Column("removed", Integer, nullable=False, default=0, server_default="0"),
    # Repositories of which every tag was looked at.
    Column("verified", Integer, nullable=False, default=0, server_default="0"),
    # Differences that were found.
    Column("drift", Integer, nullable=False, default=0, server_default="0"),
    # Repositories of which not every difference was told.
    Column("half_told", Integer, nullable=False, default=0, server_default="0"),
    # How often it was broken off and taken up again.
    Column("restarts", Integer, nullable=False, default=0, server_default="0"),
    # All repositories up to this one are read, in the registry's order.
    Column("position", name(255)),
    Column("requested_by", String(255)),
    # Why it was broken off last.
    Column("fault", Text),
    # When a worker was still reading for it, besides what it has told of.
    Column("heard_at", UtcDateTime),
)

# What came of the repositories that a crawl has asked workers to read, until it takes that.
crawl_results = Table(
    "crawl_results",
    metadata,
    Column("crawl_id", RowId, ForeignKey("crawls.id"), primary_key=True),
    Column("repository", name(255), primary_key=True),
    Column("result", JSON, nullable=False),
)

# Until when the places of what goes at a certain pace are taken, in seconds since the epoch.
paces = Table(
    "paces",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("taken_until", Double, nullable=False),
)

# What rounds know of repositories; a table of its own, because only the one who crawls writes it.
repository_rounds = Table(
    "repository_rounds",
    metadata,
    Column("repository_id", RowId, ForeignKey("repositories.id"), primary_key=True),
    # The crawl in which the registry's catalogue named it last.
    Column("listed_in", RowId),
    # When every tag of it was looked at last.
    Column("verified_at", UtcDateTime, index=True),
    # When that was tried last, and failed.
    Column("tried_at", UtcDateTime),
)

# Differences between index and registry; an open one is one row, however many rounds find it.
drift = Table(
    "drift",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("namespace", name(255)),
    # Empty: it is about a namespace.
    Column("repository", name(255), nullable=False),
    # Empty: it is about a repository.
    Column("tag", name(128), nullable=False),
    Column("indexed_digest", DIGEST),
    Column("found_digest", DIGEST),
    Column("cause", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime, index=True),
    Column("rounds", Integer, nullable=False),
    # The crawl that found it last. NULL: none has yet, it was found in what was read after a loss.
    Column("crawl_id", RowId, ForeignKey("crawls.id"), index=True),
    Index("ix_drift_repository", "repository", "tag", "kind"),
    Index("ix_drift_state", "state", "id"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

# One row: how far the index has come.
progress = Table(
    "progress",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("indexed_at", UtcDateTime),
)

idempotency_keys = idempotency_table(metadata)
inbox = inbox_table(metadata)
outbox = outbox_table(metadata)
