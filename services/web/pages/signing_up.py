"""``/sign-up``: an account that one makes for oneself, where the installation allows it."""

from flask import flash, url_for
from flask_babel import gettext
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from services.web.clients.auth import SignInDenied
from services.web.clients.errors import RequestRefused
from services.web.pages.frames import render
from services.web.pages.inputs import CheckedForm, SetupForm, load_form
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.pages.signing_in import client_address, start_session
from services.web.pages.visitors import find_visitor
from shared.config import Secret


def show_sign_up(portal: Portal) -> Response:
    """Ask who wants an account."""
    if find_visitor(portal).person:
        return see_other(url_for("home"))
    if not portal.auth.get_setup().signup:
        raise NotFound
    return render(portal, "sign_up.html", form=CheckedForm({}))


def sign_up(portal: Portal) -> Response:
    """Make the account and sign its owner in."""
    if find_visitor(portal).person:
        return see_other(url_for("home"))
    form = load_form(SetupForm())
    if form.faults:
        return render(portal, "sign_up.html", form=form, status=422)
    account = {name: form.values[name] for name in ("username", "display_name", "email", "password")}
    try:
        denied = portal.auth.sign_up(account, address=client_address())
    except RequestRefused as refusal:
        return render(portal, "sign_up.html", form=form.refused(refusal), status=422)
    if denied and denied.retry_after_s is not None:
        return _too_often(portal, form, denied.retry_after_s)
    opened = portal.auth.sign_in(account["username"], Secret(account["password"]), address=client_address())
    if isinstance(opened, SignInDenied):
        flash(gettext("Your account is there. Sign in."))
        return see_other(url_for("sign_in"))
    return start_session(portal, opened, url_for("home"))


def _too_often(portal: Portal, form: CheckedForm, retry_after_s: int) -> Response:
    alarm = gettext("Too many attempts. Wait %(seconds)s seconds, then try again.", seconds=retry_after_s)
    response = render(portal, "sign_up.html", form=CheckedForm(form.values, alarm=alarm), status=429)
    response.headers["Retry-After"] = str(retry_after_s)
    return response
