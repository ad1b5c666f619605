"""Whoever may not manage something is told why."""

from services.auth.domain.errors import Forbidden
from services.auth.domain.management import Operation, Place, Rules, decide_management
from services.auth.domain.subjects import Subject


def require_right(subject: Subject, operation: Operation, place: Place, rules: Rules) -> None:
    """Let only those pass who may do something in a place that they may see.

    Raises:
        Forbidden: for anybody else; it says who may.
    """
    decision = decide_management(subject, operation, place, rules)
    if not decision.allowed:
        raise Forbidden(f"You may not {operation.phrase}: {decision.reason}.")


def require_administrator(subject: Subject) -> None:
    """Let only administrators pass.

    Raises:
        Forbidden: for anybody else.
    """
    if not subject.administrator:
        raise Forbidden("Only administrators may do this.")
