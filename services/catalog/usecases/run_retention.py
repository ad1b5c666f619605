"""Doing what retention rules say.

A run may be killed at any time: it goes on behind the last repository that is done, and judges anew what
it has not deleted yet. Deleting a tag leaves whatever else has a name (``usecases.delete_content``).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from threading import Event

import structlog
from sqlalchemy import Connection

from services.catalog.domain.deletions import Method, TagPlace
from services.catalog.domain.retention import ABOUT_NOTHING, TOO_LARGE, UNSEEN, Verdict
from services.catalog.storage.leases import release_lease, take_lease
from services.catalog.storage.leftovers import drop_leftovers, note_leftovers, take_leftovers
from services.catalog.storage.retention import (
    Place,
    RunRow,
    StoredRule,
    end_run,
    find_due_rule,
    find_rule,
    find_run,
    find_run_under_way,
    list_places,
    open_run,
    save_outcome,
    save_repository_done,
    save_run_fault,
    update_rule,
)
from services.catalog.usecases.delete_content import ContentDeleter
from services.catalog.usecases.deletion_errors import DeletionError, DeletionRefused, ReferrersLeft
from services.catalog.usecases.judge_tags import judge_tags, load_terms
from services.catalog.usecases.registry import RegistryUnavailable
from services.catalog.usecases.surroundings import LookLimits, Surroundings
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import RepositoryName, Tag

LEASE = "retention"
LEASE_TTL = timedelta(minutes=15)
ACTOR = "portus retention"
"""Under whose name tags go; no account can be called so."""

LOOK_S = 600.0
"""So long is looked through a repository before the first of its tags goes; well below the time of the lease."""

MAX_LOOKED_AT = 20_000

PLACES_AT_ONCE = 100
MAX_UNANSWERED = 5
"""After so many tags in a row of which the registry says nothing the others of a repository wait for the next run."""

MAX_NAMED = 10
"""So many repositories are named that a run could not go through."""

MAX_REFUSALS = 20
"""So many refusals one after the other end a run: the registry deletes nothing."""

log = structlog.get_logger(__name__)


def look_at(rate: int) -> LookLimits:
    """Return how far is looked through a repository at some pace.

    Args:
        rate: requests a second, of which others may need half; 0: without a limit.
    """
    in_time = int(rate * LOOK_S / 2) if rate else MAX_LOOKED_AT
    return LookLimits(max_tags=min(in_time, MAX_LOOKED_AT), budget_s=LOOK_S)


def run_retention(deleter: ContentDeleter, *, holder: str, stop: Event, database: Database, clock: Clock) -> bool:
    """Do the run that is under way or due, unless another worker does; tell whether there was one.

    Raises:
        RegistryUnavailable: it is to be gone on with later.
    """
    with database.write() as connection:
        if not take_lease(connection, LEASE, holder, now=clock(), ttl=LEASE_TTL):
            return False
        run = find_run_under_way(connection)
        if run is None and (due := find_due_rule(connection, now=clock())):
            update_rule(connection, due.id, {"next_run_at": clock() + timedelta(hours=due.every_hours)})
            run = find_run(connection, open_run(connection, due.id, now=clock()))
        rule = find_rule(connection, run.rule_id) if run else None
    try:
        if run and rule:
            _Run(run, rule, deleter, holder, stop, database, clock).do()
    finally:
        with database.write() as connection:
            release_lease(connection, LEASE, holder)
    return run is not None


class _Pointless(Exception):
    """There is no sense in going on: the run is over."""


class _NoAnswers(Exception):
    """The registry answers, and not in this repository."""


class _NotOurs(Exception):
    """Another worker has taken over, or the rule is gone with its runs."""


def _left(place: TagPlace) -> Verdict:
    return Verdict(place.id, place.name, place.digest, goes=True, reason=ABOUT_NOTHING)


class _Run:
    """A run under way."""

    def __init__(
        self,
        run: RunRow,
        rule: StoredRule,
        deleter: ContentDeleter,
        holder: str,
        stop: Event,
        database: Database,
        clock: Clock,
    ) -> None:
        self._id = run.id
        self._rule_id = rule.id
        # One that was asked for goes on with a rule that is off, one that was due does not.
        self._began_with = (rule.enabled or run.requested_by is None, rule.terms)
        self._namespace = rule.namespace
        self._rule = load_terms(rule.terms)
        self._deleter = deleter
        self._holder = holder
        self._stop = stop
        self._database = database
        self._clock = clock
        self._position = run.position
        self._refusals = 0
        self._unanswered = 0
        self._faulty: list[RepositoryName] = []
        """Repositories in which the registry did not answer."""

    def do(self) -> None:
        """Go through the repositories behind the position."""
        log.info("retention.started", run=self._id, position=self._position)
        fault: str | None = None
        try:
            while places := self._next_places():
                for place in places:
                    if self._stop.is_set():
                        return
                    self._clear(place)
            fault = self._told_faulty()
        except _Pointless as ended:
            fault = str(ended)
        except _NotOurs as lost:
            log.warning("retention.left", run=self._id, reason=str(lost))
            return
        except RegistryUnavailable as away:
            with self._database.write() as connection:
                save_run_fault(connection, self._id, str(away))
            raise
        with self._database.write() as connection:
            end_run(connection, self._id, fault=fault, now=self._clock())
        log.info("retention.ended", run=self._id, fault=fault)

    def _next_places(self) -> Sequence[Place]:
        with self._database.read() as connection:
            return list_places(connection, self._namespace, after=self._position, limit=PLACES_AT_ONCE)

    def _clear(self, place: Place) -> None:
        kept: int | None = None
        if self._rule.covers(place.name):
            with self._database.read() as connection:
                verdicts = judge_tags(connection, self._rule, place, now=self._clock())
            with self._database.write() as connection:
                left = [_left(one) for one in take_leftovers(connection, self._rule_id, place)]
            # Tried after everything else: what was refused once may be again.
            going = {one.tag: one for one in (*verdicts, *left) if one.goes}
            kept = len({one.tag for one in verdicts} - going.keys())
            self._delete_all(place, list(going.values()))
        with self._database.write() as connection:
            self._require_ours(connection)
            save_repository_done(connection, self._id, place.name, kept=kept)
        self._position = place.name

    def _delete_all(self, place: Place, going: Sequence[Verdict]) -> None:
        around, self._unanswered = self._deleter.surroundings_of(place.name), 0
        try:
            for verdict in going:
                self._delete(place, verdict, around)
        except _NoAnswers:
            log.warning("retention.repository_left", run=self._id, repository=place.name)

    def _delete(self, place: Place, verdict: Verdict, around: Surroundings) -> None:
        # Asked before each deletion: whoever has taken over judges by what is there now, and so must nobody else.
        with self._database.write() as connection:
            self._require_ours(connection)
        fault: str | None = None
        left: Sequence[Tag] = ()
        try:
            tag = TagPlace(verdict.id, place.id, place.name, verdict.tag, verdict.digest)
            method = self._deleter.delete_tag(ACTOR, tag, around)
            if method is not Method.DIGEST and not around.is_whole:
                verdict = replace(verdict, reason=f"{verdict.reason}, {TOO_LARGE if around.is_too_large else UNSEEN}")
            self._refusals = self._unanswered = 0
        except DeletionError as refusal:
            fault, self._unanswered = str(refusal), 0
            left = refusal.tags if isinstance(refusal, ReferrersLeft) else ()
            self._refusals += isinstance(refusal, DeletionRefused)
        except RegistryUnavailable as silence:
            self._require_answer()
            fault = f"Nothing was deleted: {silence}."
            self._note_unanswered(place.name)
        with self._database.write() as connection:
            save_outcome(connection, self._id, place.name, verdict, fault=fault)
            if not fault:
                drop_leftovers(connection, self._rule_id, place, [verdict.tag])
            if left:
                note_leftovers(connection, self._rule_id, place, left)
        if self._refusals >= MAX_REFUSALS:
            raise _Pointless(f"{MAX_REFUSALS} deletions were refused one after the other, the last one so: {fault}")
        if self._unanswered >= MAX_UNANSWERED:
            raise _NoAnswers

    def _require_answer(self) -> None:
        """Tell a registry that is away, for which everything waits, from one that cannot say something about a tag.

        Raises:
            RegistryUnavailable: it does not answer another question, either.
        """
        next(iter(self._deleter.registry.list_repositories()), None)

    def _note_unanswered(self, repository: RepositoryName) -> None:
        self._unanswered += 1
        if repository not in self._faulty[-1:]:
            self._faulty.append(repository)

    def _told_faulty(self) -> str | None:
        if not self._faulty:
            return None
        named, more = ", ".join(self._faulty[:MAX_NAMED]), len(self._faulty) - MAX_NAMED
        others = f" and {more} more" if more > 0 else ""
        return f"the registry did not answer for every tag in {named}{others}; the next run tries them again"

    def _require_ours(self, connection: Connection) -> None:
        if not take_lease(connection, LEASE, self._holder, now=self._clock(), ttl=LEASE_TTL):
            raise _NotOurs("another worker goes on with it")
        rule = find_rule(connection, self._rule_id)
        if rule is None or find_run(connection, self._id) is None:
            raise _NotOurs("its rule was deleted")
        # What was judged by other terms is not to go by them.
        if (rule.enabled, rule.terms) != self._began_with:
            raise _Pointless("the rule was changed or switched off; the next run goes by what it says now")
