"""Tags that must not move: rules about them, and putting back what moved all the same."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Connection, select

from services.catalog.domain.immutability import RESTORER, OverwriteState
from services.catalog.storage.immutability import (
    ImmutableRow,
    OverwriteRow,
    count_rules,
    find_due,
    find_overwrite,
    find_rule,
    insert_rule,
    list_overwrites,
    list_rules,
    postpone,
    settle,
    try_again,
    update_rule,
)
from services.catalog.storage.immutability import delete_rule as drop_rule
from services.catalog.storage.leases import release_lease, take_lease
from services.catalog.storage.tables import repositories
from services.catalog.storage.tag_queries import list_present_tags
from services.catalog.usecases.not_found import NotFound
from services.catalog.usecases.registry import RegistryError
from services.catalog.usecases.restore_tag import PartsMissing, TagRestorer
from services.catalog.usecases.rights import FindPermissions, require_namespace, seen_namespaces
from shared.api.etags import Expected
from shared.api.paging import ListRequest, Page
from shared.api.slices import Slice
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import Digest, RepositoryName, Tag, split_namespace
from shared.visibility.answers import Visibility
from shared.visibility.permissions import require_caller

LEASE = "overwrites"
LEASE_TTL = timedelta(minutes=2)

MAX_RULES = 1000
MAX_ATTEMPTS = 180
"""About a week of them: a registry that takes no pushes is looked after by somebody within days."""
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)

log = structlog.get_logger(__name__)


class ImmutableNotFound(NotFound):
    """There is no such rule, or the caller may not see it."""

    def __init__(self) -> None:
        super().__init__("There is no such rule on tags that must not move, or you may not see it.")


class OverwriteNotFound(NotFound):
    """There is no such overwrite, or the caller may not see it."""

    def __init__(self) -> None:
        super().__init__("No tag has moved that must not have, as far as you may see, of which this is the number.")


class NothingToRetry(Exception):
    """An overwrite was put back, is not to be, or the tag has moved on since.

    Args:
        state: what became of it.
    """

    def __init__(self, state: OverwriteState) -> None:
        super().__init__(f"Only what failed or waits is tried again; this is {state.value}.")


class TooManyRules(Exception):
    """There are as many rules as there may be."""

    def __init__(self) -> None:
        super().__init__(f"There are {MAX_RULES} rules on tags that must not move already.")


@dataclass(frozen=True, slots=True)
class Terms:
    """A rule as somebody wants it."""

    namespace: str | None
    repositories: Sequence[str]
    tags: Sequence[str]
    restores: bool


@dataclass(frozen=True, slots=True)
class ImmutabilityDesk:
    """Rules and overwrites, for one caller.

    Args:
        visibility: what the caller may see.
        permissions: asks what the caller may do.
    """

    visibility: Visibility
    permissions: FindPermissions
    database: Database
    clock: Clock

    def list_rules(self, asked: ListRequest) -> Page[ImmutableRow] | Slice[ImmutableRow]:
        """Return a part of the rules: of the namespaces that the caller sees, for overseers all."""
        with self.database.read() as connection:
            return list_rules(connection, asked, namespaces=seen_namespaces(self.visibility))

    def get_rule(self, rule: int) -> ImmutableRow:
        """Return a rule.

        Raises:
            ImmutableNotFound: see above.
        """
        with self.database.read() as connection:
            return self._get(connection, rule)

    def add_rule(self, wanted: Terms) -> ImmutableRow:
        """Write a new rule down.

        Raises:
            NotSignedIn, NotAllowed: the caller does not manage the namespace.
            TooManyRules: see above.
        """
        caller = require_caller(self.visibility)
        self._require(wanted.namespace)
        now = self.clock()
        with self.database.write() as connection:
            if count_rules(connection) >= MAX_RULES:
                raise TooManyRules
            made = {"created_by": caller.username, "created_at": now, "updated_at": now}
            return self._get(connection, insert_rule(connection, {**asdict(wanted), **made}), certain=True)

    def change_rule(self, rule: int, change: Callable[[ImmutableRow], Terms], *, expected: Expected) -> ImmutableRow:
        """Change a rule; it stays where it is.

        Raises:
            ImmutableNotFound, NotAllowed: as above.
            PreconditionFailed: it is not what the caller has seen.
        """
        self._require(self.get_rule(rule).namespace)
        with self.database.write() as connection:
            known = self._get(connection, rule, lock=True)
            expected(known)
            update_rule(connection, rule, {**asdict(change(known)), "updated_at": self.clock()})
            return self._get(connection, rule, certain=True)

    def delete_rule(self, rule: int) -> None:
        """Take a rule away; what it noticed is kept.

        Raises:
            ImmutableNotFound, NotAllowed: as above.
        """
        self._require(self.get_rule(rule).namespace)
        with self.database.write() as connection:
            drop_rule(connection, rule)

    def list_overwrites(self, asked: ListRequest) -> Slice[OverwriteRow]:
        """Return a part of the overwrites in what the caller sees."""
        with self.database.read() as connection:
            return list_overwrites(connection, self.visibility, asked)

    def retry_overwrite(self, overwrite: int) -> OverwriteRow:
        """Let it be tried at once to put back what was overwritten, as often as for a new one.

        Raises:
            OverwriteNotFound: see above.
            NotSignedIn, NotAllowed: the caller does not manage the namespace.
            NothingToRetry: see above.
        """
        require_caller(self.visibility)
        with self.database.read() as connection:
            known = self._get_overwrite(connection, overwrite)
        self._require(split_namespace(RepositoryName(known.repository)).namespace or "")
        with self.database.write() as connection:
            is_tried = try_again(connection, overwrite, now=self.clock())
            found = self._get_overwrite(connection, overwrite)
        if not is_tried:
            raise NothingToRetry(found.state)
        return found

    def _get_overwrite(self, connection: Connection, overwrite: int) -> OverwriteRow:
        found = find_overwrite(connection, self.visibility, overwrite)
        if found is None:
            raise OverwriteNotFound
        return found

    def _get(self, connection: Connection, rule: int, *, lock: bool = False, certain: bool = False) -> ImmutableRow:
        found, seen = find_rule(connection, rule, lock=lock), seen_namespaces(self.visibility)
        if found is None or not (certain or seen is None or found.namespace in seen):
            raise ImmutableNotFound
        return found

    def _require(self, namespace: str | None) -> None:
        require_namespace(self.visibility, self.permissions, namespace, "describe")


def undo_overwrite(restorer: TagRestorer, *, holder: str) -> bool:
    """Put back what was overwritten and waits for it, unless another worker does; tell whether there was something."""
    database, clock = restorer.database, restorer.clock
    with database.write() as connection:
        if not take_lease(connection, LEASE, holder, now=clock(), ttl=LEASE_TTL):
            return False
        due = find_due(connection, now=clock())
    try:
        if due:
            _undo(due, restorer)
    finally:
        with database.write() as connection:
            release_lease(connection, LEASE, holder)
    return due is not None


def _undo(due: OverwriteRow, restorer: TagRestorer) -> None:
    name, tag = RepositoryName(due.repository), Tag(due.tag)
    with restorer.database.read() as connection:
        number = connection.scalar(select(repositories.c.id).where(repositories.c.full_name == name))
        now_at = list_present_tags(connection, name, [tag]).get(tag)
    if number is None or now_at != due.digest:
        _settle(restorer, due, OverwriteState.SUPERSEDED)
        return
    try:
        restorer.put(name, number, tag, Digest(due.previous_digest), actor=RESTORER)
    except PartsMissing as fault:
        _settle(restorer, due, OverwriteState.FAILED, str(fault))
    except RegistryError as fault:
        if due.attempts + 1 >= MAX_ATTEMPTS:
            _settle(restorer, due, OverwriteState.FAILED, str(fault))
            return
        # 2 ** 10 times the first pause is more than an hour already; larger powers would only overflow.
        until = restorer.clock() + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(due.attempts, 10))
        with restorer.database.write() as connection:
            postpone(connection, due.id, until=until, fault=str(fault))
    else:
        _settle(restorer, due, OverwriteState.RESTORED)


def _settle(restorer: TagRestorer, due: OverwriteRow, state: OverwriteState, fault: str | None = None) -> None:
    with restorer.database.write() as connection:
        settle(connection, due.id, state, fault=fault)
    log.info("overwrite.settled", repository=due.repository, tag=due.tag, state=state.value, fault=fault)
