"""An index with as many repositories and tags as a large registry has, made by the database itself."""

from dataclasses import dataclass

from sqlalchemy import text

from shared.database import Database

SMALL, MIDDLE, LARGE = "bulk-1/app-1", "bulk-2/app-2", "bulk-3/app-3"
"""Repositories with 10, 1 000 and 10 000 tags."""


@dataclass(frozen=True)
class Size:
    """How much lies in it: ``tags`` of every repository but the three above."""

    repositories: int
    tags: int
    manifests: int


LARGE_REGISTRY = Size(repositories=10_000, tags=99, manifests=200_000)
"""1 000 713 tags."""

_DIGEST = "'sha256:' || encode(sha256(('manifest ' || {0})::text::bytea), 'hex')"
_STATEMENTS = (
    """INSERT INTO repositories (full_name, namespace, tags_count, size_bytes, pulls, created_at, updated_at, stars)
       SELECT 'bulk-' || n % 500 || '/app-' || n, 'bulk-' || n % 500, 1, 1, 0, now(), now(), 0
       FROM generate_series(1, :repositories) n""",
    f"""INSERT INTO manifests (digest, media_type, size_bytes, os, architecture, readable, body)
       SELECT {_DIGEST.format("n")}, 'application/vnd.oci.image.manifest.v1+json', n, 'linux', 'amd64', true, 'x'
       FROM generate_series(1, :manifests) n""",
    f"""INSERT INTO tags (repository_id, name, digest, present, written_at, written_by_event, pushed_at, pushed_by,
           first_seen_at)
       SELECT r.id, CASE WHEN t = 1 THEN 'latest' ELSE 'v' || t || '.' || r.id % 10 END,
           {_DIGEST.format("(1 + (r.id * 20 + t) % :manifests)")}, true, now() - t * interval '1 minute', 'e', now(),
           'person-' || (r.id * 7 + t) % 1000, now()
       FROM repositories r,
           generate_series(1, CASE r.full_name
               WHEN 'bulk-1/app-1' THEN 10 WHEN 'bulk-2/app-2' THEN 1000 WHEN 'bulk-3/app-3' THEN 10000
               ELSE :tags END) t
       WHERE r.namespace LIKE 'bulk-%'""",
    """INSERT INTO repository_manifests (repository_id, digest, present, written_at, written_by_event, first_seen_at)
       SELECT DISTINCT repository_id, digest, true, now(), 'e', now() FROM tags
       WHERE repository_id IN (SELECT id FROM repositories WHERE namespace LIKE 'bulk-%')""",
    f"""INSERT INTO manifest_labels (manifest_digest, is_annotation, key, value)
       SELECT {_DIGEST.format("n")}, label,
           CASE WHEN label THEN 'org.opencontainers.image.version' ELSE 'maintainer' END,
           CASE WHEN label THEN 'v' || n % 5000 ELSE 'person-' || n % 1000 END
       FROM generate_series(1, :manifests / 2) n, (VALUES (true), (false)) AS labels (label)""",
    """UPDATE repositories SET tags_count = (SELECT count(*) FROM tags WHERE repository_id = repositories.id)
       WHERE namespace LIKE 'bulk-%'""",
)


def fill(database: Database, size: Size) -> None:
    """Fill an index on PostgreSQL with what it lacks to be large (about half a minute for a million tags)."""
    parameters = {"repositories": size.repositories, "tags": size.tags, "manifests": size.manifests}
    with database.write() as connection:
        for statement in _STATEMENTS:
            connection.execute(
                text(statement), {key: value for key, value in parameters.items() if f":{key}" in statement}
            )
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
