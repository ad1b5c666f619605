"""Reading JSON that strangers have written: what is not as it should be is an error, or not said."""

import json
from typing import Any, TypeVar

Value = TypeVar("Value")

MAX_TEXT_LENGTH = 255


class Malformed(Exception):
    """The bytes are not what their media type promises."""


def read_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        Malformed: it is none.
    """
    try:
        return of_type(dict, json.loads(body))
    except (ValueError, RecursionError) as fault:
        raise Malformed from fault


def of_type(kind: type[Value], value: object) -> Value:
    """Return a value of a type.

    Raises:
        Malformed: it is of another.
    """
    if not isinstance(value, kind):
        raise Malformed
    return value


def find_text(value: object) -> str | None:
    """Return a short text that can be shown in a line and kept in a database, or nothing."""
    # Control characters and lone surrogates, which no database takes, count as not said.
    if isinstance(value, str) and 0 < len(value) <= MAX_TEXT_LENGTH and value.isprintable():
        return value
    return None


def in_one_line(text: str) -> str:
    """Return the words of a text, with nothing between them but blanks, and nothing that no database takes."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def find_strings(value: object) -> dict[str, str]:
    """Return the texts of a map of texts; what else is in it counts as not said."""
    if not isinstance(value, dict):
        return {}
    return {key: text for key, text in value.items() if isinstance(text, str)}
