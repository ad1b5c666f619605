"""The scopes that a client asks of a token server.

Source: distribution "Docker Registry Token Scope and Access", grammar of ``scope``:
``resourcescope [' ' resourcescope]*`` with ``resourcescope := type['('class')'] ':' name ':' action[,action]*``
and ``name := [hostname '/'] component ['/' component]*``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from shared.oci.names import InvalidName, is_name_component, parse_repository_name

MAX_SCOPES = 100
"""Most resource scopes in one request."""

MAX_SCOPE_LENGTH = 1024
"""Longest single resource scope: a full name with a host, and a handful of actions."""

MAX_SCOPES_LENGTH = 32 * 1024
"""Longest text of all the scopes of one request together."""

_TYPE = re.compile(r"([a-z0-9]+)(?:\(([a-z0-9]+)\))?")
_HOST_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = re.compile(rf"{_HOST_LABEL}(?:\.{_HOST_LABEL})*(?::[0-9]+)?")
_ACTION = re.compile(r"[a-z]*|\*")


class InvalidScope(ValueError):
    """A scope is outside the grammar or over a limit; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One resource and the actions asked or granted on it."""

    type: str
    """``repository`` or ``registry``; the grammar allows others."""
    name: str
    actions: tuple[str, ...]
    """Sorted, without repetition."""
    resource_class: str | None = None
    """``plugin`` in ``repository(plugin)``; the specification calls it deprecated."""

    def __str__(self) -> str:
        kind = f"{self.type}({self.resource_class})" if self.resource_class else self.type
        return f"{kind}:{self.name}:{','.join(self.actions)}"


def parse_scopes(values: Iterable[str]) -> tuple[Scope, ...]:
    """Read all the ``scope`` parameters of a request.

    Args:
        values: each holds no, one or several resource scopes, separated by spaces.

    Returns:
        One scope per resource, with the actions of all its mentions, sorted by type and name.

    Raises:
        InvalidScope: one is outside the grammar, or there are too many.
    """
    texts = _split(values)
    merged: dict[tuple[str, str, str], set[str]] = {}
    for text in texts:
        scope = parse_scope(text)
        merged.setdefault((scope.type, scope.resource_class or "", scope.name), set()).update(scope.actions)
    return tuple(
        Scope(kind, name, tuple(sorted(actions)), resource_class or None)
        for (kind, resource_class, name), actions in sorted(merged.items())
    )


def parse_scope(text: str) -> Scope:
    """Read one resource scope.

    Raises:
        InvalidScope: it is outside the grammar or too long.
    """
    if len(text) > MAX_SCOPE_LENGTH:
        raise InvalidScope(f"a scope may have at most {MAX_SCOPE_LENGTH} characters")
    # The name may hold a colon (``host:port/…``), so the type ends at the first and the actions
    # begin at the last.
    kind, colon, rest = text.partition(":")
    name, second_colon, actions = rest.rpartition(":")
    if not colon or not second_colon:
        raise _malformed(text, "it must have the form type:name:actions")
    matched = _TYPE.fullmatch(kind)
    if not matched:
        raise _malformed(text, "its type is not one")
    if not _is_resource_name(name):
        raise _malformed(text, "its name is not a repository name")
    return Scope(matched[1], name, _parse_actions(text, actions), matched[2])


def _split(values: Iterable[str]) -> list[str]:
    values = list(values)
    if sum(map(len, values)) > MAX_SCOPES_LENGTH:
        raise InvalidScope(f"all scopes together may have at most {MAX_SCOPES_LENGTH} characters")
    texts = [text for value in values for text in value.split(" ") if text]
    if len(texts) > MAX_SCOPES:
        raise InvalidScope(f"at most {MAX_SCOPES} scopes may be asked at once, not {len(texts)}")
    return texts


def _parse_actions(text: str, actions: str) -> tuple[str, ...]:
    names = actions.split(",")
    if not all(_ACTION.fullmatch(name) for name in names):
        raise _malformed(text, "an action is a word of lower-case letters or '*'")
    # The grammar allows an empty action; it asks for nothing.
    return tuple(sorted({name for name in names if name}))


def _is_resource_name(name: str) -> bool:
    first, slash, path = name.partition("/")
    has_host = slash and not is_name_component(first) and _HOST.fullmatch(first)
    try:
        parse_repository_name(path if has_host else name)
    except InvalidName:
        return False
    return True


def _malformed(text: str, why: str) -> InvalidScope:
    return InvalidScope(f"the scope {text[:80]!r} is malformed: {why}")
