"""Asked twice, made once: the answer to a creation is kept under the key that its caller chose.

The key is taken, the thing made and the answer kept in one transaction. So there is no half way: after a
crash the same request makes the thing, and after an answer that got lost it gets the same answer again.
An error leaves nothing behind, and the key free.

Source: draft-ietf-httpapi-idempotency-key-header.

IdempotencyFault   the key cannot be used for this request
├── KeyBusy        the same request is being answered at this moment
└── KeyTaken       it was used for another request, or its answer can no longer be read
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Column, Connection, MetaData, String, Table, Text, delete, func, insert, select

from shared.clock import Clock
from shared.database import Database, UtcDateTime

KEPT_FOR = timedelta(hours=24)
RETRY_AFTER_S = 1


class IdempotencyFault(Exception):
    """The key cannot be used for this request; the text says what to do."""


class KeyBusy(IdempotencyFault):
    """The same request is being answered at this moment."""

    def __init__(self) -> None:
        super().__init__(
            "A request with this Idempotency-Key is being answered at this moment. Send it again in a second."
        )
        self.headers = {"Retry-After": str(RETRY_AFTER_S)}


class KeyTaken(IdempotencyFault):
    """The key belongs to another request."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why} Choose another one.")


class Cipher(Protocol):
    """Encrypts answers, because some hold a secret that is shown once."""

    def encrypt(self, plain: bytes) -> bytes:
        """Return ASCII bytes."""

    def decrypt(self, encrypted: bytes) -> bytes | None:
        """Return what was encrypted; ``None`` when that was under another key."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request to make something.

    Args:
        caller: who asks, as no other caller is named.
        route: method and path.
        key: the caller's own name for the request.
        content: query and body as they were sent.
    """

    caller: str
    route: str
    key: str
    content: bytes

    @property
    def id(self) -> str:
        """Return what it is kept under."""
        return _sha256("\n".join((self.caller, self.route, self.key)).encode())


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller got, or gets again."""

    status: int
    headers: Mapping[str, str]
    body: str


def idempotency_table(metadata: MetaData) -> Table:
    """Return the table in which a service keeps its answers."""
    return Table(
        "idempotency_keys",
        metadata,
        # SHA-256 of caller, route and key.
        Column("id", String(64), primary_key=True),
        # Encrypted; with the SHA-256 of the request's content, which may hold a password.
        Column("answer", Text, nullable=False),
        Column("created_at", UtcDateTime, nullable=False, index=True),
    )


class KeptAnswers:
    """The answers of one service.

    Args:
        database: where the service makes its things; its ``write`` and ``read`` join our transaction.
        table: see ``idempotency_table``.
    """

    def __init__(self, database: Database, table: Table, cipher: Cipher, clock: Clock) -> None:
        self._database = database
        self._table = table
        self._cipher = cipher
        self._clock = clock

    def answer_once(self, call: Call, make: Callable[[], Answer]) -> tuple[Answer, bool]:
        """Return the answer that was kept for a call, or make it and keep it.

        Returns:
            The answer, and whether it is one that was kept.

        Raises:
            KeyBusy: another process is at it. On SQLite one waits for the other instead.
            KeyTaken: the key belongs to another request.
        """
        now = self._clock()
        with self._database.together() as connection:
            _take(connection, call.id)
            kept = self._find(connection, call, now)
            if kept is not None:
                return kept, True
            answer = make()
            self._keep(connection, call, answer, now)
            return answer, False

    def _find(self, connection: Connection, call: Call, now: datetime) -> Answer | None:
        columns = self._table.c
        found = select(columns.answer).where(columns.id == call.id, columns.created_at > now - KEPT_FOR)
        encrypted = connection.execute(found).scalar_one_or_none()
        if encrypted is None:
            return None
        plain = self._cipher.decrypt(encrypted.encode())
        if plain is None:
            raise KeyTaken("The answer to this Idempotency-Key can no longer be read.")
        kept = json.loads(plain)
        if kept.pop("request") != _sha256(call.content):
            raise KeyTaken("This Idempotency-Key was used with another body or query.")
        return Answer(**kept)

    def _keep(self, connection: Connection, call: Call, answer: Answer, now: datetime) -> None:
        plain = json.dumps({"request": _sha256(call.content), **asdict(answer)})
        encrypted = self._cipher.encrypt(plain.encode()).decode()
        # One that is too old to be given again may still be there.
        connection.execute(delete(self._table).where(self._table.c.id == call.id))
        connection.execute(insert(self._table).values(id=call.id, answer=encrypted, created_at=now))


def purge_answers(connection: Connection, table: Table, *, now: datetime, limit: int = 10_000) -> int:
    """Delete answers that are not given again; return how many there were."""
    old = select(table.c.id).where(table.c.created_at <= now - KEPT_FOR).limit(limit)
    return connection.execute(delete(table).where(table.c.id.in_(old))).rowcount


def _take(connection: Connection, call_id: str) -> None:
    """Be the only one who answers a call until the transaction ends.

    Raises:
        KeyBusy: somebody else is.
    """
    # A write transaction on SQLite is alone from its beginning.
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(bytes.fromhex(call_id)[:8], signed=True)
        if not connection.execute(select(func.pg_try_advisory_xact_lock(number))).scalar_one():
            raise KeyBusy


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
