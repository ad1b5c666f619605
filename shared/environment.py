"""The environment, read with a memory: what was asked for, where each value came from, and old names.

A variable may be given as ``NAME``, as ``NAME_FILE`` (the path of a file that holds it), or under the name
that the old Portus had for the same thing (``shared.old_names``).
"""

import difflib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from environs import FileAwareEnv

FILE_SUFFIX = "_FILE"
HIDDEN = "***"


class Source(StrEnum):
    """Where a value came from."""

    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """A variable and the value that holds, from wherever."""

    name: str
    value: str | int | float | bool | None
    """``HIDDEN`` for a secret."""
    source: Source
    old_name: str | None = None
    """The old Portus' name, if it was given under that."""


@dataclass(frozen=True, slots=True)
class OldName:
    """A variable of the old Portus that means the same as one of ours.

    Args:
        convert: from the old value to ours; raises ``ValueError`` with what it must be.
    """

    old: str
    new: str
    convert: Callable[[str], str] = str


class Environment(FileAwareEnv):
    """Reads variables and remembers how.

    Args:
        old_names: what else a variable may be called.
    """

    def __init__(self, old_names: Sequence[OldName]) -> None:
        # A file's trailing newline would stay unless told otherwise.
        super().__init__(eager=False, strip_whitespace=True)
        self._old_names = {old.new: old for old in old_names}
        self._sources: dict[str, tuple[Source, str | None]] = {}
        self._hidden: set[str] = set()

    def hide(self, name: str) -> None:
        """Never show the value of a variable."""
        self._hidden.add(name)

    def effective(self) -> tuple[EffectiveSetting, ...]:
        """Return all that has been read, by name."""
        return tuple(
            EffectiveSetting(name, self._shown(name), source, old)
            for name, (source, old) in sorted(self._sources.items())
        )

    def _shown(self, name: str) -> Any:
        value = self._values.get(name)
        if name in self._hidden:
            return HIDDEN
        return value.value if isinstance(value, Enum) else value

    def _get_value(self, env_key: str, default: Any) -> Any:
        self._sources[env_key] = (_source(env_key), None)
        given = super()._get_value(env_key, None)
        old = self._old_names.get(env_key)
        if old is None or super()._get_value(old.old, None) is None:
            return default if given is None else given
        return self._reconciled(old, given)

    def _reconciled(self, old: OldName, given: str | None) -> str:
        """Return the value under an old name, unless the new one is given and says otherwise."""
        try:
            value = old.convert(super()._get_value(old.old, ""))
        except ValueError as fault:
            self._errors[old.old].append(str(fault))
            return given or ""
        if given is None:
            self._sources[old.new] = (_source(old.old), old.old)
            return value
        if given.lower() != value.lower():
            self._errors[old.new].append(f"{old.old}, its old name, says otherwise: give one of the two.")
        return given


def unknown_names(prefix: str, known: Collection[str], environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the variables with a prefix that nobody reads, each with the known name that is most like it."""
    for name in sorted(environment):
        stem = name.removesuffix(FILE_SUFFIX)
        if name.startswith(prefix) and not {name, stem} & set(known):
            yield name, difflib.get_close_matches(stem, known, n=1, cutoff=0)[0]


def _source(name: str) -> Source:
    if os.environ.get(name + FILE_SUFFIX):
        return Source.FILE
    return Source.ENVIRONMENT if name in os.environ else Source.DEFAULT
