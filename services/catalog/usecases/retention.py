"""Retention rules: who may write them, what one would do, and what their runs did."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from services.catalog.storage.retention import (
    OutcomeRow,
    RunRow,
    StoredRule,
    count_rules,
    find_environment_rule,
    find_rule,
    find_run,
    find_run_under_way,
    insert_rule,
    list_outcomes,
    list_rules,
    list_runs,
    open_run,
    update_rule,
)
from services.catalog.storage.retention import delete_rule as drop_rule
from services.catalog.usecases.judge_tags import load_terms
from services.catalog.usecases.not_found import NotFound
from services.catalog.usecases.preview_retention import Preview, preview_retention
from services.catalog.usecases.rights import FindPermissions, require_namespace, seen_namespaces
from shared.api.etags import Expected
from shared.api.paging import ListRequest, Page
from shared.api.slices import Slice
from shared.clock import Clock
from shared.database import Database
from shared.visibility.answers import Visibility
from shared.visibility.permissions import require_caller

MAX_RULES = 1000
ENVIRONMENT_RULE = "garbage collector (environment)"
"""The name of the rule that the environment describes; nobody else's is called so."""


class RuleNotFound(NotFound):
    """There is no such rule, or the caller may not see it."""

    def __init__(self) -> None:
        super().__init__("There is no such retention rule, or you may not see it.")


class RunNotFound(NotFound):
    """There is no such run, or the caller may not see it."""

    def __init__(self) -> None:
        super().__init__("There is no such run of a retention rule, or you may not see it.")


class RuleInvalid(Exception):
    """A rule cannot be as it is wanted."""

    def __init__(self, field: str, fault: str) -> None:
        super().__init__("The rule cannot be like this.")
        self.errors = {field: [fault]}


@dataclass(frozen=True, slots=True)
class NewRule:
    """A rule as somebody wants it."""

    name: str
    namespace: str | None
    enabled: bool
    every_hours: int
    terms: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RetentionDesk:
    """Rules and runs, for one caller.

    Args:
        visibility: what the caller may see.
        permissions: asks what the caller may do.
        max_tags: with more of them a run does not look through a repository.
    """

    visibility: Visibility
    permissions: FindPermissions
    database: Database
    clock: Clock
    max_tags: int

    def list_rules(self, asked: ListRequest) -> Page[StoredRule] | Slice[StoredRule]:
        """Return a part of the rules: of the namespaces that the caller sees, for overseers all."""
        with self.database.read() as connection:
            return list_rules(connection, asked, namespaces=seen_namespaces(self.visibility))

    def get_rule(self, rule: int) -> StoredRule:
        """Return a rule.

        Raises:
            RuleNotFound: see above.
        """
        with self.database.read() as connection:
            return self._get(connection, rule)

    def add_rule(self, wanted: NewRule) -> StoredRule:
        """Write a new rule down.

        Raises:
            NotSignedIn, NotAllowed: the caller may not delete everything there.
            RuleInvalid: the name is taken, there are too many, or it says nothing.
        """
        caller = require_caller(self.visibility)
        self._require(wanted.namespace)
        _check(wanted)
        now = self.clock()
        values = _values(wanted) | {"created_by": caller.username, "created_at": now, "updated_at": now}
        values["next_run_at"] = now + timedelta(hours=wanted.every_hours)
        try:
            with self.database.write() as connection:
                if count_rules(connection) >= MAX_RULES:
                    raise RuleInvalid("name", f"there are {MAX_RULES} rules already")
                return self._get(connection, insert_rule(connection, values), certain=True)
        except IntegrityError as fault:
            raise RuleInvalid("name", "is taken") from fault

    def change_rule(self, rule: int, change: Callable[[StoredRule], NewRule], *, expected: Expected) -> StoredRule:
        """Change a rule.

        Args:
            change: makes of the rule what it is to be.

        Raises:
            RuleNotFound, NotAllowed, RuleInvalid: as above.
            PreconditionFailed: it is not what the caller has seen.
        """
        known = self.get_rule(rule)
        self._require(known.namespace)
        self._require(change(known).namespace)
        try:
            with self.database.write() as connection:
                known = self._get(connection, rule, lock=True)
                expected(known)
                wanted = change(known)
                _check(wanted, known)
                next_run_at = min(known.next_run_at or self.clock(), self.clock() + timedelta(hours=wanted.every_hours))
                update_rule(
                    connection, rule, _values(wanted) | {"updated_at": self.clock(), "next_run_at": next_run_at}
                )
                return self._get(connection, rule, certain=True)
        except IntegrityError as fault:
            raise RuleInvalid("name", "is taken") from fault

    def delete_rule(self, rule: int) -> None:
        """Take a rule away, with the reports of its runs; what it has deleted stays deleted.

        A run that is under way ends before its next deletion.

        Raises:
            RuleNotFound, NotAllowed: as above.
            RuleInvalid: the environment has made it.
        """
        known = self.get_rule(rule)
        self._require(known.namespace)
        if not known.created_by:
            raise RuleInvalid("name", "it comes from PORTUS_DELETE_GARBAGE_COLLECTOR_…, and goes with that")
        with self.database.write() as connection:
            drop_rule(connection, rule)

    def preview(self, namespace: str | None, terms: Mapping[str, Any]) -> Preview:
        """Return what a rule would do now; nothing is deleted.

        Raises:
            NotSignedIn, NotAllowed, RuleInvalid: as above.
        """
        require_caller(self.visibility)
        self._require(namespace)
        rule = load_terms(terms)
        if not rule.says_something:
            raise RuleInvalid("terms", _SAYS_NOTHING)
        return preview_retention(rule, namespace, database=self.database, clock=self.clock, max_tags=self.max_tags)

    def request_run(self, rule: int) -> RunRow:
        """Ask for a run, which a worker begins within seconds; one that is under way is answered.

        Raises:
            RuleNotFound, NotAllowed: as above.
        """
        known = self.get_rule(rule)
        self._require(known.namespace)
        caller = require_caller(self.visibility)
        with self.database.write() as connection:
            self._get(connection, rule, lock=True)
            under_way = find_run_under_way(connection, rule)
            if under_way:
                return under_way
            run = find_run(connection, open_run(connection, rule, now=self.clock(), requested_by=caller.username))
        if run is None:
            raise RunNotFound
        return run

    def list_runs(self, asked: ListRequest) -> Page[RunRow] | Slice[RunRow]:
        """Return a part of the runs of the rules that the caller sees."""
        with self.database.read() as connection:
            return list_runs(connection, asked, namespaces=seen_namespaces(self.visibility))

    def get_run(self, run: int) -> RunRow:
        """Return a run.

        Raises:
            RunNotFound: see above.
        """
        with self.database.read() as connection:
            return self._get_run(connection, run)

    def list_outcomes(self, run: int, asked: ListRequest) -> Slice[OutcomeRow]:
        """Return a part of what a run did.

        Raises:
            RunNotFound: see above.
        """
        with self.database.read() as connection:
            return list_outcomes(connection, self._get_run(connection, run).id, asked)

    def _get_run(self, connection: Connection, run: int) -> RunRow:
        found = find_run(connection, run)
        rule = find_rule(connection, found.rule_id) if found else None
        if found is None or rule is None or not self._sees(rule):
            raise RunNotFound
        return found

    def _get(self, connection: Connection, rule: int, *, lock: bool = False, certain: bool = False) -> StoredRule:
        found = find_rule(connection, rule, lock=lock)
        if found is None or not (certain or self._sees(found)):
            raise RuleNotFound
        return found

    def _sees(self, rule: StoredRule) -> bool:
        seen = seen_namespaces(self.visibility)
        return seen is None or rule.namespace in seen

    def _require(self, namespace: str | None) -> None:
        require_namespace(self.visibility, self.permissions, namespace, "delete")


_SAYS_NOTHING = "say at least one of keep_newest, older_than_days, unpulled_days"


def _check(wanted: NewRule, known: StoredRule | None = None) -> None:
    if not load_terms(wanted.terms).says_something:
        raise RuleInvalid("terms", _SAYS_NOTHING)
    if known is not None and not known.created_by:
        raise RuleInvalid("name", "it comes from PORTUS_DELETE_GARBAGE_COLLECTOR_…: change those variables")
    if wanted.name == ENVIRONMENT_RULE:
        raise RuleInvalid("name", "is kept for the rule of PORTUS_DELETE_GARBAGE_COLLECTOR_…")


def _values(wanted: NewRule) -> dict[str, Any]:
    return {
        "name": wanted.name,
        "namespace": wanted.namespace,
        "enabled": wanted.enabled,
        "every_hours": wanted.every_hours,
        "terms": dict(wanted.terms),
    }


def keep_environment_rule(terms: Mapping[str, Any] | None, *, database: Database, clock: Clock) -> None:
    """Make the rule that the environment describes be there, or not.

    Args:
        terms: what it says; ``None``: there is to be none.
    """
    with database.write() as connection:
        known = find_environment_rule(connection)
        if terms is None:
            if known:
                drop_rule(connection, known.id)
            return
        values = _values(NewRule(ENVIRONMENT_RULE, None, True, 1, terms)) | {"updated_at": clock()}
        if known:
            update_rule(connection, known.id, values)
            return
        made = {"created_by": "", "created_at": clock(), "next_run_at": clock() + timedelta(hours=1)}
        insert_rule(connection, values | made)
