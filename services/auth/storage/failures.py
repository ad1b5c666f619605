"""Wrong passwords, counted, and attempts to sign up. Written on failure, and when somebody signs up."""

from datetime import datetime

from sqlalchemy import Connection, case, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from services.auth.domain.throttle import FORGET_AFTER, Failures
from services.auth.storage.credentials import WHOLE_ADDRESS
from services.auth.storage.tables import login_failures

_SIGN_UP = "sign-up"
"""Stands in for the account, whose name is filed as a hash."""


def count_failure(connection: Connection, *, account: str, address: str, now: datetime) -> None:
    """Count one wrong password for the pair and for the address.

    Args:
        account: see ``credentials.account_hash``.
        address: see ``throttle.address_key``.
    """
    # Always in this order: two transactions that count the same rows cannot block each other.
    for key in (account, WHOLE_ADDRESS):
        _count(connection, key, address, now)


def count_sign_up(connection: Connection, address: str, *, now: datetime) -> None:
    """Count one attempt to sign up, whatever comes of it."""
    _count(connection, _SIGN_UP, address, now)


def find_sign_ups(connection: Connection, address: str) -> Failures:
    """Return the attempts to sign up from an address."""
    known = login_failures.c
    statement = select(known.failures, known.last_at).where(known.account == _SIGN_UP, known.address == address)
    row = connection.execute(statement).one_or_none()
    return Failures(row.failures, row.last_at) if row else Failures()


def purge_failures(connection: Connection, *, now: datetime, limit: int = 10_000) -> int:
    """Delete counts that have been forgotten; return how many there were."""
    key = tuple_(login_failures.c.account, login_failures.c.address)
    old = select(login_failures.c.account, login_failures.c.address).where(
        login_failures.c.last_at < now - FORGET_AFTER
    )
    return connection.execute(delete(login_failures).where(key.in_(old.limit(limit)))).rowcount


def _count(connection: Connection, account: str, address: str, now: datetime) -> None:
    # Both dialects know INSERT … ON CONFLICT in the same words, and SQLAlchemy has no common one.
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    known = login_failures.c
    again = case((known.last_at < now - FORGET_AFTER, 1), else_=known.failures + 1)
    connection.execute(
        insert(login_failures)
        .values(account=account, address=address, failures=1, last_at=now)
        .on_conflict_do_update(index_elements=["account", "address"], set_={"failures": again, "last_at": now})
    )
