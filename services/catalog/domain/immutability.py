"""Tags that must not move: which are meant, and what moved.

A stock registry asks nobody before it takes a push, so an overwrite can be noticed and undone, and not
prevented. The same digest again is no overwrite, and a tag that was deleted first may come back as anything.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.catalog.domain.globs import is_covered
from services.catalog.domain.index import TagChange
from services.catalog.domain.occurrences import SERVICE_ACCOUNT
from shared.oci.names import RepositoryName, Tag, split_namespace

RESTORER = "portus immutability"
"""Under whose name tags come back; no account can be called so."""


class OverwriteState(StrEnum):
    """What became of an overwrite."""

    REPORTED = "reported"
    """Nothing is done about it."""
    WAITING = "waiting"
    """The former manifest is to be put back."""
    RESTORED = "restored"
    SUPERSEDED = "superseded"
    """The tag moved on before it could be put back."""
    FAILED = "failed"
    """The former manifest cannot be put back."""


@dataclass(frozen=True, slots=True)
class Immutable:
    """A rule: these tags must not move.

    Args:
        namespace: ``None``: of the whole installation; empty: of the global namespace.
        repositories, tags: globs; one of each has to cover a tag.
        restores: whether the former manifest is put back.
    """

    id: int
    namespace: str | None
    repositories: Sequence[str]
    tags: Sequence[str]
    restores: bool

    def covers(self, repository: RepositoryName, tag: Tag) -> bool:
        """Tell whether a tag must not move."""
        if self.namespace is not None and (split_namespace(repository).namespace or "") != self.namespace:
            return False
        return is_covered(self.repositories, repository) and is_covered(self.tags, tag)


@dataclass(frozen=True, slots=True)
class Overwrite:
    """A tag that moved and must not have."""

    rule: Immutable
    change: TagChange


def is_move(change: TagChange) -> bool:
    """Tell whether somebody let a tag point at something else that had pointed somewhere, and not we put it back."""
    moved = change.digest is not None and change.previous_digest is not None
    return moved and change.digest != change.previous_digest and not is_put_back(change.cause.actor)


def is_put_back(actor: str | None) -> bool:
    """Tell from its author whether a push only put back what was there."""
    return actor in (RESTORER, SERVICE_ACCOUNT)


def find_overwrites(rules: Sequence[Immutable], changes: Iterable[TagChange]) -> Sequence[Overwrite]:
    """Return the moves that a rule forbids; where several do, one that restores comes first."""
    found = []
    for change in filter(is_move, changes):
        if rule := find_rule(rules, change.cause.repository, change.tag):
            found.append(Overwrite(rule, change))
    return found


def find_rule(rules: Sequence[Immutable], repository: RepositoryName, tag: Tag) -> Immutable | None:
    """Return the rule that says that a tag must not move, if one does; of several one that restores, the oldest."""
    ordered = sorted(rules, key=lambda rule: (not rule.restores, rule.id))
    return next((rule for rule in ordered if rule.covers(repository, tag)), None)


def find_former(overwrites: Iterable[tuple[str, str]], current: str) -> set[str]:
    """Return where a tag was before it was overwritten to where it is: there it may be put back.

    Args:
        overwrites: previous digest and digest of each of its overwrites, the newest first.
        current: where it is.
    """
    led = {current}
    for previous, digest in overwrites:
        if digest in led:
            led.add(previous)
    return led - {current}
