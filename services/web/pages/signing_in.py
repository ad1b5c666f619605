"""``/sign-in`` and ``/sign-out``."""

from flask import flash, request, session, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from services.web.clients.auth import Session, SignInDenied
from services.web.clients.sessions import Sessions
from services.web.pages.cookies import SESSION
from services.web.pages.frames import render
from services.web.pages.inputs import CheckedForm, SignInForm, load_form
from services.web.pages.portal import Portal
from services.web.pages.redirects import local_path, see_other
from services.web.pages.visitors import end_session, find_visitor
from shared.config import Secret

MAX_BROWSER_LENGTH = 255

_HALF_SIGNED_OUT = lazy_gettext(
    "You are signed out in this browser. The service that keeps sessions (auth) was away, so the session itself "
    "lives on there until it runs out."
)


def show_sign_in(portal: Portal) -> Response:
    """Ask for name and password; somebody signed in already goes on, and a new house is set up first."""
    target = local_path(request.args.get("next"))
    if find_visitor(portal).person:
        return see_other(target or url_for("home"))
    setup = portal.auth.get_setup()
    if setup.needs_administrator:
        return see_other(url_for("setup"))
    return _show(portal, CheckedForm({}), None, target, signup=setup.signup)


def show_forgotten(portal: Portal) -> Response:
    """Say who helps somebody that has forgotten their password."""
    return render(portal, "forgotten.html")


def sign_in(portal: Portal) -> Response:
    """Open a session and go where the person wanted to go."""
    form, target = load_form(SignInForm()), local_path(request.form.get("next"))
    if form.faults:
        return _ask(portal, form, target, status=422)
    answer = portal.auth.sign_in(
        form.values["username"],
        Secret(form.values["password"]),
        address=client_address(),
        browser=_printable(request.user_agent.string),
    )
    if isinstance(answer, SignInDenied):
        return _denied(portal, form, answer, target)
    return start_session(portal, answer, target or url_for("home"))


def sign_out(portal: Portal) -> Response:
    """End the session at `auth` and in this browser."""
    refresh_token = portal.cookies.find_refresh_token()
    end_session(portal)
    session.clear()
    revoked = refresh_token is None or portal.auth.revoke(refresh_token)
    flash(gettext("You are signed out.") if revoked else str(_HALF_SIGNED_OUT))
    return see_other(url_for("sign_in"))


def start_session(portal: Portal, opened: Session, target: str) -> Response:
    """Put a new session into the browser and go on."""
    _remember(portal.sessions, opened)
    # A new CSRF secret with every session: one that was seen before signing in is worth nothing.
    session.clear()
    response = see_other(target)
    portal.cookies.keep(response, SESSION, opened.refresh_token.reveal())
    return response


def client_address() -> str:
    """Return the browser's address, as far as the proxies in front are believed."""
    return request.remote_addr or ""


def _printable(text: str) -> str:
    return "".join(filter(str.isprintable, text)).encode("ascii", "ignore").decode()[:MAX_BROWSER_LENGTH]


def _remember(sessions: Sessions, opened: Session) -> None:
    sessions.remember(opened, opened.refresh_token)


def _ask(
    portal: Portal, form: CheckedForm, target: str | None, *, status: int, denied: SignInDenied | None = None
) -> Response:
    signup = portal.auth.get_setup().signup
    return _show(portal, form, denied, target, signup=signup, status=status)


def _denied(portal: Portal, form: CheckedForm, denied: SignInDenied, target: str | None) -> Response:
    status = 401 if denied.retry_after_s is None else 429
    response = _ask(portal, form, target, denied=denied, status=status)
    if denied.retry_after_s is not None:
        response.headers["Retry-After"] = str(denied.retry_after_s)
    return response


def _show(
    portal: Portal,
    form: CheckedForm,
    denied: SignInDenied | None,
    target: str | None,
    *,
    signup: bool,
    status: int = 200,
) -> Response:
    return render(
        portal,
        "sign_in.html",
        status=status,
        form=form,
        denied=denied,
        next=target,
        signup=signup,
        browsing=portal.anonymous_browsing,
    )
