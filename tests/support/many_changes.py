"""A process that changes much at once: ``python -m tests.support.many_changes DATABASE_URL NAME``."""

import sys
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher

from services.auth.domain.actors import COMMAND_LINE
from services.auth.domain.management import Rules
from services.auth.usecases.change_namespace import NamespaceChange, change_namespace
from services.auth.usecases.passwords import Passwords
from services.auth.usecases.people import NewPerson, create_user
from shared.clock import utc_now
from shared.config import Secret
from shared.database import Database

TIMES = 25
"""How often one process changes two things: a person comes, and the global namespace is described anew."""


def main(database_url: str, name: str) -> None:
    """Make ``TIMES`` people called after ``name``, and as many changes of namespace 1, in eight threads."""
    database = Database(database_url)
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1), wait_s=60)

    def change(number: int) -> None:
        person = NewPerson(f"{name}{number}", Secret("correct horse battery"))
        create_user(COMMAND_LINE, person, passwords=passwords, database=database, clock=utc_now)
        description = NamespaceChange(description=person.username)
        change_namespace(COMMAND_LINE, 1, description, rules=Rules(), database=database, clock=utc_now)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(change, range(TIMES)))


if __name__ == "__main__":
    main(*sys.argv[1:])
