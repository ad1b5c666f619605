"""What somebody means who types or pastes something into a search.

Source: the reference grammar of the distribution specification (``[host/]name[:tag][@digest]``).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from shared.oci.names import Digest, InvalidName, RepositoryName, Tag, parse_digest, parse_repository_name, parse_tag

Name = TypeVar("Name")

MAX_QUERY_LENGTH = 512
MIN_HEX_LENGTH = 6
"""So many digits a bare piece of a digest has at least: fewer are taken for a name."""

_SCHEME = re.compile(r"(?:[a-z]+ )*(?:[a-z]+://)?")
_DIGEST_START = re.compile(r"(?:(sha256|sha512):)?([a-f0-9]+)")


@dataclass(frozen=True, slots=True)
class Search:
    """A query taken apart; what it cannot mean is ``None``."""

    text: str
    """As it was typed, without what goes before a name."""
    repository: RepositoryName | None = None
    """What could be the whole name of a repository."""
    tag: Tag | None = None
    """What was named behind the repository."""
    digest: Digest | None = None
    digest_start: str | None = None
    """``sha256:`` and the first digits of a digest."""
    label: tuple[str, str | None] | None = None
    """Key, and the beginning of a value where one was given."""

    @property
    def is_reference(self) -> bool:
        """Whether it can only mean one tag or one digest in one repository."""
        return self.repository is not None and (self.tag is not None or self.digest is not None)


def parse_search(query: str, *, host: str) -> Search:
    """Take a query apart.

    Args:
        query: a part of a name, ``[host/]repository[:tag][@digest]``, the beginning of a digest, a label's
            key, or ``key=value``; a command or scheme in front of a reference is passed over.
        host: the registry as people type it.
    """
    text = _without_host(_SCHEME.sub("", query.strip(), count=1) if "/" in query else query.strip(), host)
    key, equals, value = text.partition("=")
    label = (key.strip(), value.strip() if equals else None) if key.strip() else None
    before, at, named = text.partition("@")
    digest = _find(parse_digest, named if at else text)
    name, tag = _split_tag(before) if at or digest is None else ("", None)
    return Search(
        text=text,
        repository=_find(parse_repository_name, name),
        tag=tag,
        digest=digest,
        digest_start=_digest_start(named if at else text),
        label=label,
    )


def _without_host(text: str, host: str) -> str:
    first, slash, rest = text.partition("/")
    # As clients tell them apart: a host has a dot, a port, or is localhost.
    is_host = first == host or "." in first or ":" in first or first == "localhost"
    return rest if slash and is_host and rest else text


def _split_tag(text: str) -> tuple[str, Tag | None]:
    name, colon, tag = text.rpartition(":")
    found = _find(parse_tag, tag) if colon and "/" not in tag else None
    return (name, found) if found else (text, None)


def _digest_start(text: str) -> str | None:
    found = _DIGEST_START.fullmatch(text)
    if found is None or len(found[2]) < MIN_HEX_LENGTH:
        return None
    return f"{found[1] or 'sha256'}:{found[2]}"


def _find(parse: Callable[[str], Name], text: str) -> Name | None:
    try:
        return parse(text)
    except InvalidName:
        return None
