"""What a deletion would do, before it is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.oci.names import Digest, RepositoryName, Tag


class Method(StrEnum):
    """How the registry is made to delete."""

    DIGEST = "digest"
    """The manifest goes with every tag on it."""
    TAG = "tag"
    """The tag goes alone, as registries from 3.0 can."""
    REPLACEMENT = "replacement"
    """A throw-away manifest is put under the tag and deleted: the tag goes alone from a registry that cannot."""
    REPOSITORY = "repository"
    """Every manifest goes."""


@dataclass(frozen=True, slots=True)
class TagPlace:
    """A tag as a caller has named it."""

    id: int
    repository_id: int
    repository: RepositoryName
    name: Tag
    digest: Digest


@dataclass(frozen=True, slots=True)
class IndexRef:
    """An index that lists a manifest."""

    digest: Digest
    tags: Sequence[Tag]


@dataclass(frozen=True, slots=True)
class ReferrerRef:
    """Something that is about a manifest: a signature, a bill of materials."""

    digest: Digest
    artifact_type: str | None
    tag: Tag | None = None
    """The tag that is made of the digest, where there is one."""


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """What would go, what would stay, and what would be broken."""

    repository: RepositoryName
    method: Method
    digest: Digest | None = None
    """``None``: the whole repository."""
    tags: Sequence[Tag] = ()
    """The first of those that would go."""
    tags_count: int = 0
    """How many would go."""
    other_tags: Sequence[Tag] = ()
    """Those on the same digest that would stay."""
    indexes: Sequence[IndexRef] = ()
    """Those that would lack one of their manifests."""
    referrers: Sequence[ReferrerRef] = ()
    """Those that would be about nothing."""
    referrer_tags: Sequence[Tag] = ()
    """The tags made of its digest, or of the digest of what these point at, that would go, too."""
    untagged: Sequence[Digest] = ()
    """What an index holds and nothing else does: it stays until the registry collects its garbage."""
    freed_bytes: int = 0
    """What a garbage collection that deletes untagged manifests would give back."""
    is_exact: bool = True
    """Whether everything that would go is known."""
    is_looked_through: bool = True
    """Whether the registry is asked first what else leads to the manifest; else a tag goes alone, and that stays."""


def method_for_tag(*, shares_digest: bool, is_listed: bool, registry_deletes_tags: bool) -> Method:
    """Choose how a tag is deleted, so that nothing else goes.

    Args:
        shares_digest: other tags are on its digest.
        is_listed: an index lists its digest.
        registry_deletes_tags: whether the registry can delete a tag alone.
    """
    if not shares_digest and not is_listed:
        return Method.DIGEST
    return Method.TAG if registry_deletes_tags else Method.REPLACEMENT
