"""Who is calling? A password, an application token, a robot's secret or a refresh token, and one read."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import structlog

from services.auth.domain.errors import BadCredentials, PasswordsClosed, TooManyAttempts
from services.auth.domain.namespaces import Namespaces
from services.auth.domain.registries import RegistryFacts, service_key
from services.auth.domain.robots import is_allowed_from
from services.auth.domain.secrets import SecretKind, kind_of, secret_hash
from services.auth.domain.subjects import ANONYMOUS, INTERNAL, INTERNAL_USERNAME, Subject, person, robot
from services.auth.domain.throttle import address_key, wait_s
from services.auth.storage.credentials import (
    Asked,
    CallerRecord,
    StoredRefreshToken,
    StoredRobot,
    StoredToken,
    StoredUser,
    account_hash,
    find_caller,
    find_refresh_caller,
    find_robot_caller,
    find_token_caller,
)
from services.auth.storage.failures import count_failure
from services.auth.usecases.memory import Attempt, PasswordMemory
from services.auth.usecases.passwords import Passwords
from shared.clock import Clock
from shared.config import Secret
from shared.database import Database

USE_NOTED_AFTER = timedelta(minutes=1)
"""A credential's last use is as exact as this: a push of many layers is one use."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PasswordCredentials:
    """A name and a password, as somebody gave them; the password may be a token or a robot's secret."""

    username: str
    password: Secret


@dataclass(frozen=True, slots=True)
class RefreshCredentials:
    """A refresh token for the registry, as somebody gave it."""

    token: Secret


Credentials = PasswordCredentials | RefreshCredentials


class CredentialKind(StrEnum):
    """With what a caller has shown who they are."""

    NONE = "none"
    PASSWORD = "password"  # noqa: S105 - the name of a kind
    APPLICATION_TOKEN = "application token"  # noqa: S105
    ROBOT_SECRET = "robot secret"  # noqa: S105
    SESSION = "session"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Credential:
    """The credential that was shown, by what it may be named."""

    kind: CredentialKind = CredentialKind.NONE
    id: int | None = None
    """Of the application token, or of the robot's secret."""
    name: str = ""
    """Of the application token."""
    refresh_token_id: int | None = None
    """When it was shown in the form of a refresh token."""


@dataclass(frozen=True, slots=True)
class Use:
    """A credential was used."""

    subject: Subject
    credential: Credential
    address: str
    at: datetime


NoteUse = Callable[[Use], None]
"""Takes a note of a use without making the caller wait."""


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Caller:
    """An established subject, and the facts that were read along with it."""

    subject: Subject
    namespaces: Namespaces = field(default_factory=dict)
    registry: RegistryFacts | None = None
    """The one that the request names; ``None`` when it is not known."""
    credential: Credential = Credential()
    at: datetime = _LONG_AGO
    """When this was read."""
    ends_at: datetime | None = None
    """When the credential ends by itself; ``None``: not by itself."""
    degraded: bool = False
    """Whether this is what was known before the database went away."""


class Authenticator:
    """Establishes who is calling.

    Args:
        internal_secret: password of the account with which Portus itself reads the registry.
        first_service: the service name that the environment gives the first registry.
        note_use: told about the use of tokens and robots, at most about once a minute for each.
    """

    def __init__(
        self,
        *,
        database: Database,
        passwords: Passwords,
        memory: PasswordMemory,
        internal_secret: Secret,
        first_service: str,
        note_use: NoteUse,
        clock: Clock,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._memory = memory
        self._internal_secret = internal_secret
        self._first_service = first_service
        self._note_use = note_use
        self._clock = clock

    def authenticate(
        self,
        credentials: Credentials | None,
        *,
        address: str,
        service: str | None = None,
        namespaces: Collection[str] = (),
        passwords_welcome: bool = True,
    ) -> Caller:
        """Check a credential, or take a caller without one as anonymous: one read, no write on success.

        Args:
            credentials: ``None`` for an anonymous caller.
            address: where the caller is, for counting failures and for a robot's allow list.
            service: what the client says that the registry is called.
            namespaces: names in that registry to bring the facts on.
            passwords_welcome: whether a person's password will do; where not, it is not even looked at.

        Raises:
            BadCredentials: unknown name, wrong password or disabled account; nobody learns which.
            PasswordsClosed: a password was shown where only tokens are taken.
            TooManyAttempts: the password was not even looked at.
            Overloaded: too many passwords wait to be checked.
        """
        asked = Asked(service_key(service, self._first_service), namespaces, self._clock())
        if isinstance(credentials, RefreshCredentials):
            return self._by_refresh_token(
                credentials.token.reveal(), address, asked, passwords_welcome=passwords_welcome
            )
        kind = kind_of(credentials.password.reveal()) if credentials else None
        if credentials and kind is SecretKind.APPLICATION_TOKEN:
            return self._by_token(credentials, address, asked)
        if credentials and kind is SecretKind.ROBOT:
            return self._by_robot(credentials, address, asked)
        # BuildKit shows a refresh token in this way, too, before it posts it.
        if credentials and kind is SecretKind.REFRESH_TOKEN and not credentials.username:
            token = credentials.password.reveal()
            return self._by_refresh_token(token, address, asked, passwords_welcome=passwords_welcome)
        if credentials and not credentials.password:
            # Clients that keep a refresh token and do not know what to do with it; nobody guesses like that.
            raise BadCredentials
        return self._by_password(credentials, address, asked, passwords_welcome=passwords_welcome)

    def _by_password(
        self, credentials: PasswordCredentials | None, address: str, asked: Asked, *, passwords_welcome: bool
    ) -> Caller:
        is_internal = credentials is not None and self._is_internal(credentials)
        if credentials is not None and not (is_internal or passwords_welcome):
            raise PasswordsClosed
        key = address_key(address)
        with self._database.read() as connection:
            record = find_caller(connection, credentials.username if credentials else None, key, asked)
        if credentials is None:
            return _caller(ANONYMOUS, record, Credential(), asked.now)
        if is_internal:
            return _caller(INTERNAL, record, Credential(CredentialKind.INTERNAL), asked.now)
        subject = self._person(credentials, key, record)
        return _caller(subject, record, Credential(CredentialKind.PASSWORD), asked.now)

    def _by_token(self, credentials: PasswordCredentials, address: str, asked: Asked) -> Caller:
        with self._database.read() as connection:
            record = find_token_caller(connection, secret_hash(credentials.password.reveal()), asked)
        if record.user is None or record.user.username.lower() != credentials.username.lower():
            raise BadCredentials
        user = _usable_user(record.user)
        token = _usable_token(record.token, user, asked.now)
        credential = _credential_of(token)
        subject = _subject_of(user, token)
        self._note(subject, credential, address, token.last_used_at, asked.now)
        return _caller(subject, record, credential, asked.now)

    def _by_robot(self, credentials: PasswordCredentials, address: str, asked: Asked) -> Caller:
        with self._database.read() as connection:
            record = find_robot_caller(connection, secret_hash(credentials.password.reveal()), asked)
        if record.robot is None or record.robot.username != credentials.username.lower():
            raise BadCredentials
        return self._robot(record.robot, record, address, asked.now)

    def _by_refresh_token(self, token: str, address: str, asked: Asked, *, passwords_welcome: bool) -> Caller:
        if kind_of(token) is not SecretKind.REFRESH_TOKEN:
            raise BadCredentials(_LOGIN_OVER)
        with self._database.read() as connection:
            record = find_refresh_caller(connection, secret_hash(token), asked)
        found = record.refresh_token
        # A refresh token is for one subject and one service.
        if found is None or record.registry is None or record.registry.id != found.registry_id:
            raise BadCredentials(_LOGIN_OVER)
        if found.expires_at <= asked.now:
            raise BadCredentials(_LOGIN_OVER, subject=_known_subject(record))
        if record.robot is not None:
            return self._robot(record.robot, record, address, asked.now, found)
        user = _usable_user(record.user)
        token_shown = _usable_token(record.token, user, asked.now) if record.token else None
        if token_shown is None and not passwords_welcome:
            raise PasswordsClosed
        subject = _subject_of(user, token_shown)
        credential = replace(_credential_of(token_shown), refresh_token_id=found.id)
        self._note(subject, credential, address, found.last_used_at, asked.now)
        return _caller(subject, record, credential, asked.now)

    def _robot(
        self,
        stored: StoredRobot,
        record: CallerRecord,
        address: str,
        now: datetime,
        login: StoredRefreshToken | None = None,
    ) -> Caller:
        subject = robot(stored.id, stored.username, stored.home)
        # Whoever holds a good secret may know why it does not work.
        if not stored.enabled:
            raise BadCredentials("This robot account is disabled.", subject=subject)
        if _is_past(stored.expires_at, now) or _is_past(stored.secret_expires_at, now):
            raise BadCredentials("This robot account, or this secret of it, has expired.", subject=subject)
        if not is_allowed_from(stored.allowed_addresses, address):
            raise BadCredentials("This robot account may not be used from this address.", subject=subject)
        credential = Credential(
            CredentialKind.ROBOT_SECRET, stored.secret_id, refresh_token_id=login.id if login else None
        )
        # The last use of what was shown: of two secrets of a robot, each has its own.
        self._note(subject, credential, address, (login or stored).last_used_at, now)
        return _caller(subject, record, credential, now)

    def _is_internal(self, credentials: PasswordCredentials) -> bool:
        return credentials.username == INTERNAL_USERNAME and self._internal_secret.matches(
            credentials.password.reveal()
        )

    def _note(
        self, subject: Subject, credential: Credential, address: str, last_at: datetime | None, now: datetime
    ) -> None:
        if last_at is None or now - last_at >= USE_NOTED_AFTER:
            self._note_use(Use(subject, credential, address, now))

    def _person(self, credentials: PasswordCredentials, address: str, record: CallerRecord) -> Subject:
        attempt = self._attempt(credentials, address, record)
        outcome = self._memory.recall(attempt)
        wait = wait_s(record.failures, self._clock())
        # Whoever showed the right password from here within the last minute is let through.
        if wait and not outcome:
            self._memory.note_miss(attempt)
            raise TooManyAttempts(wait)
        if outcome is None:
            outcome = self._check(attempt, credentials, record)
        if not outcome or record.user is None:
            raise BadCredentials
        return _subject_of(record.user, None)

    def _attempt(self, credentials: PasswordCredentials, address: str, record: CallerRecord) -> Attempt:
        user = record.user
        state = f"{user.id}:{user.enabled}:{user.password_hash}" if user else ""
        return self._memory.attempt(
            account_hash(credentials.username), address, state=state, password=credentials.password
        )

    def _check(self, attempt: Attempt, credentials: PasswordCredentials, record: CallerRecord) -> bool:
        with self._passwords.slot():
            # The other requests of one push wait for the first one's result.
            known = self._memory.recall(attempt)
            if known is not None:
                return known
            # A bot has no password: it is as if nobody had that name.
            stored = (record.user and record.user.password_hash) or self._passwords.nobodys_hash
            right = self._passwords.matches(stored, credentials.password)
            outcome = right and record.user is not None and record.user.enabled
            self._memory.remember(attempt, outcome=outcome)
        if not outcome:
            self._note_failure(attempt, record)
            # Told once: the same password again says nothing new about anybody.
            raise BadCredentials(subject=_known_subject(record))
        return outcome

    def _note_failure(self, attempt: Attempt, record: CallerRecord) -> None:
        account, address = attempt.place
        with self._database.write() as connection:
            count_failure(connection, account=account, address=address, now=self._clock())
        # A name that nobody has may be a password in the wrong field.
        log.info("login.failed", username=record.user.username if record.user else None, address=address)


_LOGIN_OVER = "The login is over. Run docker login, or what your client calls it, again."


def _caller(subject: Subject, record: CallerRecord, credential: Credential, at: datetime) -> Caller:
    return Caller(subject, record.namespaces, record.registry, credential, at, _end_of(record))


def _end_of(record: CallerRecord) -> datetime | None:
    shown, machine = record.token or record.refresh_token, record.robot
    if shown is None and machine is None:
        return None
    ends = (
        record.token and record.token.expires_at,
        record.refresh_token and record.refresh_token.expires_at,
        machine and machine.expires_at,
        machine and machine.secret_expires_at,
    )
    return min((end for end in ends if end), default=None)


def _subject_of(user: StoredUser, token: StoredToken | None) -> Subject:
    return person(
        user.id,
        user.username,
        administrator=user.administrator,
        auditor=user.auditor,
        narrowing=token.narrowing if token else None,
    )


def _credential_of(token: StoredToken | None) -> Credential:
    if token is None:
        return Credential(CredentialKind.PASSWORD)
    return Credential(CredentialKind.APPLICATION_TOKEN, token.id, token.name)


def _known_subject(record: CallerRecord) -> Subject | None:
    if record.robot is not None:
        return robot(record.robot.id, record.robot.username, record.robot.home)
    return _subject_of(record.user, record.token) if record.user else None


def _usable_user(user: StoredUser | None) -> StoredUser:
    if user is None:
        raise BadCredentials
    if not user.enabled:
        raise BadCredentials(subject=_subject_of(user, None))
    return user


def _usable_token(token: StoredToken | None, user: StoredUser, now: datetime) -> StoredToken:
    if token is None:
        raise BadCredentials
    if _is_past(token.expires_at, now):
        text = f"The application token {token.name!r} has expired: make a new one."
        raise BadCredentials(text, subject=_subject_of(user, token))
    return token


def _is_past(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now
