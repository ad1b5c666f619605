"""Webhooks: which there may be, and which events each is told of.

InvalidWebhook   a value breaks a rule; the faults are given by field
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from urllib.parse import SplitResult, urlsplit

MAX_URL_LENGTH = 2048
MAX_GLOBS = 20
MAX_HEADERS = 20
MAX_WEBHOOKS = 100
"""Of one namespace, or of the whole installation."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PLAIN = re.compile(r"[\x21-\x7e]*")
# RFC 9110 §5.1 and §5.5: a token, and visible characters with blanks between them.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?")
_RESERVED = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
    }
)
"""What the transport, or the signature, is made of (lower case)."""


class Happening(StrEnum):
    """What a webhook can be told of."""

    PUSH = "push"
    DELETE = "delete"
    OVERWRITTEN = "overwritten"


HAPPENINGS: Mapping[str, Happening] = {
    "catalog.tag.pushed.v1": Happening.PUSH,
    "catalog.tag.deleted.v1": Happening.DELETE,
    "catalog.tag.overwritten.v1": Happening.OVERWRITTEN,
}
"""By the type of the event."""

DEFAULT_HAPPENINGS = (Happening.PUSH, Happening.DELETE)


class Method(StrEnum):
    """How a receiver is asked."""

    POST = "POST"
    GET = "GET"


class ContentType(StrEnum):
    """How the event is written into the request."""

    JSON = "application/json"
    FORM = "application/x-www-form-urlencoded"


class InvalidWebhook(Exception):
    """A value breaks a rule.

    Args:
        errors: sentences by field.
    """

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__("The request is not valid.")
        self.errors = {field: list(faults) for field, faults in errors.items()}


@dataclass(frozen=True, slots=True)
class Selection:
    """Of which events a webhook is told.

    Args:
        namespace: ``None``: of the whole installation; empty: of the global namespace.
        repositories, tags: globs; one of each has to cover a tag, and none at all covers every one.
    """

    namespace: str | None
    happenings: frozenset[Happening]
    repositories: Sequence[str] = ()
    tags: Sequence[str] = ()

    def covers(self, happening: Happening, *, namespace: str, repository: str, tag: str) -> bool:
        """Tell whether something that happened to a tag is told."""
        if happening not in self.happenings or self.namespace not in (None, namespace):
            return False
        return _is_covered(self.repositories, repository) and _is_covered(self.tags, tag)


def check_url(value: str) -> str:
    """Return the address of a receiver as it is kept; without a scheme it gets ``http://``.

    Raises:
        InvalidWebhook: it is blank, of another scheme, holds a user or a password, or is no address.
    """
    url = value.strip()
    if url and not _SCHEME.match(url):
        url = f"http://{url}"
    if fault := _url_fault(url):
        raise InvalidWebhook({"url": [fault]})
    return url


def origin_of(url: str) -> tuple[str, str, int]:
    """Return the scheme, host and port of a checked address."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", port_of(parts)


def host_of(url: str) -> str:
    """Return the host and port of a checked address, as one text: what a receiver's slowness belongs to."""
    _scheme, host, port = origin_of(url)
    return f"{host}:{port}"


def port_of(parts: SplitResult) -> int:
    """Return the port of a checked address."""
    return parts.port or (443 if parts.scheme == "https" else 80)


def base_of(url: str) -> str:
    """Return where an address leads, without anything that may be a secret."""
    scheme, host, port = origin_of(url)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"


def without_query(url: str) -> str:
    """Return an address for everybody's eyes: a query may hold a secret."""
    return url.partition("?")[0]


def check_header(name: str, value: str) -> None:
    """Check a header that somebody wants to be sent.

    Raises:
        InvalidWebhook: name or value is none of HTTP's, or the header is not theirs to set.
    """
    if not _HEADER_NAME.fullmatch(name):
        raise InvalidWebhook({"name": ["must be the name of an HTTP header: letters, digits and hyphens"]})
    if name.lower() in _RESERVED or name.lower().startswith("proxy-"):
        raise InvalidWebhook({"name": ["is set by Portus itself"]})
    if not _HEADER_VALUE.fullmatch(value):
        raise InvalidWebhook({"value": ["must be visible ASCII characters, with blanks between them at most"]})


def _is_covered(globs: Sequence[str], name: str) -> bool:
    return not globs or any(fnmatchcase(name, glob) for glob in globs)


def _url_fault(url: str) -> str | None:
    if not url:
        return "must not be blank"
    if len(url) > MAX_URL_LENGTH:
        return f"must have {MAX_URL_LENGTH} characters at most"
    if not _PLAIN.fullmatch(url):
        return "must hold visible ASCII characters only: write others percent-encoded, and names of hosts in Punycode"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in ("http", "https"):
        return "must begin with http:// or https://"
    if "@" in parts.netloc:
        return "must hold no user and no password: give them by themselves"
    if not parts.hostname or "\\" in url or port == 0:
        return "is no address"
    return "must hold no fragment (#)" if parts.fragment else None
