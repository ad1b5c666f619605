"""Repository names, tags and digests.

Source: distribution-spec "Pulling manifests" (grammar of ``<name>``, ``<reference>``), image-spec
"Digests".
"""

import re
from dataclasses import dataclass
from typing import NewType

RepositoryName = NewType("RepositoryName", str)
"""A full repository name: ``team/app``, or ``app`` in the global namespace."""

Tag = NewType("Tag", str)
Digest = NewType("Digest", str)
"""``sha256:<64 hex>`` or ``sha512:<128 hex>``."""

MAX_REPOSITORY_NAME_LENGTH = 255
MAX_TAG_LENGTH = 128

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_COMPONENT_RE = re.compile(_COMPONENT)
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}")


class InvalidName(ValueError):
    """A string is outside the grammar; ``kind`` says of what, the value is not repeated in full."""

    def __init__(self, kind: str, value: str) -> None:
        super().__init__(f"not a valid {kind}: {value[:80]!r}")
        self.kind = kind


def parse_repository_name(value: str) -> RepositoryName:
    """Check a full repository name.

    Raises:
        InvalidName: longer than 255 characters or outside the grammar.
    """
    if len(value) > MAX_REPOSITORY_NAME_LENGTH or not _REPOSITORY.fullmatch(value):
        raise InvalidName("repository name", value)
    return RepositoryName(value)


def parse_tag(value: str) -> Tag:
    """Check a tag.

    Raises:
        InvalidName: longer than 128 characters or outside the grammar.
    """
    if not _TAG.fullmatch(value):
        raise InvalidName("tag", value)
    return Tag(value)


def parse_digest(value: str) -> Digest:
    """Check a digest of a registered algorithm.

    Raises:
        InvalidName: another algorithm or a wrong length.
    """
    if not _DIGEST.fullmatch(value):
        raise InvalidName("digest", value)
    return Digest(value)


def is_name_component(value: str) -> bool:
    """Tell whether a string can be one component of a repository name, as a namespace is."""
    return len(value) <= MAX_REPOSITORY_NAME_LENGTH and _COMPONENT_RE.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class SplitName:
    """A repository name taken apart: ``namespace`` is ``None`` in the global namespace."""

    namespace: str | None
    rest: str


def split_namespace(name: RepositoryName) -> SplitName:
    """Split a name at its first slash; a name without one lies in the global namespace."""
    namespace, slash, rest = name.partition("/")
    return SplitName(namespace, rest) if slash else SplitName(None, name)
