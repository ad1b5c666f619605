"""``/setup``: the first administrator, while nobody is there yet."""

from collections.abc import Mapping

from flask import flash, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from services.web.clients.auth import SetupDenied, SignInDenied
from services.web.pages.frames import render
from services.web.pages.inputs import CheckedForm, SetupForm, load_form
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.pages.signing_in import client_address, start_session
from shared.config import Secret


def show_setup(portal: Portal) -> Response:
    """Ask who the first administrator is; once people exist there is nothing to set up."""
    if not portal.auth.get_setup().needs_administrator:
        return see_other(url_for("sign_in"))
    return render(portal, "setup.html", form=CheckedForm({}, {}), switched_off=False)


def set_up(portal: Portal) -> Response:
    """Make the first administrator and sign them in."""
    form = load_form(SetupForm())
    if form.faults:
        return render(portal, "setup.html", form=form, switched_off=False, status=422)
    denied = portal.auth.create_administrator(_account(form.values), address=client_address())
    if denied:
        return _denied(portal, form, denied)
    opened = portal.auth.sign_in(form.values["username"], Secret(form.values["password"]), address=client_address())
    if isinstance(opened, SignInDenied):
        flash(gettext("The administrator exists now. Sign in."))
        return see_other(url_for("sign_in"))
    return start_session(portal, opened, url_for("home"))


def _account(values: Mapping[str, str]) -> dict[str, str]:
    return {name: values[name] for name in ("username", "display_name", "email", "password")}


def _denied(portal: Portal, form: CheckedForm, denied: SetupDenied) -> Response:
    if denied.over:
        flash(gettext("This installation has been set up already. Sign in, or ask its administrator for an account."))
        return see_other(url_for("sign_in"))
    form = CheckedForm(form.values, denied.faults)
    status = 405 if denied.switched_off else 422
    return render(portal, "setup.html", form=form, switched_off=denied.switched_off, status=status)
