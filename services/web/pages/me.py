"""``/me``: one's own account, its password, its tokens, and where one is signed in."""

from datetime import timedelta
from typing import Any

from flask import Response, flash, session, url_for
from flask_babel import gettext, lazy_gettext
from marshmallow import Schema, ValidationError, fields, validate, validates_schema
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.errors import RequestRefused
from services.web.clients.me import Profile
from services.web.clients.sessions import Visitor
from services.web.pages.confirming import Confirmation, confirm, is_typed
from services.web.pages.frames import render
from services.web.pages.inputs import CheckedForm, load_actions, load_change, load_form, load_list_query, longest
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.pages.visitors import end_session, require_visitor
from services.web.viewmodels.access import ACTIONS
from services.web.viewmodels.commands import login_command
from services.web.viewmodels.me import present_login, present_session, present_token
from services.web.viewmodels.paging import present_paging
from services.web.viewmodels.times import present_time
from shared.api.paging import Page
from shared.config import Secret

LIFETIMES_D = ("7", "30", "90", "365", "")
"""Days for which a token may be made; empty: without an end, if the installation lets it."""


class ProfileForm(Schema):
    """How one is called, and where mail goes."""

    display_name = fields.String(validate=longest(255))
    email = fields.String(validate=longest(254))


class PasswordForm(Schema):
    """The password that one has, and the one that one wants."""

    password = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Type your password.")))
    password_new = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Choose a password.")))
    password_again = fields.String()

    @validates_schema
    def compare(self, data: dict[str, str], **_: object) -> None:
        if data.get("password_new") != data.get("password_again"):
            raise ValidationError(gettext("The two passwords differ; type the same one twice."), "password_again")


class TokenForm(Schema):
    """A new application token."""

    application = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Say what it is for.")))
    days = fields.String(validate=validate.OneOf(LIFETIMES_D))
    namespaces = fields.String()


def show_profile(portal: Portal) -> Response:
    """Show one's own account."""
    profile = portal.me.get(require_visitor(portal))
    return _profile(portal, CheckedForm.editing(_values(profile)))


def change_profile(portal: Portal) -> AnyResponse:
    """Change how one is called, and where mail goes."""
    visitor = require_visitor(portal)
    form = load_change(ProfileForm(), _values(portal.me.get(visitor)))
    if not form.faults:
        try:
            if form.changes:
                portal.me.change(visitor, form.changes)
        except RequestRefused as refusal:
            form = form.refused(refusal)
        else:
            _forget(portal)
            flash(gettext("Your profile is changed."))
            return see_other(url_for("me"))
    return _profile(portal, form, status=422)


def show_password(portal: Portal) -> Response:
    """Ask for a new password."""
    require_visitor(portal)
    return render(portal, "me_password.html", form=CheckedForm({}))


def change_password(portal: Portal) -> AnyResponse:
    """Change one's password."""
    visitor, form = require_visitor(portal), load_form(PasswordForm())
    if not form.faults:
        try:
            portal.me.change_password(visitor, Secret(form.values["password"]), Secret(form.values["password_new"]))
            flash(gettext("Your password is changed. Other browsers and docker logins have to sign in again."))
            return see_other(url_for("me_password"))
        except RequestRefused as refusal:
            form = form.refused(refusal.renamed({"password": "password_new", "current_password": "password"}))
    return render(portal, "me_password.html", form=form, status=422)


def show_tokens(portal: Portal) -> Response:
    """List one's own application tokens, and ask for another one."""
    return _tokens(portal, require_visitor(portal), CheckedForm({"days": "90"}), ["pull", "push", "delete"])


def create_token(portal: Portal) -> AnyResponse:
    """Make an application token, and show it this once."""
    visitor, form, actions = require_visitor(portal), load_form(TokenForm()), load_actions()
    if not actions:
        form = form.faulty("actions", gettext("Choose at least one."))
    if not form.faults:
        try:
            secret = portal.me.create_token(visitor, _token(form, actions))
            return _tokens(portal, visitor, CheckedForm({"days": "90"}), actions, secret=secret)
        except RequestRefused as refusal:
            form = form.refused(refusal.renamed({"ttl_s": "days", "expires_at": "days"}))
    return _tokens(portal, visitor, form, actions, status=422)


def revoke_token(portal: Portal, number: int) -> AnyResponse:
    """End an application token."""
    portal.me.revoke_token(require_visitor(portal), number)
    flash(gettext("The token is over: nothing logs in with it any more."))
    return see_other(url_for("me_tokens"))


def show_sessions(portal: Portal) -> Response:
    """Show where one is signed in: browsers, and clients of the registry."""
    visitor, query, now = require_visitor(portal), load_list_query(), portal.clock()
    browsers = portal.me.list_sessions(visitor, query.page)
    logins = portal.me.list_logins(visitor, query.page)
    longer: Page[Any] = logins if logins.total > browsers.total else browsers
    return render(
        portal,
        "me_sessions.html",
        browsers=[present_session(one, now) for one in browsers.rows],
        logins=[present_login(one, now) for one in logins.rows],
        pager=present_paging(longer),
    )


def end_one_session(portal: Portal, key: str) -> AnyResponse:
    """End a session in a browser."""
    portal.me.end_session(require_visitor(portal), key)
    flash(gettext("That browser is signed out."))
    return see_other(url_for("me_sessions"))


def end_other_sessions(portal: Portal) -> AnyResponse:
    """End all sessions but this one."""
    portal.me.end_other_sessions(require_visitor(portal))
    flash(gettext("All other browsers are signed out."))
    return see_other(url_for("me_sessions"))


def end_login(portal: Portal, number: int) -> AnyResponse:
    """End what a docker login left on a machine."""
    portal.me.end_login(require_visitor(portal), number)
    flash(gettext("That login is over."))
    return see_other(url_for("me_sessions"))


def show_disabling(portal: Portal) -> Response:
    """Ask whether one's own account is to be switched off."""
    return _ask_disabling(portal, require_visitor(portal))


def disable(portal: Portal) -> AnyResponse:
    """Switch one's own account off, and sign out."""
    visitor = require_visitor(portal)
    if not is_typed(_username(visitor)):
        return _ask_disabling(portal, visitor, mistyped=True)
    try:
        portal.me.change(visitor, {"enabled": False})
    except RequestRefused as refusal:
        return _ask_disabling(portal, visitor, alarm=refusal.detail)
    end_session(portal)
    session.clear()
    flash(gettext("Your account is switched off. An administrator can switch it on again."))
    return see_other(url_for("sign_in"))


def _profile(portal: Portal, form: CheckedForm, *, status: int = 200) -> Response:
    profile = portal.me.get(require_visitor(portal))
    return render(
        portal,
        "me.html",
        status=status,
        profile=profile,
        form=form,
        since=present_time(profile.created_at, portal.clock()),
        last=present_time(profile.last_sign_in_at, portal.clock()),
    )


def _tokens(
    portal: Portal,
    visitor: Visitor,
    form: CheckedForm,
    actions: list[str],
    *,
    secret: Secret | None = None,
    status: int = 200,
) -> Response:
    page = portal.me.list_tokens(visitor, load_list_query().page)
    return render(
        portal,
        "me_tokens.html",
        status=status,
        tokens=[present_token(token, portal.clock()) for token in page.rows],
        pager=present_paging(page),
        form=form,
        lifetimes=[(days, _lifetime(days)) for days in LIFETIMES_D],
        chosen=actions,
        actions=ACTIONS.items(),
        secret=secret.reveal() if secret else None,
        login=login_command(portal.registry_host, _username(visitor)),
    )


def _token(form: CheckedForm, actions: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {"application": form.values["application"]}
    if form.values["days"]:
        values["ttl_s"] = int(timedelta(days=int(form.values["days"])).total_seconds())
    if len(actions) < len(ACTIONS):
        values["actions"] = actions
    if names := form.values["namespaces"].replace(",", " ").split():
        values["namespaces"] = names
    return values


def _values(profile: Profile) -> dict[str, str]:
    return {"display_name": profile.display_name or "", "email": profile.email or ""}


def _lifetime(days: str) -> str:
    return gettext("%(days)s days", days=days) if days else gettext("without an end")


def _username(visitor: Visitor) -> str:
    return visitor.person.username if visitor.person else ""


def _forget(portal: Portal) -> None:
    """Ask anew who holds this session: what was remembered of them has changed."""
    refresh_token = portal.cookies.find_refresh_token()
    if refresh_token:
        portal.sessions.forget(refresh_token)


def _ask_disabling(portal: Portal, visitor: Visitor, *, mistyped: bool = False, alarm: str = "") -> Response:
    return confirm(
        portal,
        Confirmation(
            title=gettext("Switch your account off?"),
            lead=gettext("From then on:"),
            goes=[
                gettext("you cannot sign in here, nor log in with docker"),
                gettext("your tokens and logins are refused"),
                gettext("what you pushed stays, and an administrator can switch the account on again"),
            ],
            action=url_for("send_disabling"),
            button=gettext("Switch it off"),
            back=url_for("me"),
            typed=_username(visitor),
            steps=[(gettext("Your account"), url_for("me")), (gettext("Switch off"), None)],
        ),
        mistyped=mistyped,
        alarm=alarm,
    )
