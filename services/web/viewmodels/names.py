"""Names and digests, taken apart for showing."""

from dataclasses import dataclass

SHORT_DIGEST_LENGTH = 12
"""Characters of the hexadecimal part that a chip shows."""


@dataclass(frozen=True, slots=True)
class NameText:
    """A repository name: the dimmed part, the strong part, and the whole."""

    namespace: str | None
    components: tuple[str, ...]
    """What follows the namespace; more than one when names nest."""
    full: str


@dataclass(frozen=True, slots=True)
class DigestChip:
    """A digest: what is shown and what is copied."""

    short: str
    full: str


def present_name(full_name: str) -> NameText:
    """Take a full repository name apart at its slashes."""
    namespace, slash, rest = full_name.partition("/")
    if not slash:
        return NameText(None, (full_name,), full_name)
    return NameText(namespace, tuple(rest.split("/")), full_name)


def present_digest(digest: str) -> DigestChip:
    """Shorten a digest to its first 12 hexadecimal characters."""
    _algorithm, _colon, encoded = digest.rpartition(":")
    return DigestChip(encoded[:SHORT_DIGEST_LENGTH], digest)
