"""A database with as many people, teams, namespaces and grants as a large installation has.

Made by the database itself, because use cases would take minutes. Jane is the same in every world: a
contributor of five teams with five grants of her own.
"""

import dataclasses
import secrets
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from services.auth.domain.secrets import ENTROPY_BYTES, SecretKind, new_secret, secret_hash
from shared.database import Database

REPOSITORY = "space1/app"
"""Jane may push to it as a contributor."""


@dataclass(frozen=True)
class Size:
    people: int
    teams: int
    namespaces: int
    grants: int


SMALL = Size(people=10, teams=10, namespaces=10, grants=10)
LARGE = Size(people=10_000, teams=2_000, namespaces=5_000, grants=20_000)


@dataclass(frozen=True)
class Jane:
    """The person whose tokens are measured."""

    username: str
    application_token: str = field(repr=False)


_STATEMENTS = (
    """INSERT INTO users (username, username_key, password_hash, administrator, auditor, bot, enabled, created_at,
           updated_at)
       SELECT 'user' || n, 'user' || n, 'x', false, false, false, true, now(), now()
       FROM generate_series(1, :people) n""",
    """INSERT INTO teams (name, description, hidden, created_at, updated_at)
       SELECT 'bulk' || n, '', false, now(), now() FROM generate_series(1, :teams) n""",
    """INSERT INTO namespaces (registry_id, name, description, visibility, team_id, created_at, updated_at)
       SELECT 1, 'space' || n, '', 'private', (SELECT id FROM teams WHERE name = 'bulk' || (1 + n % :teams)), now(),
           now()
       FROM generate_series(1, :namespaces) n""",
    """INSERT INTO team_members (team_id, user_id, role, created_at, updated_at)
       SELECT t.id, u.id, 'contributor', now(), now()
       FROM generate_series(1, :people) n
       JOIN users u ON u.username = 'user' || n
       JOIN teams t ON t.name = 'bulk' || (1 + n % :teams)""",
    """INSERT INTO grants (namespace_id, pattern, user_id, actions, reason, from_administrator, created_by, created_at,
           updated_at)
       SELECT ns.id, '*', u.id, 'pull', '', false, 'x', now(), now()
       FROM generate_series(1, :grants) n
       JOIN users u ON u.username = 'user' || (1 + n % :people)
       JOIN namespaces ns ON ns.name = 'space' || (1 + n % :namespaces)""",
    """INSERT INTO team_members (team_id, user_id, role, created_at, updated_at)
       SELECT t.id, u.id, 'contributor', now(), now()
       FROM teams t JOIN users u ON u.username = :jane WHERE t.name IN ('bulk1', 'bulk2', 'bulk3', 'bulk4', 'bulk5')""",
    """INSERT INTO grants (namespace_id, pattern, user_id, actions, reason, from_administrator, created_by, created_at,
           updated_at)
       SELECT ns.id, ns.name || '/*', u.id, 'pull,push', '', false, 'x', now(), now()
       FROM namespaces ns JOIN users u ON u.username = :jane
       WHERE ns.name IN ('space1', 'space2', 'space3', 'space4', 'space5')""",
    """INSERT INTO application_tokens (user_id, name, secret_hash, created_by, last_used_at, created_at)
       SELECT id, 'ci', :secret_hash, username, now(), now() FROM users WHERE username = :jane""",
)


def fill(database: Database, size: Size, *, username: str) -> Jane:
    """Fill a PostgreSQL database around a person who has an account already."""
    secret = new_secret(SecretKind.APPLICATION_TOKEN, secrets.token_bytes(ENTROPY_BYTES))
    values = {**dataclasses.asdict(size), "jane": username, "secret_hash": secret_hash(secret)}
    with database.write() as connection:
        for statement in _STATEMENTS:
            _run(connection, statement, values)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # As autovacuum does a while after so much has been written.
        connection.execute(text("ANALYZE"))
    return Jane(username, secret)


def _run(connection: Connection, statement: str, values: dict[str, object]) -> None:
    wanted = text(statement)
    connection.execute(wanted, {name: values[name] for name in wanted._bindparams})
