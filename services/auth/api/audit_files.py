"""The audit trail as files: CSV for people and their tables, JSON for programs.

Source: RFC 4180 (CSV); OWASP, "CSV Injection".
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from services.auth.domain.audit import PlainFields
from services.auth.domain.audit_chain import Entry

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

_COLUMNS: dict[str, Callable[[Entry], object]] = {
    # The columns of SUSE Portus' activities.csv.
    "Tracked item": lambda entry: entry.target_type,
    "Item": lambda entry: entry.target.name,
    "Event": lambda entry: entry.action.partition(".")[2].replace("_", " "),
    "Recipient": lambda entry: "" if entry.user is None or entry.target_type == "user" else entry.user.name,
    "Triggered by": lambda entry: entry.actor or entry.actor_kind,
    "Time": lambda entry: entry.at.isoformat(),
    "Notes": lambda entry: _difference(entry.before, entry.after),
    # Ours.
    "Id": lambda entry: entry.id,
    "Action": lambda entry: entry.action,
    "Actor kind": lambda entry: entry.actor_kind,
    "Address": lambda entry: entry.address,
    "Request id": lambda entry: entry.request_id,
    "Team": lambda entry: entry.team.name if entry.team else "",
    "Namespace": lambda entry: entry.namespace.name if entry.namespace else "",
    "Hash": lambda entry: entry.hash,
}


def csv_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Write entries as CSV, a line at a time, the names of the columns first."""
    yield _line(_COLUMNS)
    for entry in entries:
        yield _line(cell(entry) for cell in _COLUMNS.values())


def json_lines(entries: Iterable[Entry], dump: Callable[[Entry], Any]) -> Iterator[str]:
    """Write entries as one JSON list, an entry a line."""
    before = "[\n"
    for entry in entries:
        yield before + json.dumps(dump(entry))
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _line(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_harmless(str(cell)) for cell in cells])
    return line.getvalue()


def _harmless(text: str) -> str:
    # A table would take it for a formula and run it.
    return f"'{text}" if text.startswith(_FORMULA) else text


def _difference(before: PlainFields, after: PlainFields) -> str:
    names = sorted(before.keys() | after.keys())
    return "; ".join(f"{name}: {_values(name, before, after)}" for name in names)


def _values(name: str, before: PlainFields, after: PlainFields) -> str:
    return " → ".join(_value(side[name]) for side in (before, after) if name in side)


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
