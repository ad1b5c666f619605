"""Decisions in words: the title of a page about one, and its rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.web.clients.rights import Explanation, PastDecision, Present


@dataclass(frozen=True, slots=True)
class PresentState:
    """How it stands today beside how it was decided."""

    sentence: str
    changed: bool


def decision_title(decision: PastDecision) -> str:
    """Say in one sentence what was decided: ``jane may not push to team/app``."""
    who = decision.username or "An anonymous caller"
    if not decision.repository:
        return f"{who} logged in" if decision.verdict == "login" else f"{who} asked for nothing in particular"
    may = "may" if decision.verdict in ("granted", "partial") else "may not"
    return f"{who} {may} {_verb(decision.action)} {decision.repository}"


def explanation_title(explanation: Explanation, visitor: str) -> str:
    """Say in one sentence whom and what an explanation is about."""
    who = "you" if explanation.username == visitor else explanation.username or "an anonymous caller"
    return f"What {who} may do to {explanation.repository}"


def present_state(decision: PastDecision, explanation: Explanation) -> PresentState | None:
    """Compare a decision with how it would be decided now; ``None`` when that cannot be said."""
    now = next((one for one in explanation.present if one.action == decision.action), None)
    then = next(
        (one for one in decision.decided if (one.scope, one.action) == (decision.repository, decision.action)), None
    )
    if now is None or then is None:
        return None
    word, changed = "allowed" if now.allowed else "refused", now.allowed != then.allowed
    return PresentState(f"now it would be {word}" if changed else f"it would still be {word}", changed)


def refused(explanation: Explanation) -> Sequence[Present]:
    """Return the actions for which somebody would have to do something."""
    return [one for one in explanation.present if not one.allowed and one.remedies]


def _verb(action: str) -> str:
    return {"push": "push to", "pull": "pull from", "delete": "delete from"}.get(action, "do everything to")
