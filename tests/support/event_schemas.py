"""JSON Schemas of all messages, read off their dataclasses.

``python -m tests.support.event_schemas`` writes ``docs/contracts/events.schema.json`` anew.
"""

import dataclasses
import inspect
import json
import re
import typing
from pathlib import Path
from typing import Any, get_args, get_type_hints

from shared.contracts import events

DOCUMENT = Path(__file__).parents[2] / "docs" / "contracts" / "events.schema.json"
TYPES: tuple[type[Any], ...] = get_args(events.EventData)
_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", type(None): "null"}


def schemas() -> dict[str, Any]:
    """Return one JSON Schema document with a definition per message type."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Data of Portus messages, by CloudEvents type",
        "$defs": {kind.TYPE: _schema(kind) for kind in TYPES},
    }


def write() -> None:
    DOCUMENT.write_text(json.dumps(schemas(), indent=2) + "\n")


def _schema(kind: type[Any]) -> dict[str, Any]:
    hints, comments = get_type_hints(kind), _comments(kind)
    fields = dataclasses.fields(kind)
    return {
        "description": inspect.getdoc(kind),
        "type": "object",
        "properties": {field.name: _property(hints[field.name], comments.get(field.name)) for field in fields},
        "required": [field.name for field in fields if field.default is dataclasses.MISSING],
    }


def _property(hint: Any, comment: str | None) -> dict[str, Any]:
    # An absent optional field is left out of a message, never null.
    kinds = [_JSON_TYPES[kind] for kind in (typing.get_args(hint) or (hint,)) if kind is not type(None)]
    return {"type": kinds[0]} | ({"description": comment} if comment else {})


def _comments(kind: type[Any]) -> dict[str, str]:
    """Return the docstring that stands below each field that has one."""
    found = re.findall(r'^    (\w+): .*\n    """(.+?)"""', inspect.getsource(kind), flags=re.MULTILINE)
    return dict(found)


if __name__ == "__main__":
    write()
