"""Logins to a registry that last: ``docker login`` keeps a refresh token and not the password.

The token stays the same as long as its login lives, as the token specification has it. It ends by time
without use, by a new password, with the application token or the robot's secret that it was got with,
by disabling its owner, or by being revoked.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Action, Change, Fields, Ref
from services.auth.domain.errors import BadCredentials, Forbidden, NotFound
from services.auth.domain.secrets import ENTROPY_BYTES, SecretKind, new_secret, secret_hash
from services.auth.domain.subjects import Subject, SubjectKind
from services.auth.storage.logins import (
    LoginView,
    NewLogin,
    delete_login,
    delete_oldest_logins,
    find_login,
    insert_login,
    list_logins,
    lock_owner,
)
from services.auth.storage.users import find_user
from services.auth.usecases.audit import audited
from services.auth.usecases.authenticate import Caller, CredentialKind
from services.auth.usecases.decision_log import plain
from shared.api.etags import Expected, anything
from shared.api.paging import ListRequest, Page
from shared.clock import Clock
from shared.config import Secret
from shared.database import Database

MAX_LOGINS = 1000
"""Most logins of a person or a robot at a time; the longest unused one makes room."""


@dataclass(frozen=True, slots=True)
class LoginKeeper:
    """What keeping logins needs."""

    database: Database
    clock: Clock
    ttl: timedelta
    """Life of a login without use."""


def may_stay(caller: Caller) -> bool:
    """Tell whether a caller may get a login that lasts: people and robots who have just shown their own secret."""
    is_somebody = caller.subject.kind in (SubjectKind.PERSON, SubjectKind.ROBOT)
    return is_somebody and caller.credential.refresh_token_id is None and not caller.degraded


def open_login(caller: Caller, *, registry_id: int, client_id: str, address: str, keeper: LoginKeeper) -> Secret:
    """Keep a login, and return its refresh token: the one write of a token request, at login only.

    Raises:
        BadCredentials: the owner was changed or the credential revoked since it was checked.
    """
    token = new_secret(SecretKind.REFRESH_TOKEN, secrets.token_bytes(ENTROPY_BYTES))
    kind, now = caller.credential.kind, keeper.clock()
    login = NewLogin(
        token_hash=secret_hash(token),
        registry_id=registry_id,
        user_id=caller.subject.user_id,
        robot_id=caller.subject.robot_id,
        application_token_id=caller.credential.id if kind is CredentialKind.APPLICATION_TOKEN else None,
        robot_secret_id=caller.credential.id if kind is CredentialKind.ROBOT_SECRET else None,
        client_id=plain(client_id, 64),
        address=address,
        expires_at=now + keeper.ttl,
    )
    try:
        with keeper.database.write() as connection:
            # Whoever disables the owner or changes the password now waits, and then deletes this login, too.
            owner = lock_owner(connection, login)
            if owner is None or not owner[0] or owner[1] > caller.at:
                raise BadCredentials
            insert_login(connection, login, now=now)
            delete_oldest_logins(connection, login, keep=MAX_LOGINS)
    except IntegrityError as fault:
        # The token or the secret is gone.
        raise BadCredentials from fault
    return Secret(token)


def show_logins(
    subject: Subject, owner_id: int, request: ListRequest, *, database: Database, clock: Clock
) -> Page[LoginView]:
    """Return a page of a person's logins, to themselves, administrators and auditors.

    Raises:
        Forbidden: to anybody else, whether or not there is such a person.
        NotFound: there is no such account.
    """
    if not _may_see(subject, owner_id):
        raise Forbidden("Only their owner, administrators and auditors may see logins.")
    with database.read() as connection:
        if find_user(connection, owner_id) is None:
            raise NotFound("user")
        return list_logins(connection, owner_id, request, now=clock())


def show_login(subject: Subject, login_id: int, *, database: Database) -> LoginView:
    """Return a login, to its owner, administrators and auditors.

    Raises:
        NotFound: to anybody else, as if there were none.
    """
    with database.read() as connection:
        return _get_visible(connection, subject, login_id)


def revoke_login(
    actor: Actor, login_id: int, *, expected: Expected = anything, database: Database, clock: Clock
) -> None:
    """End a login, as its owner or an administrator; its token opens nothing from that moment on.

    Raises:
        NotFound: there is none that the caller may see.
        Forbidden: the caller is an auditor, and it is somebody else's.
        PreconditionFailed: it is not what the caller has seen.
    """
    with database.write() as connection, audited(connection, actor, clock) as record:
        login = _get_visible(connection, actor.subject, login_id)
        if not (actor.subject.administrator or actor.subject.user_id == login.user.id):
            raise Forbidden("Only their owner and administrators may revoke logins.")
        expected(login)
        delete_login(connection, login_id)
        whose = Ref(login.user.id, login.user.username)
        shown: Fields = {"client_id": login.client_id, "credential": login.credential, "address": login.address}
        record(Change(Action.LOGIN_REVOKED, Ref(login.id, login.user.username), user=whose, before=shown))


def _may_see(subject: Subject, owner_id: int) -> bool:
    return subject.administrator or subject.auditor or subject.user_id == owner_id


def _get_visible(connection: Connection, subject: Subject, login_id: int) -> LoginView:
    login = find_login(connection, login_id)
    if login is None or not _may_see(subject, login.user.id):
        raise NotFound("login")
    return login
