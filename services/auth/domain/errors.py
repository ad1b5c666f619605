"""What can go wrong in ``auth`` on the caller's side.

AuthFault                  the request cannot be carried out
├── BadCredentials         who is calling could not be established
├── PasswordsClosed        a password was shown where only application tokens are taken
├── TooManyAttempts        too many wrong passwords; the right one is not looked at for a while
├── NotFound               it does not exist, or the caller may not know that it does
├── Forbidden              the caller may know of it, and may not do this
├── Invalid                a value breaks a rule; the faults are given by field
├── NotEmptied             images of a namespace could not be deleted, so that it stays, and its team
├── StillEmptying          a namespace or a team holds more than one request can delete
├── CatalogAway            nobody can say what lies in a namespace, or take it out
├── SetupClosed            the first administrator may not be made this way here
├── SetupDone              there are people already
├── TooManyEntries         more of the audit trail was asked for than one file may hold
├── SigningUnavailable     there is no key to sign a token with, because the CA has ended
└── Overloaded             more passwords wait to be checked than this process can check

A denied action of a token's scope is none of these: it is a ``Decision``.
"""

from collections.abc import Mapping, Sequence

from services.auth.domain.subjects import Subject

MAX_NAMED = 20
"""Most things that a sentence names."""

Faults = Mapping[str, Sequence[str]]
"""Sentences by field."""


class AuthFault(Exception):
    """The request cannot be carried out; the text is fit for the caller's eyes."""


class BadCredentials(AuthFault):
    """Name or password is wrong, the account is disabled, or a token is no longer good.

    One sentence for all of these, so that nobody learns which names exist.
    """

    def __init__(self, text: str = "The name or the password is wrong.", *, subject: Subject | None = None) -> None:
        super().__init__(text)
        self.subject = subject
        """Whose credential it was, where that is known; for our records, never for the caller."""


class PasswordsClosed(AuthFault):
    """Logging in to the registry takes an application token here."""

    def __init__(self) -> None:
        super().__init__("The registry takes no passwords here: make an application token and log in with that.")


class TooManyAttempts(AuthFault):
    """Wrong passwords, or new accounts, came too fast from this address."""

    def __init__(self, retry_after_s: int, what: str = "wrong passwords") -> None:
        super().__init__(f"Too many {what} came from here. Try again in {retry_after_s} seconds.")
        self.retry_after_s = retry_after_s


class NotFound(AuthFault):
    """There is no such thing for this caller."""

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no such {what}.")


class Forbidden(AuthFault):
    """The caller may not do this; the text says who may."""


class Invalid(AuthFault):
    """A value breaks a rule."""

    def __init__(self, errors: Faults) -> None:
        super().__init__("The values are not usable.")
        self.errors = errors


class NotEmptied(AuthFault):
    """Something that lies in a namespace could not be deleted; what could be, was.

    Args:
        what: stays therefore: ``namespace team-a``, ``team blue``.
        errors: sentences by repository.
        deleted: repositories that are gone.
    """

    def __init__(self, what: str, errors: Faults, deleted: Sequence[str] = ()) -> None:
        gone = f" These are gone: {', '.join(deleted[:MAX_NAMED])}." if deleted else ""
        more = f" And {len(deleted) - MAX_NAMED} more." if len(deleted) > MAX_NAMED else ""
        super().__init__(f"The {what} is still there: not all of it could be deleted.{gone}{more}")
        self.errors = errors
        self.deleted = deleted


class StillEmptying(AuthFault):
    """There is more in something than one request can delete in the time that it has."""

    retry_after_s = 1

    def __init__(self, what: str, remaining: str) -> None:
        super().__init__(
            f"The {what} still holds {remaining}: there were more than one request can delete. Send it again to go on."
        )


class CatalogAway(AuthFault):
    """``catalog`` does not answer, or not what it should."""

    retry_after_s = 5

    def __init__(self) -> None:
        super().__init__("The catalog does not answer, and only it knows what lies in a namespace. Try again soon.")


class SetupClosed(AuthFault):
    """The first administrator may not be made over the API."""

    def __init__(self) -> None:
        super().__init__("Making the first administrator here is switched off (PORTUS_FIRST_USER_ADMIN).")


class SetupDone(AuthFault):
    """Somebody was first."""

    def __init__(self) -> None:
        super().__init__("There are people already: sign in, or ask an administrator for an account.")


class TooManyEntries(AuthFault):
    """An export would hold more entries of the audit trail than it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"That is more than {limit} entries, the most of one file. Take it in parts: at_from and at_until "
            "narrow it to a time, other parameters to what they name."
        )


class SigningUnavailable(AuthFault):
    """The CA has ended, and whatever it signed with it."""

    def __init__(self) -> None:
        super().__init__("No token can be signed here at the moment. An administrator has to look at /readyz.")


class Overloaded(AuthFault):
    """All slots for checking passwords stayed taken."""

    def __init__(self) -> None:
        super().__init__("Too many passwords are being checked at the moment. Try again in a second.")
