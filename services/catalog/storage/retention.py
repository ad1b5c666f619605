"""Retention rules, their runs, and the tags that they are about."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from services.catalog.domain.retention import Candidate, Verdict
from services.catalog.storage.folding import is_folded
from services.catalog.storage.image_labels import find_image_labels
from services.catalog.storage.retention_tables import leftovers, outcomes, rules, runs
from services.catalog.storage.tables import pulls, repositories, tags
from shared.api.paging import ListRequest, Order, Page
from shared.api.slices import Slice
from shared.listing import Listed, Listing, fetch_part, fetch_slice
from shared.oci.names import Digest, RepositoryName, Tag

RULES = Listing(
    {
        "id": Listed(rules.c.id),
        "name": Listed(rules.c.name),
        "namespace": Listed(rules.c.namespace),
        "enabled": Listed(rules.c.enabled),
        "created_at": Listed(rules.c.created_at),
        "updated_at": Listed(rules.c.updated_at),
    }
)
"""What the list of rules is sorted and narrowed by."""

RUNS = Listing(
    {
        "id": Listed(runs.c.id),
        "rule_id": Listed(runs.c.rule_id),
        "started_at": Listed(runs.c.started_at),
        "finished_at": Listed(runs.c.finished_at),
        "deleted": Listed(runs.c.deleted),
        "failed": Listed(runs.c.failed),
    },
    order=Order("id", descending=True),
)
"""What the list of runs is sorted and narrowed by."""

OUTCOMES = Listing(
    {
        "id": Listed(outcomes.c.id),
        "repository": Listed(outcomes.c.repository, sortable=False),
        "tag": Listed(outcomes.c.tag, sortable=False),
        "gone": Listed(outcomes.c.fault.is_(None), sortable=False),
    }
)
"""What the outcomes of a run are narrowed by."""


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A rule with what is written beside it."""

    id: int
    name: str
    namespace: str | None
    """``None``: of the whole installation; empty: of the global namespace."""
    enabled: bool
    terms: Mapping[str, Any]
    every_hours: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    next_run_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run, under way or over."""

    id: int
    rule_id: int
    started_at: datetime
    finished_at: datetime | None
    requested_by: str | None
    """``None``: it was due."""
    position: str
    repositories: int
    kept: int
    deleted: int
    failed: int
    fault: str | None


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """A tag that went, or should have."""

    id: int
    repository: str
    tag: str
    digest: str
    reason: str
    fault: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A repository whose tags are judged."""

    id: int
    name: RepositoryName


def list_rules(
    connection: Connection, asked: ListRequest, *, namespaces: Collection[str] | None
) -> Page[StoredRule] | Slice[StoredRule]:
    """Return a part of the rules.

    Args:
        namespaces: only theirs; ``None``: all, those of the installation among them.
    """
    query = select(*_RULE_COLUMNS)
    if namespaces is not None:
        query = query.where(rules.c.namespace.in_(namespaces))
    return fetch_part(connection, query, RULES, asked, load=_load_rule)


def find_rule(connection: Connection, rule: int, *, lock: bool = False) -> StoredRule | None:
    """Return a rule, locked to the transaction's end if that is wanted."""
    query = select(*_RULE_COLUMNS).where(rules.c.id == rule)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return _load_rule(row) if row else None


def find_environment_rule(connection: Connection) -> StoredRule | None:
    """Return the rule that nobody has written but the environment."""
    row = connection.execute(select(*_RULE_COLUMNS).where(rules.c.created_by == "")).one_or_none()
    return _load_rule(row) if row else None


def count_rules(connection: Connection) -> int:
    """Return how many rules there are."""
    return connection.execute(select(func.count()).select_from(rules)).scalar_one()


def insert_rule(connection: Connection, values: Mapping[str, Any]) -> int:
    """Write a new rule down and return its id."""
    return int(connection.execute(insert(rules).values(**values).returning(rules.c.id)).scalar_one())


def update_rule(connection: Connection, rule: int, values: Mapping[str, Any]) -> None:
    """Change a rule."""
    connection.execute(update(rules).where(rules.c.id == rule).values(**values))


def delete_rule(connection: Connection, rule: int) -> None:
    """Take a rule away, with its runs."""
    # Locked first: a run that is under way writes no outcome between the two deletions.
    of_rule = connection.scalars(select(runs.c.id).where(runs.c.rule_id == rule).with_for_update()).all()
    connection.execute(delete(outcomes).where(outcomes.c.run_id.in_(of_rule)))
    connection.execute(delete(runs).where(runs.c.rule_id == rule))
    connection.execute(delete(leftovers).where(leftovers.c.rule_id == rule))
    connection.execute(delete(rules).where(rules.c.id == rule))


def find_due_rule(connection: Connection, *, now: datetime) -> StoredRule | None:
    """Return the enabled rule that has been due longest."""
    due = rules.c.enabled & (rules.c.next_run_at <= now)
    row = connection.execute(select(*_RULE_COLUMNS).where(due).order_by(rules.c.next_run_at).limit(1)).first()
    return _load_rule(row) if row else None


def find_run_under_way(connection: Connection, rule: int | None = None) -> RunRow | None:
    """Return the run that has not come to its end, of one rule or of any."""
    query = select(*_RUN_COLUMNS).where(runs.c.finished_at.is_(None))
    if rule is not None:
        query = query.where(runs.c.rule_id == rule)
    row = connection.execute(query.order_by(runs.c.id).limit(1)).first()
    return RunRow(*tuple(row)) if row else None


def open_run(connection: Connection, rule: int, *, now: datetime, requested_by: str | None = None) -> int:
    """Begin a run and return its id."""
    counted = {"repositories": 0, "kept": 0, "deleted": 0, "failed": 0}
    values = {"rule_id": rule, "started_at": now, "requested_by": requested_by, "position": "", **counted}
    return int(connection.execute(insert(runs).values(**values).returning(runs.c.id)).scalar_one())


def save_repository_done(connection: Connection, run: int, name: RepositoryName, *, kept: int | None) -> None:
    """Note that a repository is done.

    Args:
        kept: how many of its tags stay; ``None``: the rule is not about it.
    """
    values: dict[str, Any] = {"position": name, "fault": None}
    if kept is not None:
        values |= {"repositories": runs.c.repositories + 1, "kept": runs.c.kept + kept}
    connection.execute(update(runs).where(runs.c.id == run).values(**values))


def save_run_fault(connection: Connection, run: int, fault: str) -> None:
    """Note why a run does not go on."""
    connection.execute(update(runs).where(runs.c.id == run).values(fault=fault))


def end_run(connection: Connection, run: int, *, fault: str | None, now: datetime) -> None:
    """Note that a run is over."""
    connection.execute(update(runs).where(runs.c.id == run).values(fault=fault, finished_at=now))


def find_run(connection: Connection, run: int) -> RunRow | None:
    """Return a run."""
    row = connection.execute(select(*_RUN_COLUMNS).where(runs.c.id == run)).one_or_none()
    return RunRow(*tuple(row)) if row else None


def list_runs(
    connection: Connection, asked: ListRequest, *, namespaces: Collection[str] | None
) -> Page[RunRow] | Slice[RunRow]:
    """Return a part of the runs; ``namespaces`` as above."""
    query = select(*_RUN_COLUMNS)
    if namespaces is not None:
        query = query.join(rules, rules.c.id == runs.c.rule_id).where(rules.c.namespace.in_(namespaces))
    return fetch_part(connection, query, RUNS, asked, load=lambda row: RunRow(*tuple(row)))


def save_outcome(
    connection: Connection, run: int, repository: RepositoryName, verdict: Verdict, *, fault: str | None
) -> None:
    """Write down what became of a tag that should go, and count it; a try of the same run before is replaced.

    Nothing is written of a run that is gone.
    """
    counted = runs.c.failed if fault else runs.c.deleted
    # First of all, so that the run is locked and stays until the outcome is written.
    found = connection.execute(update(runs).where(runs.c.id == run).values({counted: counted + 1}))
    if not found.rowcount:
        return
    before = delete(outcomes).where(
        outcomes.c.run_id == run, outcomes.c.repository == repository, outcomes.c.tag == verdict.tag
    )
    for earlier in connection.execute(before.returning(outcomes.c.fault)).scalars().all():
        counted = runs.c.failed if earlier else runs.c.deleted
        connection.execute(update(runs).where(runs.c.id == run).values({counted: counted - 1}))
    values = {"run_id": run, "repository": repository, "tag": verdict.tag, "digest": verdict.digest}
    connection.execute(insert(outcomes).values(**values, reason=verdict.reason, fault=fault))


def list_outcomes(connection: Connection, run: int, asked: ListRequest) -> Slice[OutcomeRow]:
    """Return a part of what a run did."""
    query = select(*(outcomes.c[name] for name in OutcomeRow.__slots__)).where(outcomes.c.run_id == run)
    return fetch_slice(connection, query, OUTCOMES, asked, load=lambda row: OutcomeRow(*tuple(row)))


def purge_runs(connection: Connection, *, before: datetime, limit: int = 100) -> int:
    """Forget runs that were over before a moment, at most ``limit``; return how many."""
    old = connection.scalars(select(runs.c.id).where(runs.c.finished_at < before).limit(limit)).all()
    connection.execute(delete(outcomes).where(outcomes.c.run_id.in_(old)))
    return connection.execute(delete(runs).where(runs.c.id.in_(old))).rowcount


def list_places(connection: Connection, namespace: str | None, *, after: str, limit: int) -> Sequence[Place]:
    """Return repositories with tags, by name; of one namespace, or of all.

    Args:
        after: those behind this name.
    """
    query = select(repositories.c.id, repositories.c.full_name).where(
        repositories.c.tags_count > 0, repositories.c.full_name > after
    )
    if namespace is not None:
        query = query.where(repositories.c.namespace == namespace if namespace else repositories.c.namespace.is_(None))
    rows = connection.execute(query.order_by(repositories.c.full_name).limit(limit))
    return [Place(row.id, RepositoryName(row.full_name)) for row in rows]


def list_candidates(connection: Connection, repository: int, *, label_keys: Collection[str]) -> Sequence[Candidate]:
    """Return the tags of a repository, without those that are only about another manifest.

    Args:
        label_keys: of the labels that matter; none: what the images say is not looked up.
    """
    columns = (tags.c.id, tags.c.name, tags.c.digest, tags.c.pushed_at, tags.c.first_seen_at)
    query = select(*columns).where(tags.c.repository_id == repository, tags.c.present, ~is_folded())
    rows = connection.execute(query).all()
    by_tag, by_digest = _pulled_at(connection, repository)
    images = find_image_labels(connection, {row.digest for row in rows}, label_keys) if label_keys else {}
    return [
        Candidate(
            Tag(row.name),
            Digest(row.digest),
            row.pushed_at or row.first_seen_at,
            max(filter(None, (by_tag.get(row.name), by_digest.get(row.digest))), default=None),
            images.get(row.digest),
            row.id,
        )
        for row in rows
    ]


def _pulled_at(connection: Connection, repository: int) -> tuple[Mapping[str, datetime], Mapping[str, datetime]]:
    # A pull by digest counts for every tag on it, a pull by tag for that one whatever it pointed at.
    query = select(pulls.c.tag, pulls.c.digest, pulls.c.pulled_at).where(
        pulls.c.repository_id == repository, pulls.c.pulled_at.is_not(None)
    )
    by_tag: dict[str, datetime] = {}
    by_digest: dict[str, datetime] = {}
    for tag, digest, pulled_at in connection.execute(query):
        where, key = (by_tag, tag) if tag else (by_digest, digest)
        where[key] = max(pulled_at, where.get(key, pulled_at))
    return by_tag, by_digest


_RULE_COLUMNS = tuple(rules.c[name] for name in StoredRule.__slots__)
_RUN_COLUMNS = tuple(runs.c[name] for name in RunRow.__slots__)


def _load_rule(row: Row[Any]) -> StoredRule:
    return StoredRule(*tuple(row))
