"""Signing leaves. Their private keys are encrypted before they come here."""

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from services.auth.storage.tables import signing_leaves

MAX_LEAVES = 100
"""Most unexpired leaves that are read: about eight exist when one is minted a day."""


@dataclass(frozen=True, slots=True)
class StoredLeaf:
    """One leaf as it is kept."""

    kid: str
    authority: str
    """Fingerprint of the CA's public key."""
    certificate: str
    """PEM."""
    private_key: str = field(repr=False)
    """Encrypted."""
    created_at: datetime
    expires_at: datetime


def insert_leaf(connection: Connection, leaf: StoredLeaf) -> None:
    """Insert a leaf."""
    row = dataclasses.asdict(leaf)
    connection.execute(insert(signing_leaves).values(row))


def list_leaves(connection: Connection, authority: str, *, now: datetime) -> list[StoredLeaf]:
    """Return the unexpired leaves of a CA, newest first."""
    table = signing_leaves.c
    statement = select(signing_leaves).where(table.authority == authority, table.expires_at > now)
    rows = connection.execute(statement.order_by(table.created_at.desc(), table.kid).limit(MAX_LEAVES))
    return [StoredLeaf(**row._mapping) for row in rows]


def purge_leaves(connection: Connection, *, now: datetime) -> int:
    """Delete expired leaves, whichever CA signed them; return how many there were."""
    return connection.execute(delete(signing_leaves).where(signing_leaves.c.expires_at <= now)).rowcount
