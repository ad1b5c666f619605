"""Reading an answer that may be longer, slower or other than it should be."""

import hashlib
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

from services.catalog.clients.bodies import BodyTooLong, BodyTooSlow, read_body
from services.catalog.usecases.registry import (
    DeletionDisabled,
    InvalidAnswer,
    NotInRegistry,
    RegistryUnavailable,
    TagsNotDeletable,
    TooLarge,
)
from shared.oci.media_types import DOCKER_SCHEMA1_SIGNED
from shared.oci.names import Digest, InvalidName, parse_digest

MAX_READ_S = 15
"""Longest time for a whole body, however steadily it drips."""

MAX_REFUSAL_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer, read to its end."""

    headers: "requests.structures.CaseInsensitiveDict[str]"
    body: bytes

    @property
    def media_type(self) -> str | None:
        return self.headers.get("Content-Type")

    @property
    def digest(self) -> Digest | None:
        """``Docker-Content-Digest``, when it is one."""
        try:
            return parse_digest(self.headers.get("Docker-Content-Digest", ""))
        except InvalidName:
            return None

    def sent_at(self, otherwise: datetime) -> datetime:
        """Return the server's clock when it answered, to the second."""
        return _told_at(self.headers) or otherwise

    def json(self) -> dict[str, Any]:
        """Return the body as an object.

        Raises:
            InvalidAnswer: it is not one.
        """
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError) as fault:
            raise InvalidAnswer("the registry's answer is not JSON") from fault
        if not isinstance(value, dict):
            raise InvalidAnswer("the registry's answer is not a JSON object")
        return value


def read_answer(response: requests.Response, what: str, *, max_bytes: int) -> Answer:
    """Read a streamed response that brings what was asked for.

    Args:
        what: was asked for, for messages.

    Raises:
        NotInRegistry: 404.
        RegistryUnavailable: 429, an error of the registry's own, a broken connection, or no end in time.
        TooLarge: more than ``max_bytes``.
        InvalidAnswer: any other refusal.
    """
    try:
        _require(200, response.status_code, what)
        return Answer(response.headers, _read(response, what, max_bytes))
    except NotInRegistry as fault:
        fault.seen_at = _told_at(response.headers)
        raise
    except requests.RequestException as fault:
        raise RegistryUnavailable(f"the registry broke off {what} ({type(fault).__name__})") from fault
    finally:
        response.close()


def read_deletion(response: requests.Response, what: str, *, asked_at: datetime, is_tag: bool = False) -> datetime:
    """Read the answer to a DELETE; return when it happened, by the registry's clock.

    Args:
        asked_at: by our own clock.
        is_tag: a tag was to be deleted alone.

    Raises:
        NotInRegistry: 404.
        DeletionDisabled: 405.
        TagsNotDeletable: 400 for a tag.
        RegistryUnavailable: 429, or an error of the registry's own.
        InvalidAnswer: any other refusal.
    """
    response.close()
    if response.status_code == 405:
        raise DeletionDisabled
    if response.status_code == 400 and is_tag:
        # 2.8 takes the tag for a digest: DIGEST_INVALID.
        raise TagsNotDeletable
    _require(202, response.status_code, f"{what} to delete")
    return _moment(response, asked_at)


def read_created(response: requests.Response, what: str, *, asked_at: datetime) -> datetime:
    """Read the answer to a PUT; return when it happened, by the registry's clock.

    Args:
        asked_at: by our own clock.

    Raises:
        RegistryUnavailable: 429, or an error of the registry's own.
        InvalidAnswer: any other refusal, with the registry's word for it.
    """
    try:
        word = _read(response, what, MAX_REFUSAL_BYTES).decode(errors="replace") if response.status_code == 400 else ""
    except requests.RequestException as fault:
        raise RegistryUnavailable(f"the registry broke off {what} ({type(fault).__name__})") from fault
    finally:
        response.close()
    if word:
        raise InvalidAnswer(f"the registry does not take {what}: {_first_line(word)}")
    _require(201, response.status_code, what)
    return _moment(response, asked_at)


def _moment(response: requests.Response, asked_at: datetime) -> datetime:
    # The registry tells the second only. Our clock says where in it, unless the two do not agree.
    second = _told_at(response.headers) or asked_at
    return max(second, min(asked_at, second + timedelta(seconds=1)))


def _told_at(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return None


def is_there(response: requests.Response, what: str) -> bool:
    """Read the answer to a HEAD.

    Raises:
        RegistryUnavailable, InvalidAnswer: it cannot be told.
    """
    response.close()
    # A registry on an object store answers with an address there.
    if response.status_code == 404 or response.is_redirect:
        return response.is_redirect
    _require(200, response.status_code, what)
    return True


def read_location(response: requests.Response, what: str) -> str:
    """Read where an upload that was begun goes on: path and query, on the same server.

    Raises:
        RegistryUnavailable, InvalidAnswer: it was not begun.
    """
    response.close()
    _require(202, response.status_code, what)
    # Behind a proxy the registry may name a host that we cannot reach.
    parts = urlsplit(response.headers.get("Location", ""))
    if not parts.path.startswith("/"):
        raise InvalidAnswer(f"the registry says no place for {what}")
    return urlunsplit(("", "", parts.path, parts.query, ""))


def _first_line(word: str) -> str:
    return "".join(filter(str.isprintable, word))[:300]


def _require(good: int, status: int, what: str) -> None:
    if status == 404:
        raise NotInRegistry(f"the registry has no {what}")
    if status == 429 or status >= 500:
        raise RegistryUnavailable(f"the registry answers {status} for {what}")
    if status != good:
        raise InvalidAnswer(f"the registry answers {status} for {what}")


def _read(response: requests.Response, what: str, max_bytes: int) -> bytes:
    try:
        return read_body(response, max_bytes=max_bytes, max_s=MAX_READ_S)
    except BodyTooLong as fault:
        raise TooLarge(f"{what} has more than {max_bytes} bytes") from fault
    except BodyTooSlow as fault:
        raise RegistryUnavailable(f"the registry took more than {MAX_READ_S} s for {what}") from fault


def check_digest(body: bytes, expected: Digest, *, media_type: str | None = None) -> None:
    """Check that bytes are what their digest says.

    Raises:
        InvalidAnswer: they are not.
    """
    algorithm, _, wanted = expected.partition(":")
    content = _signed_content(body) if (media_type or "").startswith(DOCKER_SCHEMA1_SIGNED) else body
    if hashlib.new(algorithm, content).hexdigest() != wanted:
        raise InvalidAnswer(f"the registry's bytes are not those of {expected}")


def _signed_content(body: bytes) -> bytes:
    # Docker "Image Manifest Version 2, Schema 1": the digest is that of the JSON without its
    # signatures, which the first signature's protected header describes by length and tail.
    try:
        protected = json.loads(_base64(json.loads(body)["signatures"][0]["protected"]))
        return body[: protected["formatLength"]] + _base64(protected["formatTail"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as fault:
        raise InvalidAnswer("the registry's schema 1 manifest has no readable signature") from fault


def _base64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
