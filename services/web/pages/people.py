"""``/admin/people``: accounts, and what becomes of what they leave behind."""

from typing import Any

from flask import Response, flash, request, url_for
from flask_babel import gettext, lazy_gettext
from marshmallow import Schema, fields, validate
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.administration import Account
from services.web.clients.errors import RequestRefused
from services.web.clients.sessions import Visitor
from services.web.pages.admin import Filter, require_admin
from services.web.pages.confirming import is_typed
from services.web.pages.frames import render
from services.web.pages.inputs import CheckedForm, load_form, load_list_query
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.viewmodels.administration import present_people
from services.web.viewmodels.paging import present_paging
from services.web.viewmodels.times import present_time

SWITCHES = ("admin", "auditor", "enabled")


class NewPersonForm(Schema):
    """A new account; what a name or a password must look like is for `auth` to say."""

    username = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Choose a name.")))
    display_name = fields.String()
    email = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Type an address for mail.")))
    password = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Choose a password.")))
    admin = fields.String()


class PersonForm(Schema):
    """What may change of an account; the switches are sent as "yes" or not at all."""

    display_name = fields.String()
    email = fields.String()
    admin = fields.String()
    auditor = fields.String()
    enabled = fields.String()


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
        links=[(gettext("New person"), url_for("new_admin_person"))],
    )


def show_new_person(portal: Portal) -> Response:
    """Ask for a new account."""
    require_admin(portal)
    return render(portal, "admin_person_new.html", form=CheckedForm({}))


def create_person(portal: Portal) -> AnyResponse:
    """Make an account."""
    visitor, form = require_admin(portal), load_form(NewPersonForm())
    if not form.faults:
        given = {name: value for name, value in form.values.items() if value and name != "admin"}
        try:
            portal.administration.create_person(visitor, given | {"admin": form.values["admin"] == "yes"})
            flash(gettext("The account %(name)s is there.", name=form.values["username"]))
            return see_other(url_for("admin_person", username=form.values["username"]))
        except RequestRefused as refusal:
            form = form.refused(refusal)
    return render(portal, "admin_person_new.html", form=form, status=422)


def show_person(portal: Portal, username: str) -> Response:
    """Show an account and what may be changed of it."""
    account = portal.administration.get_person(require_admin(portal), username)
    return _person(portal, account, CheckedForm(_values(account)))


def change_person(portal: Portal, username: str) -> AnyResponse:
    """Change an account."""
    visitor, form = require_admin(portal), load_form(PersonForm())
    account = portal.administration.get_person(visitor, username)
    known = _values(account)
    changes: dict[str, Any] = {
        name: value == "yes" if name in SWITCHES else value
        for name, value in form.values.items()
        if value != known[name]
    }
    try:
        if changes:
            portal.administration.change_person(visitor, account.id, changes)
        flash(gettext("The account is changed."))
        return see_other(url_for("admin_person", username=username))
    except RequestRefused as refusal:
        return _person(portal, account, form.refused(refusal), status=422)


def end_sessions(portal: Portal, username: str) -> AnyResponse:
    """Sign somebody out everywhere."""
    visitor = require_admin(portal)
    account = portal.administration.get_person(visitor, username)
    portal.administration.end_sessions(visitor, account.id)
    flash(gettext("%(name)s is signed out everywhere.", name=username))
    return see_other(url_for("admin_person", username=username))


def show_deletion(portal: Portal, username: str) -> Response:
    """Say what goes with an account, and ask what becomes of the rest."""
    visitor = require_admin(portal)
    return _ask_deletion(portal, visitor, portal.administration.get_person(visitor, username))


def delete_person(portal: Portal, username: str) -> AnyResponse:
    """Delete an account."""
    visitor = require_admin(portal)
    account = portal.administration.get_person(visitor, username)
    if not is_typed(account.username):
        return _ask_deletion(portal, visitor, account, mistyped=True)
    try:
        portal.administration.delete_person(visitor, account.id, _decided())
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


def _decided() -> dict[str, str]:
    decided = {}
    if request.form.get("namespace") == "delete":
        decided["delete_namespace"] = "true"
    elif team := request.form.get("new_team", "").strip():
        decided["new_team"] = team
    if owner := request.form.get("new_owner", "").strip():
        decided["new_owner"] = owner
    return decided


def _person(portal: Portal, account: Account, form: CheckedForm, *, status: int = 200) -> Response:
    now = portal.clock()
    return render(
        portal,
        "admin_person.html",
        status=status,
        account=account,
        form=form,
        since=present_time(account.created_at, now),
        last=present_time(account.last_sign_in_at, now),
    )


def _ask_deletion(
    portal: Portal, visitor: Visitor, account: Account, *, mistyped: bool = False, alarm: str = ""
) -> Response:
    return render(
        portal,
        "admin_person_deletion.html",
        status=422 if mistyped or alarm else 200,
        account=account,
        found=portal.administration.preview_deletion(visitor, account.id),
        form=CheckedForm(request.form.to_dict() or {"namespace": "team"}),
        mistyped=mistyped,
        alarm=alarm,
    )
