"""What may be said to whom: nobody learns whether a namespace exists in which they have no part."""

from services.auth.domain.decisions import Decision, Policy, Standing, decide, is_at_home, standing_of
from services.auth.domain.grants import Grant
from services.auth.domain.namespaces import NamespaceFacts
from services.auth.domain.patterns import namespace_head
from services.auth.domain.subjects import Subject

BLURRED = "not-visible"
"""The rule that is named where nothing may be said of the namespace."""

MANAGERS = frozenset({Standing.ADMINISTRATOR, Standing.OWNER, Standing.PERSONAL_OWNER})
"""Who may change a namespace, and ask what others can do in it."""


def knows(subject: Subject, repository: str, namespace: NamespaceFacts | None) -> bool:
    """Tell whether a subject may be told about the namespace of a repository, or that there is none."""
    if subject.administrator or subject.auditor:
        return True
    if namespace is None:
        return False
    # No policy bears on pulling, so any will do.
    may_pull = decide(subject, "pull", "repository", repository, namespace, Policy()).allowed
    return (
        may_pull or namespace.role is not None or any(_reaches(grant, subject, namespace) for grant in namespace.grants)
    )


def _reaches(grant: Grant, subject: Subject, namespace: NamespaceFacts) -> bool:
    """Tell whether a grant gives a part in the namespace: of those that hold everywhere, not each does."""
    is_here = namespace_head(grant.pattern).covers(namespace.name)
    return is_here and (subject.home is None or is_at_home(subject.home, namespace))


def blurred(decision: Decision, action: str) -> Decision:
    """Return what is said of a refusal where nothing may be said: the same whether the namespace exists or not."""
    reason = f"there is no such namespace, or no part of it in which you may {action}"
    return decision if decision.allowed else Decision(False, BLURRED, reason)


def manages(subject: Subject, namespace: NamespaceFacts | None) -> bool:
    """Tell whether a subject may change a namespace."""
    return standing_of(subject, namespace) in MANAGERS


def may_inquire(subject: Subject, namespace: NamespaceFacts | None) -> bool:
    """Tell whether a subject may ask what others can do in a namespace."""
    return subject.administrator or subject.auditor or (namespace is not None and manages(subject, namespace))
