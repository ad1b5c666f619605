"""Show the settings."""

from collections.abc import Sequence

from services.auth.domain.errors import Forbidden
from services.auth.domain.subjects import Subject
from shared.environment import EffectiveSetting


def show_settings(subject: Subject, effective: Sequence[EffectiveSetting]) -> Sequence[EffectiveSetting]:
    """Return the settings that hold, to administrators and auditors.

    Raises:
        Forbidden: the caller is neither.
    """
    if not (subject.administrator or subject.auditor):
        raise Forbidden("Only administrators and auditors may see the settings.")
    return effective
