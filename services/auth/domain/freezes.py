"""Freezing by hand: no push to a namespace, or to one repository of it, for a reason that is shown."""

from dataclasses import dataclass

from services.auth.domain.errors import Invalid
from services.auth.domain.namespaces import namespace_of
from shared.oci.names import InvalidName, parse_repository_name

MAX_FREEZE_REASON_LENGTH = 1000
MAX_FREEZES = 100
"""Most of one namespace: every token for it reads them all."""


@dataclass(frozen=True, slots=True)
class NewFreeze:
    """What somebody wants to freeze, and why."""

    reason: str
    repository: str = ""
    """Full name of one repository, which need not be there yet; empty: the whole namespace."""


def check_new_freeze(new: NewFreeze, namespace: str, *, existing: int) -> None:
    """Check what is to be frozen in a namespace.

    Args:
        namespace: its name; empty for the global one.
        existing: how many freezes there are in it.

    Raises:
        Invalid: the repository is outside the namespace or the grammar, or there are too many.
    """
    if new.repository:
        _check_repository(new.repository, namespace)
    if existing >= MAX_FREEZES:
        fault = f"{MAX_FREEZES} are frozen already, which is the most: freeze the whole namespace, or end others"
        raise Invalid({"repository": [fault]})


def _check_repository(name: str, namespace: str) -> None:
    try:
        parse_repository_name(name)
    except InvalidName as fault:
        raise Invalid({"repository": [str(fault)]}) from fault
    if namespace_of(name) != namespace:
        raise Invalid({"repository": ["is not in this namespace: name it in full, as it is pushed"]})
