"""Short texts in messages: what a column of any database takes and a person can read."""

from typing import Any

from shared.contracts.events import InvalidMessage

MAX_WORD_LENGTH = 255


def load_word(value: Any, field: str) -> str:
    """Return a text of 1 to 255 printable characters.

    Raises:
        InvalidMessage: it is none; the message names the field and not the value.
    """
    if word := find_word(value):
        return word
    raise InvalidMessage(f"{field} is not a word of 1 to {MAX_WORD_LENGTH} printable characters")


def find_word(value: Any) -> str | None:
    """Return a text of 1 to 255 printable characters, or ``None``."""
    if isinstance(value, str) and 0 < len(value) <= MAX_WORD_LENGTH and value.isprintable():
        return value
    return None
