"""Who sends this request, looked up once per request."""

from flask import Response, g

from services.web.clients.errors import SignInNeeded
from services.web.clients.sessions import ANONYMOUS, Visitor
from services.web.pages.cookies import SESSION
from services.web.pages.portal import Portal


def find_visitor(portal: Portal) -> Visitor:
    """Return who is looking; anonymous without a session, or with one that is over.

    Raises:
        PeerAway: `auth` had to be asked and does not answer.
    """
    if "visitor" not in g:
        g.visitor = _look_up(portal)
    visitor: Visitor = g.visitor
    return visitor


def require_visitor(portal: Portal) -> Visitor:
    """Return who is looking, on a page for people who are signed in.

    Raises:
        SignInNeeded: nobody is.
    """
    visitor = find_visitor(portal)
    if visitor.person is None:
        raise SignInNeeded("auth")
    return visitor


def known_visitor(portal: Portal) -> Visitor:
    """Return who is looking as far as that is known without asking anybody: for error pages."""
    if "visitor" in g:
        visitor: Visitor = g.visitor
        return visitor
    refresh_token = portal.cookies.find_refresh_token()
    return (refresh_token and portal.sessions.find_known(refresh_token)) or ANONYMOUS


def end_session(portal: Portal) -> None:
    """Let this request's answer take the session out of the browser."""
    refresh_token = portal.cookies.find_refresh_token()
    if refresh_token:
        portal.sessions.forget(refresh_token)
    g.visitor = ANONYMOUS
    g.session_over = True


def drop_ended_session(portal: Portal, response: Response) -> Response:
    """Take a session that is over out of the browser, so that it is not asked about again."""
    if g.get("session_over"):
        portal.cookies.drop(response, SESSION)
    return response


def _look_up(portal: Portal) -> Visitor:
    refresh_token = portal.cookies.find_refresh_token()
    if refresh_token is None:
        return ANONYMOUS
    visitor = portal.sessions.find_visitor(refresh_token)
    if visitor is None:
        g.session_over = True
    return visitor or ANONYMOUS
