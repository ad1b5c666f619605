"""Write a batch of what a process has noted beside its requests."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import Connection

from services.auth.storage.decisions import insert_decisions
from services.auth.storage.uses import (
    LastUse,
    note_refresh_token_uses,
    note_robot_uses,
    note_secret_uses,
    note_token_uses,
)
from services.auth.usecases.authenticate import CredentialKind, Use
from services.auth.usecases.decision_log import Decided, row_of
from services.auth.usecases.push_grants import record_push_grants
from shared.clock import Clock
from shared.database import Database

Note = Use | Decided
"""What there is to note."""


def write_notes(
    notes: Sequence[Note], *, token_ttl_s: int, login_ttl: timedelta, database: Database, clock: Clock
) -> None:
    """Write a batch in one transaction.

    Args:
        token_ttl_s: life of a token where its registry has none of its own.
        login_ttl: life of a login without use.
    """
    decided = [note for note in notes if isinstance(note, Decided)]
    uses = [note for note in notes if isinstance(note, Use)]
    with database.write() as connection:
        if decided:
            insert_decisions(connection, list(map(row_of, decided)))
            record_push_grants(connection, decided, token_ttl_s=token_ttl_s, now=clock())
        _write_uses(connection, uses, login_ttl)


def _write_uses(connection: Connection, uses: Sequence[Use], login_ttl: timedelta) -> None:
    note_token_uses(connection, _last_uses((_token_id(use), use) for use in uses))
    note_robot_uses(connection, _last_uses((use.subject.robot_id, use) for use in uses))
    note_secret_uses(connection, _last_uses((_secret_id(use), use) for use in uses))
    logins = _last_uses((use.credential.refresh_token_id, use) for use in uses)
    note_refresh_token_uses(connection, logins, ttl=login_ttl)


def _last_uses(uses: Iterable[tuple[int | None, Use]]) -> Iterable[LastUse]:
    """Return the last use of each id; they come in the order in which they happened."""
    return {id: LastUse(id, use.at, use.address) for id, use in uses if id is not None}.values()


def _token_id(use: Use) -> int | None:
    return use.credential.id if use.credential.kind is CredentialKind.APPLICATION_TOKEN else None


def _secret_id(use: Use) -> int | None:
    return use.credential.id if use.credential.kind is CredentialKind.ROBOT_SECRET else None
