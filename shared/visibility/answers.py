"""The answer of ``auth``, read into a type."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling."""

    username: str
    kind: str
    """``person``, or another kind of account that ``auth`` knows."""
    administrator: bool = False


@dataclass(frozen=True, slots=True)
class Visibility:
    """The repositories that a caller may pull from."""

    everything: bool = False
    global_namespace: bool = False
    """Whether repositories without a slash are among them."""
    namespaces: tuple[str, ...] = ()
    caller: Caller | None = None
    """``None``: anonymous."""


def load_visibility(body: Any) -> Visibility:
    """Read the answer's JSON; only what is plainly granted is granted.

    Raises:
        LookupError, TypeError: a member is missing or of another form.
    """
    return Visibility(
        everything=body["everything"] is True,
        global_namespace=body["global_namespace"] is True,
        namespaces=tuple(str(name) for name in body["namespaces"]),
        caller=_load_caller(body["subject"]),
    )


def _load_caller(subject: Any) -> Caller | None:
    if subject is None:
        return None
    return Caller(str(subject["username"]), str(subject["kind"]), administrator=subject["administrator"] is True)
