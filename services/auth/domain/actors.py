"""Who changes something, and from where: what the audit trail holds them to.

Reading takes a ``Subject``; changing takes an ``Actor``, so that no change can forget who made it.
"""

from dataclasses import dataclass

from services.auth.domain.subjects import INTERNAL, OPERATOR, Subject


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from; both are empty at the command line."""

    address: str = ""
    """As the server or a proxy gave it."""
    request_id: str = ""
    """The one in the answer's ``X-Request-Id`` and in the log."""


@dataclass(frozen=True, slots=True)
class Actor:
    """An established subject that is about to change something."""

    subject: Subject
    origin: Origin


COMMAND_LINE = Actor(OPERATOR, Origin())
"""Whoever runs our commands on the machine."""
PORTUS = Actor(INTERNAL, Origin())
"""Portus itself, when it does what nobody has asked for at that moment."""
