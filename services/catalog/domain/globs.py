"""Globs over names: ``*`` stands for any run of characters, slashes too, ``?`` for one, ``[ab]`` for one of a few."""

from collections.abc import Sequence
from fnmatch import fnmatchcase


def is_covered(globs: Sequence[str], name: str) -> bool:
    """Tell whether one of the globs covers a name."""
    return any(fnmatchcase(name, glob) for glob in globs)
