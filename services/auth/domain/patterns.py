"""Globs on full repository names: ``team/app-*``, ``ci-*``, ``*``.

``*`` stands for any run of characters, slashes too, so that ``ci-*`` covers every repository of every
namespace that begins with ``ci-``, those to come as well. Nothing else is special.
"""

import re
from dataclasses import dataclass

from services.auth.domain.errors import Invalid

EVERYTHING = "*"
MAX_PATTERN_LENGTH = 255
MAX_STARS = 8

_PATTERN = re.compile(r"[a-z0-9*]+(?:(?:[._/-]|__)?[a-z0-9*._/-]*)?")


@dataclass(frozen=True, slots=True)
class NamespaceHead:
    """Which namespaces a pattern reaches into: one by its name, or those that begin in some way."""

    text: str
    is_whole_name: bool
    reaches_global: bool
    """Whether a name without a slash can match."""

    def covers(self, namespace: str) -> bool:
        """Tell whether the pattern may match a repository of the namespace."""
        if not namespace:
            return self.reaches_global
        return namespace == self.text if self.is_whole_name else namespace.startswith(self.text)


def check_pattern(pattern: str) -> None:
    """Check a pattern that somebody wants to use.

    Raises:
        Invalid: too long, too many stars, or a character that no repository name has.
    """
    if len(pattern) > MAX_PATTERN_LENGTH or not _PATTERN.fullmatch(pattern):
        fault = f"must have 1 to {MAX_PATTERN_LENGTH} characters of a repository name, with '*' for any run of them"
        raise Invalid({"pattern": [fault]})
    if pattern.count("*") > MAX_STARS:
        raise Invalid({"pattern": [f"may hold at most {MAX_STARS} stars"]})


def matches(pattern: str, name: str) -> bool:
    """Tell whether a pattern covers a name, in time proportional to their lengths.

    A regular expression would go back and forth between the stars.
    """
    first, *rest = pattern.split("*")
    if not rest:
        return name == pattern
    *middle, last = rest
    if len(name) < len(first) + len(last) or not name.startswith(first) or not name.endswith(last):
        return False
    position, end = len(first), len(name) - len(last)
    for part in middle:
        found = name.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


def contains(wide: str, narrow: str) -> bool:
    """Tell whether a pattern covers every name that another one covers."""
    # A star of the narrow one is a character that only a star of the wide one can stand for.
    return matches(wide, narrow)


def check_within(pattern: str, namespace: str) -> None:
    """Check a pattern that is to hold in one namespace only, so that nobody takes it for a name inside.

    Raises:
        Invalid: it does not spell out the namespace; or, for the global one, holds a slash.
    """
    check_pattern(pattern)
    if not namespace and "/" in pattern:
        raise Invalid({"pattern": ["must hold no slash: no name in the global namespace does"]})
    if namespace and not (pattern.startswith(f"{namespace}/") and len(pattern) > len(namespace) + 1):
        raise Invalid({"pattern": [f"must begin with {namespace}/, for example {namespace}/app-*"]})


def everything_in(namespace: str) -> str:
    """Return the pattern of everything in a namespace."""
    return f"{namespace}/{EVERYTHING}" if namespace else EVERYTHING


def covers_namespace(pattern: str, namespace: str) -> bool:
    """Tell whether a pattern covers every repository that the namespace could ever hold."""
    if not namespace:
        return not pattern.strip("*")
    # What follows the slash is unknown, so a star at the end must be able to stand for all of it.
    return pattern.endswith("*") and matches(pattern, f"{namespace}/")


def namespace_head(pattern: str) -> NamespaceHead:
    """Return which namespaces a pattern reaches into."""
    literal, star, _rest = pattern.partition("*")
    namespace, slash, _path = literal.partition("/")
    if slash:
        return NamespaceHead(namespace, is_whole_name=True, reaches_global=False)
    # Without a slash before the first star, the star may hold the rest of the namespace's name.
    return NamespaceHead(literal if star else "", is_whole_name=not star, reaches_global="/" not in pattern)
