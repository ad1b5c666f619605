"""``/namespaces``: who owns which part of the registry, how open it is, and what lies in it."""

from flask import Response, flash, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from marshmallow import Schema, fields, validate
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.catalog import RepositoryFilter
from services.web.clients.errors import NotAllowed, NotFound, RequestRefused
from services.web.clients.places import Namespace
from services.web.clients.sessions import Visitor
from services.web.pages.confirming import Confirmation, confirm, is_typed
from services.web.pages.frames import ask_freshness, render
from services.web.pages.inputs import CheckedForm, load_change, load_form, load_list_query, longest
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.pages.visitors import require_visitor
from services.web.viewmodels.paging import present_paging
from services.web.viewmodels.places import VISIBILITIES, present_images
from services.web.viewmodels.repositories import present_repositories
from shared.api.paging import PageRequest

MAX_DESCRIPTION_LENGTH = 10_000
MAX_REASON_LENGTH = 500
FREEZES_SHOWN = 100


class NamespaceForm(Schema):
    """A new namespace; what its name may be is for `auth` to say."""

    name = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Choose a name.")))
    team = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Name the team that it is to belong to.")))
    description = fields.String(validate=longest(MAX_DESCRIPTION_LENGTH))


class NamespaceSettingsForm(Schema):
    """What may change of a namespace."""

    description = fields.String(validate=longest(MAX_DESCRIPTION_LENGTH))
    visibility = fields.String(validate=validate.OneOf(list(VISIBILITIES)))
    team = fields.String()


class FreezeForm(Schema):
    """A stop to pushes."""

    reason = fields.String(
        validate=(
            validate.Length(min=1, error=lazy_gettext("Say why: it is what a refused push shows.")),
            longest(MAX_REASON_LENGTH),
        )
    )
    repository = fields.String()


def show_namespaces(portal: Portal) -> Response:
    """List the namespaces that the person may see."""
    visitor, query = require_visitor(portal), load_list_query()
    page = portal.namespaces.list(visitor, query.page, q=query.q)
    return render(portal, "namespaces.html", query=query, namespaces=page.rows, pager=present_paging(page))


def show_new_namespace(portal: Portal) -> Response:
    """Ask for a new namespace."""
    require_visitor(portal)
    return render(portal, "namespace_new.html", form=CheckedForm({"team": request.args.get("team", "")}))


def create_namespace(portal: Portal) -> AnyResponse:
    """Make a namespace."""
    visitor, form = require_visitor(portal), load_form(NamespaceForm())
    if not form.faults:
        try:
            portal.namespaces.create(visitor, form.values)
            flash(gettext("The namespace %(name)s is there.", name=form.values["name"]))
            return see_other(url_for("namespace", name=form.values["name"]))
        except NotFound as missing:
            form = form.faulty("team", missing.detail)
        except RequestRefused as refusal:
            form = form.refused(refusal)
    return render(portal, "namespace_new.html", form=form, status=422)


def show_namespace(portal: Portal, name: str) -> Response:
    """Show what lies in a namespace."""
    visitor, query = require_visitor(portal), load_list_query()
    namespace = find_namespace(portal, visitor, name)
    narrowed = None if namespace.is_global else namespace.name
    chosen = RepositoryFilter(q=query.q or None, namespace=narrowed, in_global=namespace.is_global)
    page = portal.catalog.list_repositories(visitor, chosen, query.page)
    ask_freshness(portal, visitor)
    return render(
        portal,
        "namespace.html",
        namespace=namespace,
        query=query,
        repositories=present_repositories(page.rows, portal.clock()),
        pager=present_paging(page),
    )


def show_settings(portal: Portal, name: str) -> Response:
    """Show what may be changed of a namespace."""
    visitor = require_visitor(portal)
    namespace = find_namespace(portal, visitor, name)
    return _settings(portal, visitor, namespace, CheckedForm.editing(_values(namespace)))


def change_settings(portal: Portal, name: str) -> AnyResponse:
    """Change a namespace."""
    visitor = require_visitor(portal)
    namespace = find_namespace(portal, visitor, name)
    form = load_change(NamespaceSettingsForm(), _values(namespace))
    if not form.faults:
        try:
            if form.changes:
                portal.namespaces.change(visitor, namespace.id, form.changes)
            flash(gettext("The namespace is changed."))
            return see_other(place(namespace, "namespace_settings"))
        except NotFound as missing:
            form = form.faulty("team", missing.detail)
        except RequestRefused as refusal:
            form = form.refused(refusal)
    return _settings(portal, visitor, namespace, form, status=422)


def freeze(portal: Portal, name: str) -> AnyResponse:
    """Stop pushes to a namespace or a repository."""
    visitor, form = require_visitor(portal), load_form(FreezeForm())
    namespace = find_namespace(portal, visitor, name)
    if not form.faults:
        try:
            portal.namespaces.freeze(visitor, namespace.id, form.values["reason"], form.values["repository"])
            flash(gettext("Frozen: nothing is pushed there until you thaw it."))
            return see_other(place(namespace, "namespace_settings"))
        except RequestRefused as refusal:
            form = form.refused(refusal)
    return _settings(portal, visitor, namespace, CheckedForm.editing(_values(namespace)), freezing=form, status=422)


def thaw(portal: Portal, name: str, number: int) -> AnyResponse:
    """Let pushes through again."""
    visitor = require_visitor(portal)
    namespace = find_namespace(portal, visitor, name)
    portal.namespaces.thaw(visitor, namespace.id, number)
    flash(gettext("Thawed: pushes go through again."))
    return see_other(place(namespace, "namespace_settings"))


def show_deletion(portal: Portal, name: str) -> Response:
    """Say what goes with a namespace, and ask."""
    visitor = require_visitor(portal)
    return _ask_deletion(portal, visitor, find_namespace(portal, visitor, name))


def delete_namespace(portal: Portal, name: str) -> AnyResponse:
    """Delete a namespace with all that is in it."""
    visitor = require_visitor(portal)
    namespace = find_namespace(portal, visitor, name)
    if not is_typed(namespace.name):
        return _ask_deletion(portal, visitor, namespace, mistyped=True)
    try:
        portal.namespaces.delete(visitor, namespace.id)
    except RequestRefused as refusal:
        return _ask_deletion(portal, visitor, namespace, alarm=refusal.detail)
    flash(gettext("The namespace %(name)s is deleted.", name=namespace.name))
    return see_other(url_for("namespaces"))


def find_namespace(portal: Portal, visitor: Visitor, name: str) -> Namespace:
    """Return the namespace of an address; ``?registry=`` says of which registry where there are several.

    Raises:
        NotFound: there is none, or the visitor may not see it.
    """
    return portal.namespaces.get(visitor, name, request.args.get("registry", ""))


def place(namespace: Namespace, endpoint: str, **parts: object) -> str:
    """Return the address of a part of a namespace."""
    registry = request.args.get("registry")
    return url_for(endpoint, name=namespace.name, registry=registry or None, **parts)  # type: ignore[arg-type]


def _values(namespace: Namespace) -> dict[str, str]:
    return {"description": namespace.description or "", "visibility": namespace.visibility, "team": namespace.team.name}


def _settings(
    portal: Portal,
    visitor: Visitor,
    namespace: Namespace,
    form: CheckedForm,
    *,
    freezing: CheckedForm | None = None,
    status: int = 200,
) -> Response:
    try:
        freezes = portal.namespaces.list_freezes(visitor, namespace.id, PageRequest(per_page=FREEZES_SHOWN)).rows
    except NotAllowed:
        freezes = ()
    return render(
        portal,
        "namespace_settings.html",
        status=status,
        namespace=namespace,
        form=form,
        freezing=freezing or CheckedForm({}),
        freezes=freezes,
        visibilities=VISIBILITIES.items(),
    )


def _ask_deletion(
    portal: Portal, visitor: Visitor, namespace: Namespace, *, mistyped: bool = False, alarm: str = ""
) -> Response:
    found = portal.namespaces.preview_deletion(visitor, namespace.id)
    goes = [
        present_images(found.images),
        ngettext("%(num)d grant", "%(num)d grants", found.grants),
        ngettext("%(num)d robot", "%(num)d robots", found.robots),
    ]
    return confirm(
        portal,
        Confirmation(
            title=gettext("Delete the namespace %(name)s?", name=namespace.name),
            lead=gettext("This cannot be undone. With it go:"),
            goes=goes,
            action=place(namespace, "send_namespace_deletion"),
            button=gettext("Delete the namespace"),
            back=place(namespace, "namespace_settings"),
            typed=namespace.name,
            steps=[
                (gettext("Namespaces"), url_for("namespaces")),
                (namespace.name, place(namespace, "namespace")),
                (gettext("Delete"), None),
            ],
        ),
        mistyped=mistyped,
        alarm=alarm,
    )
