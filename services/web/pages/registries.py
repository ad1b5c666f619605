"""``/admin/registries``: the registries that this installation answers for, and whether they are reached."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from flask import Response, flash, request, url_for
from flask_babel import gettext, lazy_gettext
from marshmallow import Schema, fields, validate
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.errors import PeerError, RequestRefused
from services.web.clients.registries import Registry
from services.web.clients.sessions import Visitor
from services.web.pages.admin import require_admin
from services.web.pages.confirming import Confirmation, confirm, is_typed
from services.web.pages.frames import render
from services.web.pages.inputs import CheckedForm, load_change, load_form, load_list_query, longest
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.viewmodels.paging import present_paging
from services.web.viewmodels.registries import DELETE_POLICIES, PUSH_POLICIES, present_registries, present_state

REGISTRIES_CHECKED = 3
"""So many registries are asked on one page; each is a call that `auth` makes to it."""

_OPTIONAL = ("external_hostname", "token_ttl_s", "push_policy", "delete_policy")
"""Left empty, the installation's settings hold."""


class RegistryForm(Schema):
    """A registry; what its names may be is for `auth` to say."""

    name = fields.String(
        validate=(validate.Length(min=1, error=lazy_gettext("Choose a name.")), longest(255)),
    )
    hostname = fields.String(
        validate=(
            validate.Length(min=1, error=lazy_gettext("Type its host, with the port if it has one.")),
            longest(255),
        ),
    )
    service = fields.String(validate=longest(255))
    external_hostname = fields.String(validate=longest(255))
    use_ssl = fields.String()
    token_ttl_s = fields.String(
        validate=validate.Regexp(r"[0-9]{0,4}\Z", error=lazy_gettext("Type a number of seconds."))
    )
    push_policy = fields.String(validate=validate.OneOf(list(PUSH_POLICIES)))
    delete_policy = fields.String(validate=validate.OneOf(list(DELETE_POLICIES)))


def show_registries(portal: Portal) -> Response:
    """Show the registries, and whether the first ones are reached."""
    visitor, query = require_admin(portal), load_list_query()
    page = portal.registries.list(visitor, query.page)
    checked = {one.id: _check(portal, visitor, one) for one in islice(page.rows, REGISTRIES_CHECKED)}
    return render(
        portal,
        "admin_list.html",
        table=present_registries(page.rows, checked),
        pager=present_paging(page),
        lead=gettext("Checked now: whether the registry is reached, and asks this installation for tokens."),
        changes=[(gettext("New registry"), url_for("new_admin_registry"))],
    )


def show_new_registry(portal: Portal) -> Response:
    """Ask for a registry."""
    return _show(portal, require_admin(portal), CheckedForm({"use_ssl": "yes"}))


def create_registry(portal: Portal) -> AnyResponse:
    """Enter a registry."""
    visitor, form = require_admin(portal), load_form(RegistryForm())
    if not form.faults:
        values = {name: value for name, value in _typed(form.values).items() if value is not None and value != ""}
        try:
            made = portal.registries.create(visitor, values, force=_is_forced())
            flash(gettext("The registry %(name)s is entered.", name=made.name))
            return see_other(url_for("admin_registry", number=made.id))
        except RequestRefused as refusal:
            form = form.refused(refusal)
    return _show(portal, visitor, form, status=422)


def show_registry(portal: Portal, number: int) -> Response:
    """Show a registry, whether it is reached, and what may be changed of it."""
    visitor = require_admin(portal)
    registry = portal.registries.get(visitor, number)
    return _show(portal, visitor, CheckedForm.editing(_values(registry)), registry=registry)


def change_registry(portal: Portal, number: int) -> AnyResponse:
    """Change a registry."""
    visitor = require_admin(portal)
    registry = portal.registries.get(visitor, number)
    form = load_change(RegistryForm(), _values(registry))
    if not form.faults:
        try:
            if form.changes:
                portal.registries.change(
                    visitor, number, _typed({**form.changes, "hostname": form.values["hostname"]}), force=_is_forced()
                )
            flash(gettext("The registry is changed."))
            return see_other(url_for("admin_registry", number=number))
        except RequestRefused as refusal:
            form = form.refused(refusal)
    return _show(portal, visitor, form, registry=registry, status=422)


def show_deletion(portal: Portal, number: int) -> Response:
    """Ask whether a registry is to be forgotten."""
    visitor = require_admin(portal)
    return _ask_deletion(portal, portal.registries.get(visitor, number))


def forget_registry(portal: Portal, number: int) -> AnyResponse:
    """Forget a registry; nothing in it is touched."""
    visitor = require_admin(portal)
    registry = portal.registries.get(visitor, number)
    if not is_typed(registry.name):
        return _ask_deletion(portal, registry, mistyped=True)
    try:
        portal.registries.forget(visitor, number)
    except RequestRefused as refusal:
        return _ask_deletion(portal, registry, alarm=refusal.detail)
    flash(gettext("The registry %(name)s is forgotten.", name=registry.name))
    return see_other(url_for("admin_registries"))


def _values(registry: Registry) -> dict[str, str]:
    return {
        "name": registry.name,
        "hostname": registry.hostname,
        "service": registry.service,
        "external_hostname": registry.external_hostname or "",
        "use_ssl": "yes" if registry.use_ssl else "",
        "token_ttl_s": str(registry.token_ttl_s or ""),
        "push_policy": registry.push_policy or "",
        "delete_policy": registry.delete_policy or "",
    }


def _typed(values: Mapping[str, str]) -> dict[str, Any]:
    """Return what a form says in the types that `auth` takes; ``None`` where it is left to the installation."""
    typed: dict[str, Any] = {name: None if name in _OPTIONAL and not value else value for name, value in values.items()}
    if typed.get("service") == "":
        typed["service"] = values.get("hostname", "")
    if "use_ssl" in typed:
        typed["use_ssl"] = typed["use_ssl"] == "yes"
    if typed.get("token_ttl_s"):
        typed["token_ttl_s"] = int(typed["token_ttl_s"])
    return typed


def _is_forced() -> bool:
    return request.form.get("force") == "yes"


def _show(
    portal: Portal, visitor: Visitor, form: CheckedForm, *, registry: Registry | None = None, status: int = 200
) -> Response:
    """Show the form of a registry, which is asked whether it is there if it is entered already."""
    return render(
        portal,
        "admin_registry.html",
        status=status,
        registry=registry,
        state=present_state(_check(portal, visitor, registry)) if registry else None,
        form=form,
        push_policies=PUSH_POLICIES.items(),
        delete_policies=DELETE_POLICIES.items(),
    )


def _check(portal: Portal, visitor: Visitor, registry: Registry) -> Iterable[str]:
    try:
        return portal.registries.check(visitor, registry)
    except PeerError as fault:
        return [fault.detail or gettext("could not be checked now")]


def _ask_deletion(portal: Portal, registry: Registry, *, mistyped: bool = False, alarm: str = "") -> Response:
    return confirm(
        portal,
        Confirmation(
            title=gettext("Forget the registry %(name)s?", name=registry.name),
            lead=gettext("Nothing in it is deleted. From then on:"),
            goes=[
                gettext("nobody gets a token for it here"),
                gettext("it can be forgotten only while it has no namespaces"),
            ],
            action=url_for("send_admin_registry_deletion", number=registry.id),
            button=gettext("Forget the registry"),
            back=url_for("admin_registry", number=registry.id),
            typed=registry.name,
            steps=[
                (gettext("Registries"), url_for("admin_registries")),
                (registry.name, url_for("admin_registry", number=registry.id)),
                (gettext("Forget"), None),
            ],
        ),
        mistyped=mistyped,
        alarm=alarm,
    )
