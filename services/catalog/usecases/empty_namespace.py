"""A namespace is emptied, repository by repository, for ``auth``, which owns namespaces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from time import monotonic

import structlog

from services.catalog.storage.repositories import list_names_in
from services.catalog.usecases.empty_repository import DeletionFailure, Emptying, RepositoryEmptier
from services.catalog.usecases.registry import RegistryError
from shared.oci.names import RepositoryName

BUDGET_S = 15.0
"""So long one call goes on; what is left is for the next."""

MAX_REPORTED = 1000
"""So many failures are told of one call."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class EmptiedNamespace:
    """What became of a namespace's repositories."""

    deleted: list[RepositoryName] = field(default_factory=list)
    failed: list[DeletionFailure] = field(default_factory=list)
    remaining: int = 0
    """Repositories that are left for another call."""


def empty_namespace(
    namespace: str, *, actor: str, emptier: RepositoryEmptier, budget_s: float = BUDGET_S
) -> EmptiedNamespace:
    """Delete every repository of a namespace, in the registry and in the index.

    A failure ends nothing but what would fail for the same reason. Whoever calls again goes on.

    Args:
        actor: on whose behalf, for the index.
    """
    result, until_s = EmptiedNamespace(), monotonic() + budget_s
    names = _names(namespace, emptier, result)
    for position, name in enumerate(names):
        emptying = emptier.empty(name, actor=actor, until_s=until_s)
        _note(result, name, emptying)
        if not emptying.is_over:
            result.remaining = len(names) - position
            break
    del result.failed[MAX_REPORTED:]
    log.info(
        "namespace.emptied",
        namespace=namespace,
        deleted=len(result.deleted),
        failed=len(result.failed),
        remaining=result.remaining,
    )
    return result


def _names(namespace: str, emptier: RepositoryEmptier, result: EmptiedNamespace) -> Sequence[RepositoryName]:
    with emptier.database.read() as connection:
        known = list_names_in(connection, namespace)
    try:
        return sorted({*known, *_listed(namespace, emptier)})
    except RegistryError as fault:
        result.failed.append(DeletionFailure(f"the registry's catalogue cannot be read: {fault}"))
        return known


def _listed(namespace: str, emptier: RepositoryEmptier) -> Iterator[RepositoryName]:
    # The registry knows repositories that the index has never heard of. In its order, everything in a
    # namespace comes right behind the namespace's own name.
    prefix = f"{namespace}/"
    return takewhile(lambda name: name.startswith(prefix), emptier.registry.list_repositories(after=namespace))


def _note(result: EmptiedNamespace, name: RepositoryName, emptying: Emptying) -> None:
    result.failed += emptying.failures
    if emptying.is_over and emptying.deletions and not emptying.failures:
        result.deleted.append(name)
