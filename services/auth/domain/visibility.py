"""What a subject may see: the pull rule, turned from a question about one into a filter for many.

Nothing here knows who may pull. The filter is found by asking ``decide`` for every kind of
namespace, so the rule that lists is the rule that checks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.auth.domain.decisions import Policy, decide
from services.auth.domain.grants import Grant
from services.auth.domain.namespaces import NamespaceFacts, Visibility
from services.auth.domain.patterns import EVERYTHING
from services.auth.domain.subjects import Narrowing, Subject
from services.auth.domain.teams import Role

_PLACES: tuple[Role | None, ...] = (None, *Role)


@dataclass(frozen=True, slots=True)
class Sight:
    """Which namespaces a subject may see."""

    everything: bool
    """Also those that Portus does not know."""
    places: Mapping[Visibility, frozenset[Role | None]]
    """By visibility: the roles in the owning team (``None``: no member) that let the subject see it."""
    by_grant: bool
    """Whether the subject's grants of ``pull`` let it see more."""
    only: frozenset[str] | None = None
    """Names of the namespaces that the credential reaches into; ``None``: all."""


def sight_of(subject: Subject) -> Sight:
    """Return what a subject may see."""
    only = subject.narrowing.namespaces if subject.narrowing else None
    # The namespaces of a narrowed credential are a filter of their own, whatever else lets it see them.
    wide = replace(subject, narrowing=Narrowing(subject.narrowing.actions)) if subject.narrowing else subject
    places = {
        visibility: frozenset(role for role in _PLACES if _may_pull(wide, NamespaceFacts("x", visibility, role)))
        for visibility in Visibility
    }
    return Sight(_may_pull(wide, None) and only is None, places, _may_pull(wide, _granted(wide)), only)


def _granted(subject: Subject) -> NamespaceFacts:
    """Return a private namespace, at home for a robot, in which the subject was granted ``pull``."""
    home = subject.home
    grant = Grant(0, EVERYTHING, frozenset({"pull"}))
    return NamespaceFacts(
        "x",
        Visibility.PRIVATE,
        id=(home.namespace_id if home else None) or 0,
        team_id=(home.team_id if home else None) or 0,
        grants=(grant,),
    )


def _may_pull(subject: Subject, namespace: NamespaceFacts | None) -> bool:
    # No policy bears on pulling, so any will do.
    name = f"{namespace.name}/y" if namespace else "x/y"
    return decide(subject, "pull", "repository", name, namespace, Policy()).allowed
