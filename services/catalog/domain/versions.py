"""The order of versions."""

import re

_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-+_](.+))?")


def version_key(tag: str) -> tuple[object, ...]:
    """Return what tags are compared by: versions by semver's precedence, and all else before them.

    Source: semver.org 2.0.0, item 11; one or two numbers count as if noughts followed.
    """
    found = _VERSION.fullmatch(tag)
    if found is None or max(len(number or "") for number in found.groups()[:3]) > 18:
        return (0, (), (), tag)
    numbers = tuple(int(number or 0) for number in found.groups()[:3])
    # A pre-release comes before its release.
    stage = (1,) if found[4] is None else (0, *(_identifier(part) for part in found[4].split(".")))
    return (1, numbers, stage, tag)


def _identifier(part: str) -> tuple[int, int, str]:
    # Numbers come before words.
    return (0, int(part), "") if part.isascii() and part.isdigit() and len(part) <= 18 else (1, 0, part)
