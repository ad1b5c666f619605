"""Decisions in words: the title of a page about one, and its rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext, lazy_gettext

from services.web.clients.rights import Explanation, PastDecision, Present

_MAY = {
    "push": lazy_gettext("%(who)s may push to %(repository)s"),
    "pull": lazy_gettext("%(who)s may pull from %(repository)s"),
    "delete": lazy_gettext("%(who)s may delete from %(repository)s"),
    "*": lazy_gettext("%(who)s may do everything to %(repository)s"),
}
_MAY_NOT = {
    "push": lazy_gettext("%(who)s may not push to %(repository)s"),
    "pull": lazy_gettext("%(who)s may not pull from %(repository)s"),
    "delete": lazy_gettext("%(who)s may not delete from %(repository)s"),
    "*": lazy_gettext("%(who)s may not do everything to %(repository)s"),
}


@dataclass(frozen=True, slots=True)
class PresentState:
    """How it stands today beside how it was decided."""

    sentence: str
    changed: bool


def decision_title(decision: PastDecision) -> str:
    """Say in one sentence what was decided: ``jane may not push to team/app``."""
    who = decision.username or gettext("An anonymous caller")
    if not decision.repository:
        if decision.verdict == "login":
            return gettext("%(who)s logged in", who=who)
        return gettext("%(who)s asked for nothing in particular", who=who)
    granted = decision.verdict in ("granted", "partial")
    sentences = _MAY if granted else _MAY_NOT
    sentence = sentences.get(decision.action, sentences["*"])
    return str(sentence) % {"who": who, "repository": decision.repository}


def explanation_title(explanation: Explanation, visitor: str) -> str:
    """Say in one sentence whom and what an explanation is about."""
    if explanation.username == visitor:
        return gettext("What you may do to %(repository)s", repository=explanation.repository)
    who = explanation.username or gettext("an anonymous caller")
    return gettext("What %(who)s may do to %(repository)s", who=who, repository=explanation.repository)


def present_state(decision: PastDecision, explanation: Explanation) -> PresentState | None:
    """Compare a decision with how it would be decided now; ``None`` when that cannot be said."""
    now = next((one for one in explanation.present if one.action == decision.action), None)
    then = next(
        (one for one in decision.decided if (one.scope, one.action) == (decision.repository, decision.action)), None
    )
    if now is None or then is None:
        return None
    sentences = {
        (True, True): gettext("now it would be allowed"),
        (True, False): gettext("now it would be refused"),
        (False, True): gettext("it would still be allowed"),
        (False, False): gettext("it would still be refused"),
    }
    changed = now.allowed != then.allowed
    return PresentState(sentences[changed, now.allowed], changed)


def refused(explanation: Explanation) -> Sequence[Present]:
    """Return the actions for which somebody would have to do something."""
    return [one for one in explanation.present if not one.allowed and one.remedies]
