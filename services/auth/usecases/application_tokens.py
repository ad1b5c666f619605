"""Make, show and revoke application tokens."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.application_tokens import NewToken, TokenRules, check_maker, check_new_token, check_room
from services.auth.domain.audit import Action, Change, Fields, Ref
from services.auth.domain.errors import Forbidden, Invalid, NotFound
from services.auth.domain.secrets import ENTROPY_BYTES, SecretKind, new_secret, secret_hash
from services.auth.domain.subjects import Subject
from services.auth.storage.application_tokens import (
    TokenView,
    delete_token,
    find_token,
    insert_token,
    list_tokens,
    token_names,
)
from services.auth.storage.locks import Lock, hold
from services.auth.storage.users import UserView, find_user
from services.auth.storage.visible import visible_names
from services.auth.usecases.audit import Record, audited
from shared.api.etags import Expected, anything
from shared.api.paging import ListRequest, Page
from shared.clock import Clock
from shared.config import Secret
from shared.database import Database


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A new application token and its secret, which is nowhere else."""

    token: TokenView
    secret: Secret


def create_token(
    actor: Actor, owner_id: int, new: NewToken, *, rules: TokenRules, database: Database, clock: Clock
) -> MadeToken:
    """Make an application token: for oneself, or as an administrator for a bot.

    Raises:
        Forbidden: it would be another person's, whether or not there is one.
        NotFound: there is no such account.
        Invalid: a value breaks a rule, the name is taken, or the person has enough tokens.
    """
    subject = actor.subject
    check_new_token(new)
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        owner = find_user(connection, owner_id)
        # Only administrators learn that there is no such account.
        check_maker(subject, owner_id, owner_is_bot=owner is None or owner.bot)
        if owner is None:
            raise NotFound("user")
        if new.namespaces is not None:
            _check_namespaces(connection, subject, new.namespaces, now=clock())
        return add_token(connection, record, owner, new, created_by=subject.username, rules=rules, now=clock())


def add_token(
    connection: Connection,
    record: Record,
    owner: UserView,
    new: NewToken,
    *,
    created_by: str,
    rules: TokenRules,
    now: datetime,
) -> MadeToken:
    """Insert an application token together with its audit entry; the caller holds ``Lock.NAMES``.

    Raises:
        Invalid: its life is too long, the name is taken, or the person has enough tokens.
    """
    check_room(token_names(connection, owner.id), new.name, rules.limit)
    expires_at = rules.end_of(new.lifetime, now)
    secret = new_secret(SecretKind.APPLICATION_TOKEN, secrets.token_bytes(ENTROPY_BYTES))
    token_id = insert_token(
        connection,
        user_id=owner.id,
        name=new.name,
        secret_hash=secret_hash(secret),
        actions=new.actions,
        namespaces=new.namespaces,
        created_by=created_by,
        expires_at=expires_at,
        now=now,
    )
    token = _get(find_token(connection, token_id, now=now))
    whose = Ref(owner.id, owner.username)
    record(Change(Action.TOKEN_CREATED, Ref(token.id, token.name), user=whose, after=_shown(token)))
    return MadeToken(token, Secret(secret))


def show_tokens(
    subject: Subject, owner_id: int, request: ListRequest, *, database: Database, clock: Clock
) -> Page[TokenView]:
    """Return a page of a person's tokens, to themselves, administrators and auditors.

    Raises:
        Forbidden: to anybody else, whether or not there is such a person.
        NotFound: there is no such account.
    """
    if not _may_see(subject, owner_id):
        raise Forbidden("Only their owner, administrators and auditors may see application tokens.")
    with database.read() as connection:
        if find_user(connection, owner_id) is None:
            raise NotFound("user")
        return list_tokens(connection, owner_id, request, now=clock())


def show_token(subject: Subject, token_id: int, *, database: Database, clock: Clock) -> TokenView:
    """Return a token, to its owner, administrators and auditors.

    Raises:
        NotFound: to anybody else, as if there were none.
    """
    with database.read() as connection:
        return _get_visible(connection, subject, token_id, clock())


def revoke_token(
    actor: Actor, token_id: int, *, expected: Expected = anything, database: Database, clock: Clock
) -> None:
    """Delete a token, as its owner or an administrator; it opens nothing from that moment on.

    Raises:
        NotFound: there is none that the caller may see.
        Forbidden: the caller is an auditor, and it is somebody else's.
        PreconditionFailed: it is not what the caller has seen.
    """
    subject = actor.subject
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        token = _get_visible(connection, subject, token_id, clock())
        if not (subject.administrator or subject.user_id == token.user.id):
            raise Forbidden("Only their owner and administrators may revoke application tokens.")
        expected(token)
        delete_token(connection, token_id)
        whose = Ref(token.user.id, token.user.username)
        record(Change(Action.TOKEN_REVOKED, Ref(token.id, token.name), user=whose, before=_shown(token)))


def _check_namespaces(connection: Connection, subject: Subject, names: Collection[str], *, now: datetime) -> None:
    # One answer for what does not exist and for what the caller may not see.
    unknown = sorted(set(names) - visible_names(connection, subject, names, now=now))
    if unknown:
        raise Invalid({"namespaces": [f"there is no such namespace: {name}" for name in unknown]})


def _may_see(subject: Subject, owner_id: int) -> bool:
    return subject.administrator or subject.auditor or subject.user_id == owner_id


def _get_visible(connection: Connection, subject: Subject, token_id: int, now: datetime) -> TokenView:
    token = _get(find_token(connection, token_id, now=now))
    if not _may_see(subject, token.user.id):
        raise NotFound("application token")
    return token


def _get(token: TokenView | None) -> TokenView:
    if token is None:
        raise NotFound("application token")
    return token


def _shown(token: TokenView) -> Fields:
    return {
        "name": token.name,
        "actions": token.actions,
        "namespaces": token.namespaces,
        "expires_at": token.expires_at,
    }
