"""``catalog``, as use cases see it: it knows what lies in a namespace, and takes it out of the registry."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Protocol

from services.auth.domain.errors import CatalogAway, NotEmptied, StillEmptying
from services.auth.storage.namespaces import NamespaceView

BUDGET_S = 40.0
"""How long one request goes on emptying namespaces; a call that was begun is waited for, 15 s more or so."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How much lies in a namespace."""

    repositories: int
    tags: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Failure:
    """What could not be taken out of the registry, and why."""

    reason: str
    repository: str | None = None
    """``None`` when it concerns all."""
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Emptied:
    """What became of a namespace's repositories."""

    deleted: Sequence[str]
    failed: Sequence[Failure] = ()
    remaining: int = 0
    """Repositories that are left for another call."""


class Catalog(Protocol):
    """The service that reads the first registry; of the others it knows nothing."""

    def find_usage(self, namespaces: Collection[str]) -> Mapping[str, Usage]:
        """Return how much lies in each namespace.

        Raises:
            CatalogAway: nobody can say.
        """

    def empty_namespace(self, namespace: str, *, actor: str) -> Emptied:
        """Take every repository of a namespace out of the registry, for some seconds.

        Args:
            actor: username of whoever does it.

        Raises:
            CatalogAway: nobody can do it.
        """


class Deadline:
    """When a request that empties namespaces gives up, and leaves the rest to the next."""

    def __init__(self, budget_s: float = BUDGET_S) -> None:
        self._until_s = monotonic() + budget_s

    @property
    def has_passed(self) -> bool:
        return monotonic() >= self._until_s


def count_repositories(namespaces: Iterable[NamespaceView], catalog: Catalog) -> list[NamespaceView]:
    """Return namespaces with how many repositories they have; without, where nobody can say."""
    views = list(namespaces)
    try:
        usage = catalog.find_usage([view.name for view in views if view.is_catalogued])
    except CatalogAway:
        return views
    return [_counted(view, usage) for view in views]


def empty(namespace: str, *, actor: str, catalog: Catalog, deadline: Deadline) -> None:
    """Take every repository of a namespace out of the registry.

    Raises:
        CatalogAway: nobody can do it.
        NotEmptied: something could not be deleted; the rest was.
        StillEmptying: there was more than the time allows.
    """
    deleted: list[str] = []
    while True:
        done = catalog.empty_namespace(namespace, actor=actor)
        deleted += done.deleted
        if done.failed:
            raise NotEmptied(f"namespace {namespace}", _faults(namespace, done.failed), deleted)
        if not done.remaining:
            return
        if deadline.has_passed:
            raise StillEmptying(f"namespace {namespace}", f"{done.remaining} repositories")


def _counted(view: NamespaceView, usage: Mapping[str, Usage]) -> NamespaceView:
    found = usage.get(view.name) if view.is_catalogued else None
    return replace(view, repositories_count=found.repositories) if found else view


def _faults(namespace: str, failures: Iterable[Failure]) -> dict[str, list[str]]:
    faults: dict[str, list[str]] = {}
    for failure in failures:
        told = faults.setdefault(failure.repository or namespace, [])
        told.append(f"{failure.tag}: {failure.reason}" if failure.tag else failure.reason)
    return faults
