"""What people do about their own account: profile, password, and where they are signed in."""

from collections.abc import Iterable

from services.auth.domain.accounts import check_own_disabling, check_password
from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Ref, Target
from services.auth.domain.errors import BadCredentials, Invalid, NotFound
from services.auth.domain.subjects import Subject
from services.auth.storage.locks import Lock, hold
from services.auth.storage.logins import delete_logins_of
from services.auth.storage.sessions import SessionView, delete_sessions_of, list_sessions
from services.auth.storage.users import UserView, count_other_administrators, find_clashes, find_user, update_user
from services.auth.usecases.audit import Record, audited
from services.auth.usecases.authenticate import Authenticator, CredentialKind, PasswordCredentials
from services.auth.usecases.passwords import Passwords
from services.auth.usecases.people import note_user_change
from shared.api.etags import Expected, anything
from shared.api.paging import ListRequest, Page
from shared.clock import Clock
from shared.config import Secret
from shared.database import Database


def change_profile(
    actor: Actor,
    *,
    email: str | None,
    display_name: str | None,
    enabled: bool | None = None,
    expected: Expected = anything,
    database: Database,
    clock: Clock,
) -> UserView:
    """Change the caller's e-mail address or display name, or disable the account; ``None`` leaves it as it is.

    Whoever disables their own account is signed out everywhere; an administrator enables it again.

    Raises:
        NotFound: the account is gone.
        PreconditionFailed: it is not what the caller has seen.
        Invalid: somebody else has that address, or nobody would be left to administer Portus.
    """
    user_id = _id_of(actor.subject)
    wanted = {"email": email, "display_name": display_name, "enabled": enabled}
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        before = _get(find_user(connection, user_id))
        expected(before)
        if find_clashes(connection, username=None, email=email, but=user_id):
            raise Invalid({"email": ["has already been taken"]})
        if enabled is False:
            others = count_other_administrators(connection, user_id)
            check_own_disabling(administrator=before.admin, other_administrators=others)
            note_ended(record, _ref(actor.subject), delete_sessions_of(connection, user_id))
            delete_logins_of(connection, user_id)
        columns = {name: value for name, value in wanted.items() if value is not None}
        update_user(connection, user_id, columns, now=clock())
        after = _get(find_user(connection, user_id))
        note_user_change(connection, record, before, after, actor=actor, now=clock())
    return after


def change_own_password(
    actor: Actor,
    *,
    current: Secret,
    new: Secret,
    session: str,
    authenticator: Authenticator,
    passwords: Passwords,
    database: Database,
    clock: Clock,
) -> None:
    """Set a new password; every other session ends, and every login that clients of the registry kept.

    Args:
        session: id of the one that asks, which goes on; empty when it is asked without one.

    Raises:
        Invalid: the current password is wrong, or the new one breaks a rule.
        TooManyAttempts: too many wrong passwords came before.
        NotFound: the account is gone.
    """
    check_password(new.reveal())
    _check_current(actor, current, authenticator)
    user_id, hashed = _id_of(actor.subject), passwords.hash(new)
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        user = _get(find_user(connection, user_id))
        update_user(connection, user_id, {"password_hash": hashed}, now=clock())
        record(Change(Action.USER_PASSWORD_CHANGED, Ref(user.id, user.username)))
        note_ended(record, _ref(actor.subject), delete_sessions_of(connection, user_id, but=session))
        delete_logins_of(connection, user_id)


def show_sessions(
    subject: Subject, request: ListRequest, *, session: str, database: Database, clock: Clock
) -> Page[SessionView]:
    """Return a page of the caller's sessions.

    Args:
        session: id of the one that asks; empty when it is asked without one.
    """
    with database.read() as connection:
        return list_sessions(connection, _id_of(subject), request, current=session, now=clock())


def end_session(actor: Actor, session_id: str, *, database: Database, clock: Clock) -> None:
    """End one of the caller's sessions; its tokens are worthless at once.

    Raises:
        NotFound: the caller has no such session, whoever else has.
    """
    with database.write() as connection, audited(connection, actor, clock) as record:
        ended = delete_sessions_of(connection, _id_of(actor.subject), only=session_id)
        if not ended:
            raise NotFound("session")
        note_ended(record, _ref(actor.subject), ended)


def end_other_sessions(actor: Actor, *, session: str, database: Database, clock: Clock) -> None:
    """End the caller's sessions but the one that asks.

    Args:
        session: its id; empty when it is asked without one, and then all end.
    """
    with database.write() as connection, audited(connection, actor, clock) as record:
        note_ended(record, _ref(actor.subject), delete_sessions_of(connection, _id_of(actor.subject), but=session))


def _check_current(actor: Actor, current: Secret, authenticator: Authenticator) -> None:
    shown = PasswordCredentials(actor.subject.username, current)
    try:
        caller = authenticator.authenticate(shown, address=actor.origin.address)
    except BadCredentials as fault:
        # Who is calling is known: it is a value that is wrong.
        raise _wrong_password() from fault
    # An application token says who somebody is, but not that they know the password.
    if caller.credential.kind is not CredentialKind.PASSWORD:
        raise _wrong_password()


def _wrong_password() -> Invalid:
    return Invalid({"current_password": ["is wrong"]})


def note_ended(record: Record, user: Ref, ended: Iterable[str]) -> None:
    """Record sessions of a person that were ended, by their ids."""
    for session_id in ended:
        record(Change(Action.SESSION_REVOKED, Target(session_id, user.name), user=user))


def _ref(subject: Subject) -> Ref:
    return Ref(_id_of(subject), subject.username)


def _id_of(subject: Subject) -> int:
    return subject.user_id or 0


def _get(user: UserView | None) -> UserView:
    if user is None:
        raise NotFound("user")
    return user
