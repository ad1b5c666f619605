"""Signing leaves. Their private keys are encrypted before they come here."""

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from services.auth.storage.tables import signing_leaves

MAX_LEAVES = 100
"""Most live leaves that are kept and read: about eight exist as long as nobody rotates by hand."""


@dataclass(frozen=True, slots=True)
class StoredLeaf:
    """One leaf as it is kept."""

    kid: str
    authority: str
    """Fingerprint of the CA's public key."""
    certificate: str
    """PEM: its own certificate, then those between it and the root."""
    private_key: str = field(repr=False)
    """Encrypted."""
    created_at: datetime
    expires_at: datetime
    at_once: bool = False
    """Whether it signs before every process has had the time to read it."""


def insert_leaf(connection: Connection, leaf: StoredLeaf) -> None:
    """Insert a leaf."""
    row = dataclasses.asdict(leaf)
    connection.execute(insert(signing_leaves).values(row))


def list_leaves(connection: Connection, *, now: datetime) -> list[StoredLeaf]:
    """Return the live leaves, those neither expired nor revoked, of whichever CA; newest first."""
    table = signing_leaves.c
    columns = [table[column.name] for column in dataclasses.fields(StoredLeaf)]
    live = select(*columns).where(table.expires_at > now, table.revoked_at.is_(None))
    rows = connection.execute(live.order_by(table.created_at.desc(), table.kid).limit(MAX_LEAVES))
    return [StoredLeaf(**row._mapping) for row in rows]


def revoke_leaf(connection: Connection, kid: str, *, now: datetime) -> None:
    """Take a leaf out of use for good; its row stays until it expires, for whoever looks into it."""
    connection.execute(update(signing_leaves).where(signing_leaves.c.kid == kid).values(revoked_at=now))


def purge_leaves(connection: Connection, *, now: datetime) -> int:
    """Delete expired leaves, whichever CA signed them; return how many there were."""
    return connection.execute(delete(signing_leaves).where(signing_leaves.c.expires_at <= now)).rowcount
