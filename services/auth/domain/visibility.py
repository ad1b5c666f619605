"""What a subject may see: the pull rule, turned from a question about one into a filter for many.

Nothing here knows who may pull. The filter is found by asking ``decide`` for every kind of
namespace, so the rule that lists is the rule that checks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.auth.domain.decisions import Policy, decide
from services.auth.domain.namespaces import NamespaceFacts, Visibility
from services.auth.domain.subjects import Subject
from services.auth.domain.teams import Role

_PLACES: tuple[Role | None, ...] = (None, *Role)


@dataclass(frozen=True, slots=True)
class Sight:
    """Which namespaces a subject may see."""

    everything: bool
    """Also those that Portus does not know."""
    places: Mapping[Visibility, frozenset[Role | None]]
    """By visibility: the roles in the owning team (``None``: no member) that let the subject see it."""

    def covers(self, namespace: NamespaceFacts) -> bool:
        """Tell whether one namespace may be seen."""
        return self.everything or namespace.role in self.places[namespace.visibility]


def sight_of(subject: Subject) -> Sight:
    """Return what a subject may see."""
    places = {
        visibility: frozenset(role for role in _PLACES if _may_pull(subject, NamespaceFacts("x", visibility, role)))
        for visibility in Visibility
    }
    return Sight(everything=_may_pull(subject, None), places=places)


def may_see(subject: Subject, namespace: NamespaceFacts) -> bool:
    """Tell whether a subject may see one namespace."""
    return _may_pull(subject, namespace)


def _may_pull(subject: Subject, namespace: NamespaceFacts | None) -> bool:
    # No policy bears on pulling, so any will do.
    return decide(subject, "pull", "repository", "x/y", namespace, Policy()).allowed
