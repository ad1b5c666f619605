"""Taking over namespaces that hold images already: which goes to which team, shown before it is done."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import IO

from sqlalchemy import Connection

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Ref
from services.auth.domain.errors import Invalid
from services.auth.domain.namespaces import check_namespace_name
from services.auth.storage.locks import Lock, hold
from services.auth.storage.namespaces import taken_namespace_names
from services.auth.storage.teams import find_team_named
from services.auth.usecases.audit import audited
from services.auth.usecases.create_namespace import add_namespace
from shared.clock import Clock
from shared.database import Database

MAX_ENTRIES = 100_000


class Step(StrEnum):
    """What is to be done about an entry of a plan."""

    MAKE = "make"
    THERE = "there"
    """There is such a namespace already; it stays as it is."""
    WRONG = "wrong"
    """It cannot be made."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A namespace and the team that it is to belong to."""

    namespace: str
    team: str


@dataclass(frozen=True, slots=True)
class Planned:
    """An entry with what is to be done about it."""

    entry: Entry
    step: Step
    fault: str | None = None
    """Why it is wrong."""


class PlanRefused(Exception):
    """A plan in which something is wrong is not carried out, in no part."""

    def __init__(self, planned: Sequence[Planned]) -> None:
        wrong = sum(one.step is Step.WRONG for one in planned)
        super().__init__(f"{wrong} of {len(planned)} entries are wrong; nothing was made")
        self.planned = planned


def read_plan(lines: IO[str]) -> Sequence[Entry]:
    """Read a plan: lines of ``namespace,team``; empty ones and those that begin with ``#`` are passed over.

    Raises:
        ValueError: a line is none of these, or there are more than ``MAX_ENTRIES``.
    """
    entries = []
    for number, fields in enumerate(csv.reader(lines), 1):
        values = [field.strip() for field in fields]
        if not any(values) or values[0].startswith("#"):
            continue
        if len(values) != 2 or not all(values):
            raise ValueError(f"line {number} is not namespace,team")
        entries.append(Entry(*values))
        if len(entries) > MAX_ENTRIES:
            raise ValueError(f"there are more than {MAX_ENTRIES} entries")
    return entries


def plan_import(actor: Actor, entries: Iterable[Entry], *, database: Database) -> Sequence[Planned]:
    """Return what an import would do; nothing is changed."""
    with database.read() as connection:
        return _plan(connection, actor, list(entries))


def carry_out_import(actor: Actor, entries: Iterable[Entry], *, database: Database, clock: Clock) -> Sequence[Planned]:
    """Make the namespaces of a plan, all of them or none; they are private.

    Raises:
        PlanRefused: something is wrong.
    """
    with database.write() as connection, audited(connection, actor, clock) as record:
        hold(connection, Lock.NAMES)
        planned = _plan(connection, actor, list(entries))
        if any(one.step is Step.WRONG for one in planned):
            raise PlanRefused(planned)
        for one in planned:
            if one.step is Step.MAKE:
                team = find_team_named(connection, actor.subject, one.entry.team)
                if team is None:
                    raise PlanRefused([Planned(one.entry, Step.WRONG, _no_team(one.entry))])
                owner = Ref(team.id, team.name)
                add_namespace(connection, record, one.entry.namespace, team=owner, description="", now=clock())
    return planned


def _plan(connection: Connection, actor: Actor, entries: Sequence[Entry]) -> Sequence[Planned]:
    taken = taken_namespace_names(connection, [entry.namespace for entry in entries])
    teams = {name: find_team_named(connection, actor.subject, name) for name in {entry.team for entry in entries}}
    seen, planned = set[str](), list[Planned]()
    for entry in entries:
        if entry.namespace in taken:
            planned.append(Planned(entry, Step.THERE))
            continue
        fault = _fault(entry, seen) or (None if teams[entry.team] else _no_team(entry))
        planned.append(Planned(entry, Step.WRONG if fault else Step.MAKE, fault))
        seen.add(entry.namespace)
    return planned


def _fault(entry: Entry, seen: set[str]) -> str | None:
    if entry.namespace in seen:
        return "it is named twice"
    try:
        check_namespace_name(entry.namespace)
    except Invalid as invalid:
        return f"its name {'; '.join(invalid.errors['name'])}"
    return None


def _no_team(entry: Entry) -> str:
    return f"there is no team {entry.team!r}"
