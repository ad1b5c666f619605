"""Texts of strangers, made fit to be kept."""


def storable(text: str) -> str:
    """Return a text without what PostgreSQL does not store: NUL, and half of a surrogate pair."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
