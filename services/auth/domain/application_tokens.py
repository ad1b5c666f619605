"""Application tokens: what their owners call them, how long they live, and what they are narrowed to."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.auth.domain.errors import Forbidden, Invalid
from services.auth.domain.grants import check_actions
from services.auth.domain.lifetimes import FOR_EVER, Lifetime
from services.auth.domain.subjects import Subject

MAX_TOKEN_NAME_LENGTH = 255
MAX_NARROWED_NAMESPACES = 100
"""Most namespaces that a token is narrowed to."""
DEFAULT_TOKEN_LIMIT = 20
MAX_TOKEN_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What the operator has settled about application tokens."""

    limit: int = DEFAULT_TOKEN_LIMIT
    """Most tokens of one person, those that have expired included."""
    max_ttl: timedelta | None = None
    """Longest life; ``None``: a token may be good for ever."""

    def end_of(self, lifetime: Lifetime, now: datetime) -> datetime | None:
        """Return when a new token ends; one for which nothing was asked lives as long as it may.

        Raises:
            Invalid: it would live too long, or not at all.
        """
        end = lifetime.end(now)
        if self.max_ttl is None:
            return end
        latest = now + self.max_ttl
        if end is not None and end > latest:
            seconds = int(self.max_ttl.total_seconds())
            raise Invalid({"expires_at": [f"must be within {seconds} seconds from now: nobody's token lives longer"]})
        return end or latest


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that somebody wants to make."""

    name: str
    lifetime: Lifetime = FOR_EVER
    actions: frozenset[str] | None = None
    """What is left of the owner's rights; ``None`` leaves them whole, likewise for the namespaces."""
    namespaces: frozenset[str] | None = None


def check_maker(subject: Subject, owner_id: int, *, owner_is_bot: bool) -> None:
    """Let people make tokens for themselves, and administrators for bots, which cannot ask.

    Raises:
        Forbidden: a token is a way to act as its owner, so nobody makes one for another person; nor
            does a token that was narrowed make one that is wider.
    """
    if subject.narrowing is not None:
        raise Forbidden("A narrowed application token makes no other tokens.")
    if subject.user_id == owner_id or (subject.administrator and owner_is_bot):
        return
    raise Forbidden("People make application tokens for themselves; administrators make them for bots.")


def check_new_token(new: NewToken) -> None:
    """Check what can be checked without knowing anything else.

    Raises:
        Invalid: names the field.
    """
    if not 1 <= len(new.name) <= MAX_TOKEN_NAME_LENGTH:
        raise Invalid({"application": [f"must have 1 to {MAX_TOKEN_NAME_LENGTH} characters"]})
    if new.actions is not None:
        check_actions(new.actions)
    if new.namespaces is not None and not 1 <= len(new.namespaces) <= MAX_NARROWED_NAMESPACES:
        raise Invalid({"namespaces": [f"must name 1 to {MAX_NARROWED_NAMESPACES} namespaces, or be left out"]})


def check_room(names: Collection[str], name: str, limit: int) -> None:
    """Check that a person may have one more token of that name.

    Args:
        names: of the tokens that the person has.

    Raises:
        Invalid: the name is taken, or there are enough.
    """
    if name in names:
        raise Invalid({"application": ["has already been taken"]})
    if len(names) >= limit:
        fault = f"there are {len(names)} tokens already and {limit} are allowed: revoke one that is not needed"
        raise Invalid({"application": [fault]})
