"""Secrets that nobody has to think up: made once, kept in files that only their owner may read."""

import os
import secrets
from pathlib import Path

from shared.config import Secret


def find_secret(path: Path) -> Secret | None:
    """Return the secret in a file, or ``None`` when there is no such file."""
    try:
        return Secret(path.read_text().strip())
    except FileNotFoundError:
        return None


def find_or_make_secret(path: Path) -> Secret:
    """Return the secret in a file; write a new one there first if there is none."""
    return find_secret(path) or make_secret(path)


def make_secret(path: Path) -> Secret:
    """Write a new secret of 192 random bits to a file of mode 0600."""
    value = secrets.token_urlsafe(24)
    write_private(path, value + "\n")
    return Secret(value)


def write_private(path: Path, content: str) -> None:
    """Write a file of mode 0600; a reader sees all of it or the one before."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(content)
    unfinished.rename(path)
