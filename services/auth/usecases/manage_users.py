"""Show and change accounts."""

from services.auth.domain.accounts import (
    UserChange,
    check_office,
    check_password,
    check_user_change,
    check_username_stays,
)
from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Ref
from services.auth.domain.errors import Invalid, NotFound
from services.auth.domain.management import NOWHERE, Operation, Rules
from services.auth.domain.subjects import Subject
from services.auth.storage.locks import Lock, hold
from services.auth.storage.logins import delete_logins_of
from services.auth.storage.sessions import delete_sessions_of
from services.auth.storage.users import (
    UserView,
    count_other_administrators,
    find_clashes,
    find_user,
    find_user_with_email,
    list_users,
    update_user,
)
from services.auth.usecases.audit import audited
from services.auth.usecases.passwords import Passwords
from services.auth.usecases.people import note_user_change
from services.auth.usecases.rights import require_right
from shared.api.etags import Expected, anything
from shared.api.paging import ListRequest, Page
from shared.clock import Clock
from shared.config import Secret
from shared.database import Database


def show_self(subject: Subject, *, database: Database) -> UserView:
    """Return the caller's own account.

    Raises:
        NotFound: the account is gone.
    """
    with database.read() as connection:
        return _get(find_user(connection, subject.user_id or 0))


def show_user(subject: Subject, id_or_email: str, *, database: Database) -> UserView:
    """Return an account, to an administrator or auditor.

    Args:
        id_or_email: its id in decimal digits, or its e-mail address in whatever case.

    Raises:
        Forbidden: the caller is neither, whether or not the account exists.
        NotFound: there is no such account.
    """
    require_right(subject, Operation.SHOW_USERS, NOWHERE, Rules())
    with database.read() as connection:
        if "@" in id_or_email and id_or_email.isprintable():
            return _get(find_user_with_email(connection, id_or_email))
        return _get(find_user(connection, _load_id(id_or_email)))


def show_users(subject: Subject, request: ListRequest, *, database: Database) -> Page[UserView]:
    """Return a page of all accounts, to an administrator or auditor.

    Raises:
        Forbidden: the caller is neither.
    """
    require_right(subject, Operation.SHOW_USERS, NOWHERE, Rules())
    with database.read() as connection:
        return list_users(connection, request)


def change_user(
    actor: Actor,
    user_id: int,
    change: UserChange,
    *,
    expected: Expected = anything,
    database: Database,
    clock: Clock,
    passwords: Passwords,
) -> UserView:
    """Change an account, as an administrator; a new password or disabling ends its sessions and logins.

    Raises:
        Forbidden: the caller is no administrator, or would take that right from themselves.
        NotFound: there is no such account.
        PreconditionFailed: it is not what the caller has seen.
        Invalid: a value breaks a rule.
    """
    require_right(actor.subject, Operation.MANAGE_USERS, NOWHERE, Rules())
    columns = _columns(change, passwords)
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        before = _get(find_user(connection, user_id))
        expected(before)
        others = count_other_administrators(connection, user_id)
        _check_change(before, change)
        check_user_change(actor.subject, user_id, change, other_administrators=others)
        if find_clashes(connection, username=None, email=change.email, but=user_id):
            raise Invalid({"email": ["has already been taken"]})
        update_user(connection, user_id, columns, now=clock())
        if change.password is not None or change.enabled is False:
            delete_sessions_of(connection, user_id)
            delete_logins_of(connection, user_id)
        after = _get(find_user(connection, user_id))
        note_user_change(connection, record, before, after, actor=actor, now=clock())
        if change.password is not None:
            record(Change(Action.USER_PASSWORD_CHANGED, Ref(after.id, after.username)))
        return after


def _check_change(user: UserView, change: UserChange) -> None:
    check_username_stays(user.username, change)
    administrator = user.admin if change.administrator is None else change.administrator
    auditor = user.auditor if change.auditor is None else change.auditor
    check_office(administrator=administrator, auditor=auditor, bot=user.bot)
    if user.bot and change.password is not None:
        raise Invalid({"password": ["a bot has none: make an application token for it"]})


def _load_id(text: str) -> int:
    # No account has the number 0; no database takes a number of any length.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _columns(change: UserChange, passwords: Passwords) -> dict[str, object]:
    wanted = {
        "email": change.email,
        "display_name": change.display_name,
        "administrator": change.administrator,
        "auditor": change.auditor,
        "enabled": change.enabled,
    }
    columns: dict[str, object] = {name: value for name, value in wanted.items() if value is not None}
    if change.password is not None:
        check_password(change.password)
        columns["password_hash"] = passwords.hash(Secret(change.password))
    return columns


def _get(user: UserView | None) -> UserView:
    if user is None:
        raise NotFound("user")
    return user
