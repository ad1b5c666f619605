"""What only some callers may do, wherever it is no question of a repository.

NotSignedIn   nobody is calling
NotAllowed    the caller is none of those who may
"""

from http import HTTPStatus
from typing import ClassVar

from shared.visibility.answers import Caller, Visibility


class NotSignedIn(Exception):
    """Nobody is calling."""

    headers: ClassVar = {"WWW-Authenticate": 'Basic realm="Portus"'}

    def __init__(self) -> None:
        super().__init__("Sign in to do this.")


class NotAllowed(Exception):
    """The caller is none of those who may."""


PERMISSION_ERRORS: dict[type[Exception], HTTPStatus] = {
    NotSignedIn: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
}
"""For a service's error table."""


def require_caller(visibility: Visibility) -> Caller:
    """Return who is calling.

    Raises:
        NotSignedIn: nobody is.
    """
    if visibility.caller is None:
        raise NotSignedIn
    return visibility.caller


def require_overseer(visibility: Visibility) -> Caller:
    """Return the caller, who may look at everything: an administrator or an auditor.

    Raises:
        NotSignedIn, NotAllowed: see above.
    """
    caller = require_caller(visibility)
    if not visibility.oversees:
        raise NotAllowed("Only administrators and auditors may see this.")
    return caller


def require_administrator(visibility: Visibility) -> Caller:
    """Return the caller, who may change everything.

    Raises:
        NotSignedIn, NotAllowed: see above.
    """
    caller = require_caller(visibility)
    # An administrator's token that was narrowed does not see everything.
    if not (visibility.oversees and caller.administrator):
        raise NotAllowed("Only administrators may do this.")
    return caller
