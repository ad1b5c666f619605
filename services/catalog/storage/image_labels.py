"""What the images under digests say of themselves, in labels and annotations: an index says what its images say."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, exists, func, literal, select

from services.catalog.domain.labels import MAX_LABELS, NO_LABELS, Labels
from services.catalog.storage.tables import configs, manifest_blobs, manifest_children, manifest_labels, manifests
from shared.oci.media_types import IMAGE_CONFIGS

MAX_NESTING = 1
"""So deep an index may lie in another; of what lies deeper nothing is known here."""

_PER_STATEMENT = 500


def find_image_labels(
    connection: Connection, digests: Collection[str], keys: Collection[str]
) -> Mapping[str, frozenset[Labels] | None]:
    """Return for each digest what its images say, in a few statements for all of them.

    An image says what its configuration and its manifest say, and every index that holds it.

    Args:
        keys: of the labels and annotations that matter.

    Returns:
        The labels of each image, those that say the same once; ``None``: not all of them have been read. What
        is no index is its own only image, and an index without any has what it says itself.
    """
    said, level = _Said(), set(digests)
    # The digests themselves, the images of an index, and those of each index in it.
    for _ in range(MAX_NESTING + 2):
        for part in _parts(sorted(level)):
            said.read |= _list_read(connection, part)
            said.labels |= _load_labels(connection, part, keys)
            said.images |= _load_images(connection, part)
        level = {image for digest in level for image in said.images.get(digest, ())} - said.images.keys()
    return {digest: said.by_images_of(digest) for digest in digests}


@dataclass
class _Said:
    """What manifests say, as far as they have been looked up."""

    read: set[str] = field(default_factory=set)
    """Those of which we have all that they say."""
    labels: dict[str, Labels] = field(default_factory=dict)
    """Each one's own."""
    images: dict[str, Sequence[str]] = field(default_factory=dict)
    """What each index lists."""

    def by_images_of(self, digest: str, *, depth: int = 0) -> frozenset[Labels] | None:
        """Return what each image says, as above."""
        images, own = self.images.get(digest, ()), self.labels.get(digest, NO_LABELS)
        if digest not in self.read or (images and depth > MAX_NESTING):
            return None
        found: set[Labels] = set() if images else {own}
        for image in images:
            said = self.by_images_of(image, depth=depth + 1)
            if said is None:
                return None
            found |= {own | one for one in said}
        return frozenset(found)


def _list_read(connection: Connection, digests: Collection[str]) -> set[str]:
    # The manifest, and the configuration of an image.
    blob, said = manifest_blobs.c, manifest_labels.c
    lacks_config = exists().where(
        blob.manifest_digest == manifests.c.digest,
        blob.position == 0,
        blob.media_type.in_(IMAGE_CONFIGS),
        ~exists().where(configs.c.digest == blob.digest),
    )
    # Of so many, others were left out.
    is_cut = exists(
        select(literal(1))
        .where(said.manifest_digest == manifests.c.digest)
        .group_by(said.is_annotation)
        .having(func.count() >= MAX_LABELS)
    )
    read = manifests.c.body.is_not(None) & manifests.c.readable & ~lacks_config & ~is_cut
    return set(connection.scalars(select(manifests.c.digest).where(manifests.c.digest.in_(digests), read)))


def _load_labels(connection: Connection, digests: Collection[str], keys: Collection[str]) -> Mapping[str, Labels]:
    said = manifest_labels.c
    query = select(said.manifest_digest, said.key, said.value).where(
        said.manifest_digest.in_(digests), said.key.in_(keys)
    )
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for digest, key, value in connection.execute(query):
        found[digest].add((key, value))
    return {digest: frozenset(labels) for digest, labels in found.items()}


def _load_images(connection: Connection, digests: Collection[str]) -> Mapping[str, Sequence[str]]:
    child = manifest_children.c
    # As ``Descriptor.may_run``: a platform that says nothing is not kept.
    may_run = ~child.is_attestation | child.os.is_not(None)
    query = select(child.parent_digest, child.digest).where(child.parent_digest.in_(digests), may_run).distinct()
    found: defaultdict[str, list[str]] = defaultdict(list)
    for parent, digest in connection.execute(query):
        found[parent].append(digest)
    return found


def _parts(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[start : start + _PER_STATEMENT] for start in range(0, len(items), _PER_STATEMENT))
