"""What we do in a registry on somebody's behalf, and the mark by which its notifications tell of it.

A registry knows one account of ours, whoever wanted the change. It repeats a request's User-Agent in its
notifications, so that says which change it was and who wanted it: one that is written down already is
not written again, and one of which only the registry tells, because we ended in between, has its author
all the same. Source: distribution "Notifications", ``request.useragent``.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

OWN_EVENT_PREFIX = "portus-"
"""Ids of what we have done ourselves, which no registry's notification begins with: those are plain UUIDs."""

MAX_MARK_LENGTH = 200
"""Of a User-Agent 255 characters are kept; a name that does not fit is left out."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One change of ours.

    Args:
        id: begins with ``OWN_EVENT_PREFIX``; the same in what we write down and in what the registry tells.
        actor: on whose behalf; ``None``: nobody's, as when something is put back where it was.
    """

    id: str
    actor: str | None = None


def dump_errand(errand: Errand) -> str:
    """Return an errand as a comment of a User-Agent (RFC 9110 §10.1.5)."""
    mark = f"({errand.id}; for={quote(errand.actor or '', safe='')})"
    return mark if len(mark) <= MAX_MARK_LENGTH else f"({errand.id}; for=)"


def find_errand(user_agent: str | None) -> Errand | None:
    """Read the mark in a User-Agent, if there is one; whose request it was must be certain already."""
    found = _MARK.search(user_agent or "")
    if found is None:
        return None
    actor = unquote(found["actor"])
    return Errand(found["id"], actor if actor and actor.isprintable() else None)


_MARK = re.compile(rf"\((?P<id>{OWN_EVENT_PREFIX}[0-9a-f-]{{36}}); for=(?P<actor>[^()\s]*)\)\Z")
