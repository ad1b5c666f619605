"""The rules for a person's account: name, password, and keeping one administrator able to act."""

import re
from dataclasses import dataclass

from services.auth.domain.errors import Forbidden, Invalid
from services.auth.domain.namespaces import personal_namespace_name
from services.auth.domain.robots import is_robot_username
from services.auth.domain.subjects import INTERNAL_USERNAME, Subject

MAX_USERNAME_LENGTH = 128
MAX_EMAIL_LENGTH = 254
MAX_DISPLAY_NAME_LENGTH = 255
MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 128

# RFC 7617 §2: a user-id with a colon cannot be sent. ASCII only, so that two names that look alike
# are alike.
_USERNAME = re.compile(r"[!-9;-~]+")


@dataclass(frozen=True, slots=True)
class UserChange:
    """What an administrator wants to be different about an account; ``None`` leaves it as it is."""

    username: str | None = None
    """Can only be what it is."""
    email: str | None = None
    display_name: str | None = None
    password: str | None = None
    administrator: bool | None = None
    auditor: bool | None = None
    enabled: bool | None = None


def username_key(username: str) -> str:
    """Return what must be unique: ``Jane`` and ``jane`` are one name."""
    return username.lower()


def is_username(username: str) -> bool:
    """Tell whether an account could have this name."""
    return len(username) <= MAX_USERNAME_LENGTH and _USERNAME.fullmatch(username) is not None


def check_username(username: str) -> None:
    """Check the name of an account to be made.

    Raises:
        Invalid: too long, outside the grammar, reserved, or no namespace can be named after it.
    """
    if not is_username(username):
        fault = f"must have 1 to {MAX_USERNAME_LENGTH} visible ASCII characters, and no colon"
        raise Invalid({"username": [fault]})
    if username_key(username) == INTERNAL_USERNAME or is_robot_username(username):
        raise Invalid({"username": ["is reserved"]})
    if not personal_namespace_name(username):
        raise Invalid({"username": ["must hold a letter or a digit: the personal namespace is named after it"]})


def check_password(password: str) -> None:
    """Check a password to be set.

    Raises:
        Invalid: too short or too long.
    """
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise Invalid({"password": [f"must have {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters"]})


def check_office(*, administrator: bool, auditor: bool, bot: bool) -> None:
    """Check which office an account is to have.

    Raises:
        Invalid: it would have two, or a bot would administer Portus.
    """
    if administrator and auditor:
        raise Invalid({"auditor": ["an account is administrator or auditor, not both"]})
    # Nobody could sign in as the one administrator that is left.
    if administrator and bot:
        raise Invalid({"admin": ["a bot cannot be administrator"]})


def check_username_stays(username: str, change: UserChange) -> None:
    """Check that a change leaves the name as it is.

    Raises:
        Invalid: it would not.
    """
    if change.username is not None and change.username != username:
        fault = "cannot be changed: namespaces, tokens and records go by it. Make another account instead"
        raise Invalid({"username": [fault]})


def check_user_change(actor: Subject, user_id: int, change: UserChange, *, other_administrators: int) -> None:
    """Keep administrators from demoting themselves, and Portus from losing its last one.

    Args:
        other_administrators: enabled administrators besides the account to be changed.

    Raises:
        Forbidden: administrators take the right from others, never from themselves.
        Invalid: nobody would be left to administer Portus.
    """
    if change.administrator is False and actor.user_id == user_id:
        raise Forbidden("You cannot take the administrator's right from yourself: another administrator can.")
    loses_power = change.administrator is False or change.enabled is False
    if loses_power and other_administrators == 0:
        field = "admin" if change.administrator is False else "enabled"
        raise Invalid({field: ["the last enabled administrator cannot be demoted or disabled"]})


def check_own_disabling(*, administrator: bool, other_administrators: int) -> None:
    """Let people disable their own account, unless Portus would lose its last administrator.

    Args:
        administrator: whether the caller is one.
        other_administrators: enabled administrators besides the caller.

    Raises:
        Invalid: nobody would be left to administer Portus, or to enable the account again.
    """
    if administrator and other_administrators == 0:
        raise Invalid({"enabled": ["the last enabled administrator cannot be disabled: make another one first"]})


def check_user_deletion(actor: Subject, user_id: int, *, administrator: bool, other_administrators: int) -> None:
    """Keep administrators from deleting themselves, and Portus from losing its last one.

    Args:
        administrator: whether the account to be deleted is one.
        other_administrators: enabled administrators besides it.

    Raises:
        Forbidden: it is the caller's own account.
        Invalid: nobody would be left to administer Portus.
    """
    if administrator and other_administrators == 0:
        raise Invalid({"user": ["the last enabled administrator cannot be deleted"]})
    if actor.user_id == user_id:
        raise Forbidden("You cannot delete your own account: another administrator can.")
