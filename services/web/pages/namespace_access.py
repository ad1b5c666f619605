"""``/namespaces/<name>/access``: what was granted there beyond the roles of its team."""

from typing import Any

from flask import Response, flash
from flask_babel import gettext, lazy_gettext
from marshmallow import Schema, fields, validate
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.access import Grant
from services.web.clients.errors import NotFound, RequestRefused
from services.web.clients.places import Namespace
from services.web.clients.sessions import Visitor
from services.web.pages.frames import render
from services.web.pages.inputs import CheckedForm, load_actions, load_day, load_form, load_list_query
from services.web.pages.namespaces import find_namespace, place
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.pages.visitors import require_visitor
from services.web.viewmodels.access import ACTIONS, GRANTEES, present_grants
from services.web.viewmodels.paging import present_paging
from shared.api.paging import Page


class GrantForm(Schema):
    """Who is to get what, where, and until when."""

    kind = fields.String(validate=validate.OneOf(list(GRANTEES)))
    who = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Name who is to get it.")))
    pattern = fields.String()
    until = fields.String()
    reason = fields.String()


def show_access(portal: Portal, name: str) -> Response:
    """Show who has access to a namespace, and by which path."""
    visitor = require_visitor(portal)
    return _show(portal, visitor, find_namespace(portal, visitor, name), CheckedForm({"kind": "user"}))


def add_grant(portal: Portal, name: str) -> AnyResponse:
    """Grant something."""
    visitor, form = require_visitor(portal), load_form(GrantForm())
    namespace = find_namespace(portal, visitor, name)
    actions, until = load_actions(), load_day(form.values["until"])
    if not actions:
        form = form.faulty("actions", gettext("Choose at least one."))
    if form.values["until"] and until is None:
        form = form.faulty("until", gettext("Write it as year-month-day, such as 2027-01-31."))
    if not form.faults:
        terms: dict[str, Any] = {form.values["kind"]: form.values["who"], "actions": actions}
        terms |= {"reason": form.values["reason"]}
        terms |= {"pattern": form.values["pattern"]} if form.values["pattern"] else {}
        terms |= {"expires_at": until.isoformat()} if until else {}
        try:
            portal.access.add_grant(visitor, namespace.id, terms)
            flash(gettext("Granted to %(name)s.", name=form.values["who"]))
            return see_other(place(namespace, "namespace_access"))
        except NotFound as missing:
            form = form.faulty("who", missing.detail)
        except RequestRefused as refusal:
            form = form.refused(refusal.renamed({form.values["kind"]: "who", "expires_at": "until"}))
    return _show(portal, visitor, namespace, form, actions=actions, status=422)


def remove_grant(portal: Portal, name: str, number: int) -> AnyResponse:
    """Take a grant back."""
    visitor = require_visitor(portal)
    namespace = find_namespace(portal, visitor, name)
    portal.access.remove_grant(visitor, number)
    flash(gettext("The grant is taken back."))
    return see_other(place(namespace, "namespace_access"))


def _show(
    portal: Portal,
    visitor: Visitor,
    namespace: Namespace,
    form: CheckedForm,
    *,
    actions: list[str] | None = None,
    status: int = 200,
) -> Response:
    page: Page[Grant] | None = portal.access.list_grants(visitor, namespace.id, load_list_query().page)
    # To those who do not manage it the list is empty, whatever there is.
    if page and not page.rows and not namespace.managed:
        page = None
    return render(
        portal,
        "namespace_access.html",
        status=status,
        namespace=namespace,
        grants=present_grants(page.rows, portal.clock()) if page else None,
        pager=present_paging(page) if page else None,
        form=form,
        chosen=["pull"] if actions is None else actions,
        actions=ACTIONS.items(),
        grantees=GRANTEES.items(),
    )
