"""Who is calling? A name and a password, checked against one read of the database."""

from collections.abc import Collection
from dataclasses import dataclass, field

import structlog

from services.auth.domain.errors import BadCredentials, TooManyAttempts
from services.auth.domain.namespaces import Namespaces
from services.auth.domain.subjects import ANONYMOUS, INTERNAL, INTERNAL_USERNAME, Subject, person
from services.auth.domain.throttle import address_key, wait_s
from services.auth.storage.credentials import CallerRecord, account_hash, find_caller
from services.auth.storage.failures import count_failure
from services.auth.usecases.memory import Attempt, PasswordMemory
from services.auth.usecases.passwords import Passwords
from shared.clock import Clock
from shared.config import Secret
from shared.database import Database

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PasswordCredentials:
    """A name and a password, as somebody gave them."""

    username: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Caller:
    """An established subject, and the facts on the namespaces that were read along with it."""

    subject: Subject
    namespaces: Namespaces = field(default_factory=dict)


class Authenticator:
    """Establishes who is calling.

    Args:
        internal_secret: password of the account with which Portus itself reads the registry.
    """

    def __init__(
        self,
        *,
        database: Database,
        passwords: Passwords,
        memory: PasswordMemory,
        internal_secret: Secret,
        clock: Clock,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._memory = memory
        self._internal_secret = internal_secret
        self._clock = clock

    def authenticate(
        self, credentials: PasswordCredentials | None, *, address: str, namespaces: Collection[str] = ()
    ) -> Caller:
        """Check a password, or take a caller without one as anonymous: one read, no write on success.

        Args:
            credentials: ``None`` for an anonymous caller.
            address: where the caller is, for counting failures.
            namespaces: names to bring the facts on.

        Raises:
            BadCredentials: unknown name, wrong password or disabled account; nobody learns which.
            TooManyAttempts: the password was not even looked at.
            Overloaded: too many passwords wait to be checked.
        """
        key = address_key(address)
        username = None if credentials is None else credentials.username
        with self._database.read() as connection:
            record = find_caller(connection, username, key, namespaces)
        if credentials is None:
            return Caller(ANONYMOUS, record.namespaces)
        if credentials.username == INTERNAL_USERNAME and self._internal_secret.matches(credentials.password.reveal()):
            return Caller(INTERNAL, record.namespaces)
        return Caller(self._person(credentials, key, record), record.namespaces)

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
        return person(record.user.id, record.user.username, administrator=record.user.administrator)

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
            stored = record.user.password_hash if record.user else self._passwords.nobodys_hash
            right = self._passwords.matches(stored, credentials.password)
            outcome = right and record.user is not None and record.user.enabled
            self._memory.remember(attempt, outcome=outcome)
        if not outcome:
            self._note_failure(attempt, record)
        return outcome

    def _note_failure(self, attempt: Attempt, record: CallerRecord) -> None:
        account, address = attempt.place
        with self._database.write() as connection:
            count_failure(connection, account=account, address=address, now=self._clock())
        # A name that nobody has may be a password in the wrong field.
        log.info("login.failed", username=record.user.username if record.user else None, address=address)
