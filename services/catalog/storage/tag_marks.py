"""What is worth a mark beside a tag: that it must not move, that it did, and what is about its image."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, exists, func, select

from services.catalog.domain.referrers import Kind, find_referrer_tag, kind_of
from services.catalog.storage.immutability import load_rules
from services.catalog.storage.referrer_queries import select_referrers
from services.catalog.storage.tables import manifests, tag_writes, tags
from shared.oci.names import RepositoryName, Tag

Place = tuple[int, str]
"""Id of a repository, and a digest in it."""


def find_overwritten(connection: Connection, ids: Collection[int]) -> set[int]:
    """Return which of some tags pointed at something else before, as far back as the history goes."""
    written = tag_writes.c
    elsewhere = exists().where(
        written.repository_id == tags.c.repository_id,
        written.tag == tags.c.name,
        written.digest.is_not(None),
        written.digest != tags.c.digest,
    )
    return set(connection.scalars(select(tags.c.id).where(tags.c.id.in_(ids), elsewhere)))


def find_immutable(connection: Connection, named: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return which of some tags must not move, each as the full name of its repository and its own."""
    rules = load_rules(connection)
    return {
        (repository, tag)
        for repository, tag in named
        if any(rule.covers(RepositoryName(repository), Tag(tag)) for rule in rules)
    }


def list_referrer_kinds(
    connection: Connection, repositories: Collection[int], digests: Collection[str]
) -> Mapping[Place, Sequence[Kind]]:
    """Return what kinds of things are about manifests; nothing for those that nothing is about."""
    there = select_referrers(repositories, digests).subquery()
    query = (
        select(there.c.repository_id, there.c.subject, manifests.c.artifact_type, func.max(there.c.tag))
        .join_from(there, manifests, manifests.c.digest == there.c.digest)
        .group_by(there.c.repository_id, there.c.subject, manifests.c.artifact_type, func.substr(there.c.tag, _SUFFIX))
    )
    found: dict[Place, set[Kind]] = defaultdict(set)
    for repository, subject, artifact_type, tag in connection.execute(query):
        named = find_referrer_tag(Tag(tag)) if tag else None
        found[repository, subject].add((named and named.kind) or kind_of(artifact_type))
    return {place: sorted(kinds) for place, kinds in found.items()}


_SUFFIX = len(f"sha256-{64 * '0'}") + 1
"""Where the suffix of a tag that is made of a digest begins, counted from one."""
