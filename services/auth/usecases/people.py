"""Make accounts, each with its personal namespace; make the first administrator."""

from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog
from sqlalchemy import Connection

from services.auth.domain.accounts import check_office, check_password, check_username
from services.auth.domain.actors import Actor, Origin
from services.auth.domain.application_tokens import NewToken, TokenRules
from services.auth.domain.audit import Action, Change, Fields, Ref
from services.auth.domain.errors import Forbidden, Invalid, SetupClosed, SetupDone, TooManyAttempts
from services.auth.domain.management import NOWHERE, Operation, Rules
from services.auth.domain.namespaces import personal_namespace_name
from services.auth.domain.subjects import ANONYMOUS
from services.auth.domain.teams import Role, candidate_names, first_free_name
from services.auth.domain.throttle import address_key, sign_up_wait_s
from services.auth.storage.failures import count_sign_up, find_sign_ups
from services.auth.storage.locks import Lock, hold
from services.auth.storage.namespaces import taken_namespace_names
from services.auth.storage.teams import insert_member, insert_team, taken_team_names
from services.auth.storage.users import UserView, find_clashes, find_user, insert_user, people_exist
from services.auth.usecases.application_tokens import MadeToken, add_token
from services.auth.usecases.audit import Record, audited
from services.auth.usecases.create_namespace import add_namespace
from services.auth.usecases.messages import tell
from services.auth.usecases.passwords import Passwords
from services.auth.usecases.rights import require_right
from shared.clock import Clock
from shared.config import Secret
from shared.contracts.auth_events import UserCreated, UserUpdated
from shared.database import Database

BOOTSTRAP_TOKEN = "bootstrap"  # noqa: S105 - the name of one
"""What the application token is called that comes with the first administrator, as in Portus."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NewPerson:
    """What is needed to make an account."""

    username: str
    password: Secret | None = field(repr=False)
    """A bot has none."""
    email: str | None = None
    display_name: str | None = None
    administrator: bool = False
    auditor: bool = False
    bot: bool = False
    """Has application tokens only, and no personal namespace; administrators make them for it."""


def create_user(actor: Actor, person: NewPerson, *, database: Database, clock: Clock, passwords: Passwords) -> UserView:
    """Make an account, as an administrator.

    Raises:
        Forbidden: the caller is no administrator.
        Invalid: a value breaks a rule, or name or e-mail are taken.
    """
    require_right(actor.subject, Operation.MANAGE_USERS, NOWHERE, Rules())
    hashed = _checked_hash(person, passwords)
    with database.write() as connection, audited(connection, actor, clock) as record:
        return _add_person(connection, record, person, hashed, actor=actor, now=clock())


@dataclass(frozen=True, slots=True)
class MadeAdministrator:
    """The first administrator, and an application token if one was wanted."""

    user: UserView
    token: MadeToken | None


def bootstrap_administrator(
    person: NewPerson,
    *,
    origin: Origin,
    allowed: bool,
    token_rules: TokenRules | None,
    database: Database,
    clock: Clock,
    passwords: Passwords,
) -> MadeAdministrator:
    """Make the first administrator, as whoever comes first.

    Args:
        origin: nobody is anybody yet, but they come from somewhere.
        allowed: whether this installation lets the first to come be administrator.
        token_rules: of the application token that is made along with the account; ``None``: none is.

    Raises:
        SetupClosed: it does not.
        SetupDone: there are people already.
        Invalid: a value breaks a rule.
    """
    if not allowed:
        raise SetupClosed
    # Asked before the password is hashed too: nobody may keep the machine busy with this route.
    if not needs_administrator(allowed=allowed, database=database):
        raise SetupDone
    actor, hashed = Actor(ANONYMOUS, origin), _checked_hash(person, passwords)
    with database.write() as connection, audited(connection, actor, clock) as record:
        user = _add_first(connection, record, person, hashed, actor=actor, now=clock())
        if user is None:
            raise SetupDone
        token = None
        if token_rules:
            new, maker = NewToken(BOOTSTRAP_TOKEN), user.username
            token = add_token(connection, record, user, new, created_by=maker, rules=token_rules, now=clock())
    return MadeAdministrator(user, token)


def ensure_administrator(
    actor: Actor, person: NewPerson, *, database: Database, clock: Clock, passwords: Passwords
) -> UserView | None:
    """Make an administrator if there are no people yet; return it, or ``None`` if there are.

    Raises:
        Invalid: a value breaks a rule.
    """
    hashed = _checked_hash(person, passwords)
    with database.write() as connection, audited(connection, actor, clock) as record:
        return _add_first(connection, record, person, hashed, actor=actor, now=clock())


def sign_up(
    person: NewPerson,
    *,
    origin: Origin,
    allowed: bool,
    first_is_administrator: bool,
    database: Database,
    clock: Clock,
    passwords: Passwords,
) -> UserView:
    """Make the caller's own account; nothing that they say makes them more than a person.

    Args:
        allowed: whether people make their own accounts in this installation.
        first_is_administrator: whether the first person of all becomes administrator.

    Raises:
        Forbidden: they do not.
        TooManyAttempts: too many came from the same address.
        Invalid: a value breaks a rule, or name or e-mail are taken.
    """
    if not allowed:
        raise Forbidden("People do not make their own accounts here: ask an administrator for one.")
    _count_sign_up(address_key(origin.address), database=database, clock=clock)
    actor, hashed = Actor(ANONYMOUS, origin), _checked_hash(person, passwords)
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        is_first = first_is_administrator and not people_exist(connection)
        newcomer = replace(person, administrator=is_first, auditor=False, bot=False)
        return _add_person(connection, record, newcomer, hashed, actor=actor, now=clock())


def _count_sign_up(address: str, *, database: Database, clock: Clock) -> None:
    # Before a password is hashed or a name looked up: nobody keeps the machine busy, or tries names out.
    with database.write() as connection:
        wait = sign_up_wait_s(find_sign_ups(connection, address), clock())
        if wait:
            raise TooManyAttempts(wait, "attempts to sign up")
        count_sign_up(connection, address, now=clock())


def needs_administrator(*, allowed: bool, database: Database) -> bool:
    """Tell whether the first to come would become administrator."""
    with database.read() as connection:
        return allowed and not people_exist(connection)


def _checked_hash(person: NewPerson, passwords: Passwords) -> str | None:
    """Check what can be checked without the database, then hash outside of any transaction."""
    check_username(person.username)
    check_office(administrator=person.administrator, auditor=person.auditor, bot=person.bot)
    if person.password is None:
        return None
    check_password(person.password.reveal())
    return passwords.hash(person.password)


def _add_first(
    connection: Connection, record: Record, person: NewPerson, password_hash: str | None, *, actor: Actor, now: datetime
) -> UserView | None:
    hold(connection, Lock.NAMES)
    if people_exist(connection):
        return None
    return _add_person(connection, record, person, password_hash, actor=actor, now=now)


def _add_person(
    connection: Connection,
    record: Record,
    person: NewPerson,
    password_hash: str | None,
    *,
    actor: Actor,
    now: datetime,
) -> UserView:
    hold(connection, Lock.NAMES)
    clashes = find_clashes(connection, username=person.username, email=person.email)
    if clashes:
        raise Invalid({name: ["has already been taken"] for name in sorted(clashes)})
    home = None if person.bot else _add_home(connection, record, person.username, now=now)
    namespace_id = None if home is None else home.namespace_id
    user_id = insert_user(connection, _columns(person, password_hash, namespace_id), now=now)
    if home is not None:
        insert_member(connection, home.team_id, user_id, Role.OWNER, now=now)
    user = find_user(connection, user_id)
    if user is None:
        raise LookupError(f"user {user_id} is gone within its own transaction")
    record(Change(Action.USER_CREATED, Ref(user.id, user.username), after=shown_fields(user)))
    event = UserCreated(user.username, actor=actor.subject.username or None)
    tell(connection, event, about=user.username, now=now)
    log.info("user.created", username=user.username, bot=user.bot, administrator=user.admin)
    return user


@dataclass(frozen=True, slots=True)
class _Home:
    """The personal namespace, and the hidden team behind it."""

    team_id: int
    namespace_id: int


def _add_home(connection: Connection, record: Record, username: str, *, now: datetime) -> _Home:
    team = _free_name("username", username, taken_team_names(connection, candidate_names(username)))
    wanted = personal_namespace_name(username)
    namespace = _free_name("username", wanted, taken_namespace_names(connection, candidate_names(wanted)))
    team_id = insert_team(connection, team, hidden=True, now=now)
    description = f"Personal namespace of {username}."
    namespace_id = add_namespace(
        connection, record, namespace, team=Ref(team_id, team), description=description, now=now
    )
    return _Home(team_id, namespace_id)


def note_user_change(
    connection: Connection, record: Record, before: UserView, after: UserView, *, actor: Actor, now: datetime
) -> None:
    """Record and announce what is different about an account; nothing, where nothing is."""
    target = Ref(after.id, after.username)
    change = Change(Action.USER_UPDATED, target, before=shown_fields(before), after=shown_fields(after))
    record(change)
    if change.is_void:
        return
    office = "administrator" if after.admin else "auditor" if after.auditor else "none"
    status = "enabled" if after.enabled else "disabled"
    event = UserUpdated(after.username, status, office, actor=actor.subject.username or None)
    tell(connection, event, about=after.username, now=now)


def shown_fields(user: UserView) -> Fields:
    """Return what the audit trail shows of an account."""
    return {
        "username": user.username,
        "email": user.email,
        "display_name": user.display_name,
        "administrator": user.admin,
        "auditor": user.auditor,
        "bot": user.bot,
        "enabled": user.enabled,
        "namespace": user.namespace.name if user.namespace else None,
    }


def _columns(person: NewPerson, password_hash: str | None, namespace_id: int | None) -> dict[str, object]:
    return {
        "username": person.username,
        "email": person.email,
        "display_name": person.display_name,
        "password_hash": password_hash,
        "administrator": person.administrator,
        "auditor": person.auditor,
        "bot": person.bot,
        "namespace_id": namespace_id,
    }


def _free_name(field_name: str, wanted: str, taken: set[str]) -> str:
    name = first_free_name(wanted, taken)
    if name is None:
        raise Invalid({field_name: ["is used too often already: choose another"]})
    return name
