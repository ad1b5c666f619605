"""Who can do something to a repository, and by which paths?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from services.auth.domain.discretion import may_inquire
from services.auth.domain.errors import Forbidden
from services.auth.domain.explanations import Path, Question, paths
from services.auth.domain.namespaces import NamespaceFacts, namespace_of
from services.auth.domain.subjects import ANONYMOUS, Subject, SubjectKind, person
from services.auth.storage.facts import find_facts
from services.auth.storage.registries import find_registry_facts
from services.auth.storage.who_can import Candidate, list_officials, list_people, list_robots
from services.auth.usecases.explain import Inquiry

_SOMEBODY = person(0, "somebody")
"""A person without any part in anything."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the list of those who can: people come first, then robots, each by id."""

    kind: SubjectKind = SubjectKind.PERSON
    after_id: int = 0


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who can, and by which paths; each would do alone."""

    subject: Subject
    display_name: str | None
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class WhoCan:
    """One part of the list of those who can by name; who can because everybody can is not in it."""

    everybody: bool
    """Whether anonymous callers can."""
    signed_in: bool
    """Whether every person who has signed in can."""
    holders: tuple[Holder, ...]
    next_place: Place | None
    """Where the next part begins; ``None`` at the end."""


def list_who_can(
    subject: Subject, *, repository: str, action: str, service: str | None, place: Place, limit: int, inquiry: Inquiry
) -> WhoCan:
    """List who can do something to a repository.

    Args:
        service: a registry's; ``None``: the first one.
        limit: most candidates that are looked at for this part; those who cannot are left out of it.

    Raises:
        Forbidden: the asker neither sees everything nor manages the namespace.
        NotFound: there is no such registry.
    """
    name, now = namespace_of(repository), inquiry.clock()
    with inquiry.database.read() as connection:
        registry = find_registry_facts(connection, service, first_service=inquiry.first_service)
        own = find_facts(connection, subject, [name], registry_id=registry.id, now=now).get(name)
        if not may_inquire(subject, own):
            raise Forbidden("Only administrators, auditors and those who manage the namespace may ask this.")
        candidates, next_place = _candidates(connection, own, place, limit, inquiry)
    bare = own and replace(own, role=None, is_own=False, grants=())
    question = Question(ANONYMOUS, action, repository, bare, registry.policy(inquiry.policy))
    holders = (_holder(candidate, question) for candidate in candidates)
    return WhoCan(
        everybody=question.decide().allowed,
        signed_in=replace(question, subject=_SOMEBODY).decide().allowed,
        holders=tuple(holder for holder in holders if holder.paths),
        next_place=next_place,
    )


def _holder(candidate: Candidate, question: Question) -> Holder:
    asked = replace(question, subject=candidate.subject, namespace=candidate.facts)
    # What takes a right away, takes it away on every path.
    found = tuple(paths(asked)) if asked.decide().allowed else ()
    return Holder(candidate.subject, candidate.display_name, found)


def _candidates(
    connection: Connection, namespace: NamespaceFacts | None, place: Place, limit: int, inquiry: Inquiry
) -> tuple[Sequence[Candidate], Place | None]:
    now = inquiry.clock()
    if namespace is None:
        officials = list_officials(connection, after_id=place.after_id, limit=limit)
        people = [Candidate(official, None, None) for official in officials]
        return people, _next(people, limit, SubjectKind.PERSON, None)
    if place.kind is SubjectKind.PERSON:
        people = list(list_people(connection, namespace.id, after_id=place.after_id, limit=limit, now=now))
        return people, _next(people, limit, SubjectKind.PERSON, Place(SubjectKind.ROBOT))
    found = list_robots(connection, namespace.id, after_id=place.after_id, limit=limit, now=now)
    return found, _next(found, limit, SubjectKind.ROBOT, None)


def _next(found: Sequence[Candidate], limit: int, kind: SubjectKind, end: Place | None) -> Place | None:
    if len(found) < limit:
        return end
    last = found[-1].subject
    return Place(kind, last.user_id or last.robot_id or 0)
