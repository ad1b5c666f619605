"""``/explain``: why somebody may do something, or why not; and what a refused ``docker push`` links to."""

from flask import Response, request
from flask_babel import gettext

from services.web.clients.errors import NotAllowed, NotFound, RequestRefused
from services.web.clients.rights import Explanation, PastDecision, WhoCan
from services.web.clients.sessions import Visitor
from services.web.pages.frames import render
from services.web.pages.inputs import MAX_NAME_LENGTH, load_explain_query
from services.web.pages.portal import Portal
from services.web.pages.visitors import require_visitor
from services.web.viewmodels.rights import decision_title, explanation_title, present_state, refused
from services.web.viewmodels.times import present_time

HOLDERS = 25
"""Most people and robots shown of those who can."""

MAX_SCOPES_LENGTH = 4096
"""Longest text of scopes that is asked about; how many there may be is for `auth` to say."""

_SHARED = ("pull", "push")
"""Actions of which is told who can."""


def show_decision(portal: Portal, decision_id: str) -> Response:
    """Show one token request: what was asked, what was said, how it stands today, and whom to ask."""
    visitor = require_visitor(portal)
    decision = portal.rights.get_decision(visitor, decision_id)
    explanation = _explain_again(portal, visitor, decision)
    return render(
        portal,
        "decision.html",
        decision=decision,
        title=decision_title(decision),
        at=present_time(decision.at, portal.clock()),
        explanation=explanation,
        refused=refused(explanation) if explanation else (),
        state=present_state(decision, explanation) if explanation else None,
    )


def show_explain(portal: Portal) -> Response:
    """Answer a question about rights: who may do what to a repository, and who can."""
    visitor = require_visitor(portal)
    query = load_explain_query(request.args)
    if not query.repository:
        return render(portal, "explain.html", query=query, explanation=None, fault=None)
    try:
        explanation = portal.rights.explain(visitor, query.repository, username=query.username)
    except (NotAllowed, NotFound, RequestRefused) as fault:
        return render(portal, "explain.html", query=query, explanation=None, fault=_sentence(fault))
    return render(
        portal,
        "explain.html",
        query=query,
        explanation=explanation,
        title=explanation_title(explanation, visitor.person.username if visitor.person else ""),
        refused=refused(explanation),
        holders=find_holders(portal, visitor, query.repository) if query.who_can else {},
        fault=None,
    )


def find_holders(portal: Portal, visitor: Visitor, repository: str) -> dict[str, WhoCan]:
    """Return the first of those who can, by action; nothing where the visitor may not ask that."""
    asked = {action: portal.rights.find_who_can(visitor, repository, action, limit=HOLDERS) for action in _SHARED}
    return {action: found for action, found in asked.items() if found}


def show_simulation(portal: Portal) -> Response:
    """Say what a token for some scopes would hold, without one being issued."""
    visitor = require_visitor(portal)
    asked = request.args.get("scopes", "")[:MAX_SCOPES_LENGTH]
    username = request.args.get("username", "").strip()[:MAX_NAME_LENGTH]
    simulated, fault = None, None
    if asked.split():
        try:
            simulated = portal.rights.simulate(visitor, asked.split(), username=username)
        except (NotAllowed, NotFound) as refusal:
            fault = _sentence(refusal)
        except RequestRefused as refusal:
            fault = "; ".join(" ".join(texts) for texts in refusal.faults.values()) or _sentence(refusal)
    return render(portal, "simulate.html", asked=asked, username=username, simulated=simulated, fault=fault)


def _explain_again(portal: Portal, visitor: Visitor, decision: PastDecision) -> Explanation | None:
    """Ask how it stands today; ``None`` when nothing can be said of that."""
    if not decision.repository or not decision.username:
        return None
    own = visitor.person is not None and visitor.person.username == decision.username
    try:
        return portal.rights.explain(visitor, decision.repository, username="" if own else decision.username)
    except (NotAllowed, NotFound, RequestRefused):
        return None


def _sentence(fault: NotAllowed | NotFound | RequestRefused) -> str:
    return fault.detail or gettext("This cannot be asked.")
