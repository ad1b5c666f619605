"""``/admin/people``: accounts, and what becomes of what they leave behind."""

from flask import Response, flash, request, url_for
from flask_babel import gettext, lazy_gettext
from marshmallow import Schema, ValidationError, fields, validate, validates_schema
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.administration import Account
from services.web.clients.errors import NotAllowed, RequestRefused
from services.web.clients.sessions import Visitor
from services.web.pages.admin import Filter, require_admin
from services.web.pages.confirming import is_typed
from services.web.pages.frames import render
from services.web.pages.inputs import CheckedForm, load_change, load_form, load_list_query
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.viewmodels.administration import present_belongings, present_people, present_personal_images
from services.web.viewmodels.credentials import present_logins_of, present_sessions_of, present_tokens_of
from services.web.viewmodels.paging import present_paging
from services.web.viewmodels.times import present_time
from shared.api.paging import PageRequest

SWITCHES = ("admin", "auditor", "enabled")
KINDS = {
    "person": lazy_gettext("a person, who signs in"),
    "bot": lazy_gettext("a bot, which has tokens and no password"),
}
SHOWN_AT_ONCE = 50
"""Tokens, sessions and logins of somebody, of each kind; who has more ends them all at once."""


class NewPersonForm(Schema):
    """A new account; what a name or a password must look like is for `auth` to say."""

    username = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Choose a name.")))
    display_name = fields.String()
    email = fields.String()
    password = fields.String()
    kind = fields.String(validate=validate.OneOf(list(KINDS)))
    admin = fields.String()
    auditor = fields.String()

    @validates_schema
    def check_kind(self, data: dict[str, str], **_: object) -> None:
        """Ask people for what a bot has not."""
        if data.get("kind") == "person":
            missing = {"email": gettext("Type an address for mail."), "password": gettext("Choose a password.")}
            faults = {name: [text] for name, text in missing.items() if not data.get(name)}
            if faults:
                raise ValidationError(faults)


class PersonForm(Schema):
    """What may change of an account; the switches are sent as "yes" or not at all."""

    display_name = fields.String()
    email = fields.String()
    admin = fields.String()
    auditor = fields.String()
    enabled = fields.String()


class PasswordForm(Schema):
    """A new password for somebody; what it must look like is for `auth` to say."""

    password = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Choose a password.")))


def show_people(portal: Portal) -> Response:
    """List the accounts."""
    visitor, query = require_admin(portal), load_list_query()
    page = portal.administration.list_people(visitor, query.page, q=query.q)
    return render(
        portal,
        "admin_list.html",
        table=present_people(page.rows, portal.clock()),
        pager=present_paging(page),
        filters=[Filter("q", gettext("Filter by name or mail"), query.q)],
        changes=[(gettext("New person"), url_for("new_admin_person"))],
    )


def show_new_person(portal: Portal) -> Response:
    """Ask for a new account."""
    require_admin(portal)
    return _ask_new(portal, CheckedForm({"kind": "person"}))


def create_person(portal: Portal) -> AnyResponse:
    """Make an account."""
    visitor, form = require_admin(portal), load_form(NewPersonForm())
    if not form.faults:
        texts = ("username", "display_name", "email", "password")
        values = {name: form.values[name] for name in texts if form.values[name]}
        switches = {name: form.values[name] == "yes" for name in ("admin", "auditor")}
        try:
            portal.administration.create_person(visitor, {**values, **switches, "bot": form.values["kind"] == "bot"})
            flash(gettext("The account %(name)s is there.", name=form.values["username"]))
            return see_other(url_for("admin_person", username=form.values["username"]))
        except RequestRefused as refusal:
            form = form.refused(refusal)
    return _ask_new(portal, form, status=422)


def show_person(portal: Portal, username: str) -> Response:
    """Show an account and what may be changed of it."""
    account = portal.administration.get_person(require_admin(portal), username)
    return _person(portal, account, CheckedForm.editing(_values(account)))


def change_person(portal: Portal, username: str) -> AnyResponse:
    """Change an account."""
    visitor = require_admin(portal)
    account = portal.administration.get_person(visitor, username)
    form = load_change(PersonForm(), _values(account))
    if not form.faults:
        changes = {name: value == "yes" if name in SWITCHES else value for name, value in form.changes.items()}
        try:
            if changes:
                portal.administration.change_person(visitor, account.id, changes)
            flash(gettext("The account is changed."))
            return see_other(url_for("admin_person", username=username))
        except NotAllowed as refusal:
            # Such as taking the right from oneself: what was typed stays.
            return _person(portal, account, form.refused(refusal), status=403)
        except RequestRefused as refusal:
            form = form.refused(refusal)
    return _person(portal, account, form, status=422)


def give_password(portal: Portal, username: str) -> AnyResponse:
    """Give somebody a new password, who is signed out everywhere by it."""
    visitor, given = require_admin(portal), load_form(PasswordForm())
    account = portal.administration.get_person(visitor, username)
    if not given.faults:
        try:
            portal.administration.change_person(visitor, account.id, {"password": given.values["password"]})
            flash(gettext("%(name)s has a new password, and is signed out everywhere.", name=username))
            return see_other(url_for("admin_person", username=username))
        except (NotAllowed, RequestRefused) as refusal:
            given = given.refused(refusal)
    return _person(portal, account, CheckedForm.editing(_values(account)), given=given, status=422)


def show_credentials(portal: Portal, username: str) -> Response:
    """Show with what somebody is signed in, and which tokens they have."""
    visitor = require_admin(portal)
    account = portal.administration.get_person(visitor, username)
    some, now = PageRequest(per_page=SHOWN_AT_ONCE), portal.clock()
    return render(
        portal,
        "admin_credentials.html",
        account=account,
        tokens=present_tokens_of(portal.me.list_tokens(visitor, some, of=account.id), username, now),
        sessions=present_sessions_of(portal.me.list_sessions(visitor, some, of=account.id), username, now),
        logins=present_logins_of(portal.me.list_logins(visitor, some, of=account.id), username, now),
    )


def revoke_token(portal: Portal, username: str, number: int) -> AnyResponse:
    """End somebody's application token."""
    portal.me.revoke_token(require_admin(portal), number)
    flash(gettext("The token is over: nothing logs in with it any more."))
    return see_other(url_for("admin_credentials", username=username))


def end_session(portal: Portal, username: str, key: str) -> AnyResponse:
    """Sign somebody out in one browser."""
    visitor = require_admin(portal)
    account = portal.administration.get_person(visitor, username)
    portal.administration.end_session(visitor, account.id, key)
    flash(gettext("The session is over."))
    return see_other(url_for("admin_credentials", username=username))


def end_login(portal: Portal, username: str, number: int) -> AnyResponse:
    """End the login of somebody's client."""
    portal.me.end_login(require_admin(portal), number)
    flash(gettext("The login is over: its client has to log in again."))
    return see_other(url_for("admin_credentials", username=username))


def end_sessions(portal: Portal, username: str) -> AnyResponse:
    """Sign somebody out everywhere."""
    visitor = require_admin(portal)
    account = portal.administration.get_person(visitor, username)
    portal.administration.end_sessions(visitor, account.id)
    flash(gettext("%(name)s is signed out everywhere.", name=username))
    return see_other(url_for("admin_person", username=username))


def show_deletion(portal: Portal, username: str) -> AnyResponse:
    """Say what goes with an account, and ask what becomes of the rest."""
    visitor = require_admin(portal)
    account = portal.administration.get_person(visitor, username)
    try:
        return _ask_deletion(portal, visitor, account)
    except RequestRefused as refusal:
        # Such as one's own account: there is nothing to be settled first.
        form = CheckedForm.editing(_values(account)).refused(refusal)
        return _person(portal, account, form, status=422)


def delete_person(portal: Portal, username: str) -> AnyResponse:
    """Delete an account."""
    visitor = require_admin(portal)
    account = portal.administration.get_person(visitor, username)
    if not is_typed(account.username):
        return _ask_deletion(portal, visitor, account, mistyped=True)
    try:
        portal.administration.delete_person(visitor, account.id, _decided())
    except NotAllowed as refusal:
        return _ask_deletion(portal, visitor, account, alarm=refusal.detail)
    except RequestRefused as refusal:
        said = "; ".join(" ".join(texts) for texts in refusal.faults.values())
        return _ask_deletion(portal, visitor, account, alarm=said or refusal.detail)
    flash(gettext("The account %(name)s is deleted.", name=username))
    return see_other(url_for("admin_people"))


def _values(account: Account) -> dict[str, str]:
    return {
        "display_name": account.display_name or "",
        "email": account.email or "",
        "admin": "yes" if account.admin else "",
        "auditor": "yes" if account.auditor else "",
        "enabled": "yes" if account.enabled else "",
    }


def _ask_new(portal: Portal, form: CheckedForm, *, status: int = 200) -> Response:
    return render(portal, "admin_person_new.html", form=form, kinds=KINDS.items(), status=status)


def _decided() -> dict[str, str]:
    decided = {}
    if request.form.get("namespace") == "delete":
        decided["delete_namespace"] = "true"
    elif team := request.form.get("new_team", "").strip():
        decided["new_team"] = team
    if owner := request.form.get("new_owner", "").strip():
        decided["new_owner"] = owner
    return decided


def _person(
    portal: Portal, account: Account, form: CheckedForm, *, given: CheckedForm | None = None, status: int = 200
) -> Response:
    now = portal.clock()
    return render(
        portal,
        "admin_person.html",
        status=status,
        account=account,
        form=form,
        given=given or CheckedForm({}),
        since=present_time(account.created_at, now),
        last=present_time(account.last_sign_in_at, now),
    )


def _ask_deletion(
    portal: Portal, visitor: Visitor, account: Account, *, mistyped: bool = False, alarm: str = ""
) -> Response:
    found = portal.administration.preview_deletion(visitor, account.id)
    return render(
        portal,
        "admin_person_deletion.html",
        status=422 if mistyped or alarm else 200,
        account=account,
        found=found,
        goes=present_belongings(found),
        images=present_personal_images(found),
        form=CheckedForm(request.form.to_dict() or {"namespace": "team"}),
        mistyped=mistyped,
        alarm=alarm,
    )
