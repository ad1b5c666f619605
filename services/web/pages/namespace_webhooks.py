"""``/namespaces/<name>/webhooks``: who is told of what happens in a namespace, and how that went."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, flash, request, url_for
from flask_babel import gettext, lazy_gettext
from marshmallow import Schema, fields, validate
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.errors import NotAllowed, NotFound, RequestRefused
from services.web.clients.places import Namespace
from services.web.clients.sessions import Visitor
from services.web.clients.webhooks import Webhook
from services.web.pages.confirming import Confirmation, confirm, is_typed
from services.web.pages.frames import render
from services.web.pages.inputs import CheckedForm, load_after, load_change, load_form, load_list_query
from services.web.pages.namespaces import find_namespace, place
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.pages.visitors import require_visitor
from services.web.viewmodels.paging import present_paging
from services.web.viewmodels.webhooks import EVENTS, OUTCOMES, present_delivery, present_webhook

METHODS = [("POST", "POST"), ("GET", "GET")]
CONTENT_TYPES = [
    ("application/json", "application/json"),
    ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded"),
]
_LISTS = ("repositories", "tags")
_SECRETS = ("password", "secret")


class WebhookForm(Schema):
    """A webhook; what its address may be is for `notifier` to say."""

    name = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Choose a name.")))
    url = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Type the address that is to be told.")))
    request_method = fields.String(validate=validate.OneOf([value for value, _ in METHODS]))
    content_type = fields.String(validate=validate.OneOf([value for value, _ in CONTENT_TYPES]))
    username = fields.String()
    password = fields.String()
    secret = fields.String()
    repositories = fields.String()
    tags = fields.String()
    push = fields.String()
    delete = fields.String()
    overwritten = fields.String()


class NewWebhookForm(WebhookForm):
    """A webhook to be made."""

    enabled = fields.String()


class WebhookChangeForm(WebhookForm):
    """What may change of a webhook; an empty password or secret stays as it is."""

    forget_password = fields.String()
    forget_secret = fields.String()


class HeaderForm(Schema):
    """A header that goes with every request."""

    name = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Choose a name.")))
    value = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Type a value.")))


def show_webhooks(portal: Portal, name: str) -> Response:
    """List the webhooks of a namespace."""
    visitor = require_visitor(portal)
    namespace = find_namespace(portal, visitor, name)
    page, why = None, ""
    try:
        page = portal.webhooks.list(visitor, namespace.id, load_list_query().page)
    except NotAllowed:
        why = gettext("Webhooks are for those to see who are in the team of this namespace.")
    except NotFound:
        why = gettext("Webhooks tell of what lies in the first registry only.")
    return render(
        portal,
        "namespace_webhooks.html",
        namespace=namespace,
        why=why,
        webhooks=[(each, present_webhook(each, portal.clock())) for each in page.rows] if page else None,
        pager=present_paging(page) if page else None,
    )


def show_new_webhook(portal: Portal, name: str) -> Response:
    """Ask for a new webhook."""
    visitor = require_visitor(portal)
    form = CheckedForm({"push": "yes", "delete": "yes", "enabled": "yes"})
    return _ask(portal, find_namespace(portal, visitor, name), form)


def create_webhook(portal: Portal, name: str) -> AnyResponse:
    """Make a webhook."""
    visitor, form = require_visitor(portal), _checked(load_form(NewWebhookForm()))
    namespace = find_namespace(portal, visitor, name)
    if not form.faults:
        values = {"namespace_id": namespace.id, "enabled": form.values["enabled"] == "yes"}
        try:
            made = portal.webhooks.create(visitor, values | _values(form, form.values))
            flash(gettext("The webhook %(name)s is there.", name=made.name))
            return see_other(place(namespace, "namespace_webhook", number=made.id))
        except (RequestRefused, NotAllowed) as refusal:
            form = _refused(form, refusal)
    return _ask(portal, namespace, form, status=422)


def show_webhook(portal: Portal, name: str, number: int) -> Response:
    """Show a webhook, its headers, and what it was told."""
    visitor = require_visitor(portal)
    return _show(portal, visitor, find_namespace(portal, visitor, name), number, CheckedForm({}))


def add_header(portal: Portal, name: str, number: int) -> AnyResponse:
    """Let a header go with every request."""
    visitor, form = require_visitor(portal), load_form(HeaderForm())
    namespace = find_namespace(portal, visitor, name)
    if not form.faults:
        try:
            portal.webhooks.add_header(visitor, number, form.values["name"], form.values["value"])
            flash(gettext("The header %(name)s goes with every request.", name=form.values["name"]))
            return see_other(place(namespace, "namespace_webhook", number=number))
        except (RequestRefused, NotAllowed) as refusal:
            form = form.refused(refusal)
    return _show(portal, visitor, namespace, number, form, status=422)


def remove_header(portal: Portal, name: str, number: int, header: int) -> AnyResponse:
    """Let a header not go with requests any more."""
    visitor = require_visitor(portal)
    namespace = find_namespace(portal, visitor, name)
    portal.webhooks.remove_header(visitor, number, header)
    flash(gettext("The header is gone."))
    return see_other(place(namespace, "namespace_webhook", number=number))


def show_settings(portal: Portal, name: str, number: int) -> Response:
    """Show what may be changed of a webhook."""
    visitor = require_visitor(portal)
    namespace, webhook = find_namespace(portal, visitor, name), portal.webhooks.get(visitor, number)
    return _ask(portal, namespace, CheckedForm.editing(_known(webhook)), webhook=webhook)


def change_webhook(portal: Portal, name: str, number: int) -> AnyResponse:
    """Change a webhook."""
    visitor = require_visitor(portal)
    namespace, webhook = find_namespace(portal, visitor, name), portal.webhooks.get(visitor, number)
    form = _checked(load_change(WebhookChangeForm(), _known(webhook)))
    if not form.faults:
        try:
            portal.webhooks.change(visitor, number, _values(form, form.changes))
            flash(gettext("The webhook is changed."))
            return see_other(place(namespace, "namespace_webhook", number=number))
        except (RequestRefused, NotAllowed) as refusal:
            form = _refused(form, refusal)
    return _ask(portal, namespace, form, webhook=webhook, status=422)


def switch_webhook(portal: Portal, name: str, number: int) -> AnyResponse:
    """Switch a webhook off or on again."""
    visitor = require_visitor(portal)
    namespace, enabled = find_namespace(portal, visitor, name), request.form.get("enabled") == "yes"
    portal.webhooks.change(visitor, number, {"enabled": enabled})
    said = gettext("The webhook is switched on: it is told from now on.")
    flash(said if enabled else gettext("The webhook is switched off: it is told nothing."))
    listed = request.form.get("from") == "list"
    target = place(namespace, "namespace_webhooks") if listed else place(namespace, "namespace_webhook", number=number)
    return see_other(target)


def test_webhook(portal: Portal, name: str, number: int) -> AnyResponse:
    """Send an event that means nothing, and lead to what becomes of it."""
    visitor = require_visitor(portal)
    namespace = find_namespace(portal, visitor, name)
    uuid = portal.webhooks.test(visitor, number)
    flash(gettext("A test is on its way. Load the page again in a moment to see how it went."))
    return see_other(place(namespace, "webhook_delivery", number=number, uuid=uuid))


def show_delivery(portal: Portal, name: str, number: int, uuid: UUID) -> Response:
    """Show what a webhook was told, and what it answered."""
    visitor = require_visitor(portal)
    namespace, webhook = find_namespace(portal, visitor, name), portal.webhooks.get(visitor, number)
    delivery = portal.webhooks.get_delivery(visitor, number, str(uuid))
    return render(
        portal,
        "webhook_delivery.html",
        namespace=namespace,
        webhook=webhook,
        delivery=present_delivery(delivery, portal.clock()),
    )


def retrigger(portal: Portal, name: str, number: int, uuid: UUID) -> AnyResponse:
    """Send a delivery once more."""
    visitor = require_visitor(portal)
    namespace = find_namespace(portal, visitor, name)
    portal.webhooks.retrigger(visitor, number, str(uuid))
    flash(gettext("It is sent once more. Load the page again in a moment to see how it went."))
    return see_other(place(namespace, "webhook_delivery", number=number, uuid=uuid))


def show_deletion(portal: Portal, name: str, number: int) -> Response:
    """Ask whether a webhook is to go."""
    visitor = require_visitor(portal)
    return _ask_deletion(portal, find_namespace(portal, visitor, name), portal.webhooks.get(visitor, number))


def delete_webhook(portal: Portal, name: str, number: int) -> AnyResponse:
    """Delete a webhook."""
    visitor = require_visitor(portal)
    namespace, webhook = find_namespace(portal, visitor, name), portal.webhooks.get(visitor, number)
    if not is_typed(webhook.name):
        return _ask_deletion(portal, namespace, webhook, mistyped=True)
    portal.webhooks.delete(visitor, number)
    flash(gettext("The webhook %(name)s is deleted.", name=webhook.name))
    return see_other(place(namespace, "namespace_webhooks"))


def _known(webhook: Webhook) -> dict[str, str]:
    return {
        "name": webhook.name,
        # Whoever takes it over does so with an address of their own.
        "url": "" if webhook.is_paused else webhook.url,
        "request_method": webhook.request_method,
        "content_type": webhook.content_type,
        "username": webhook.username,
        **{name: " ".join(getattr(webhook, name)) for name in _LISTS},
        **{event: "yes" if event in webhook.events else "" for event in EVENTS},
        # Never known here: what is typed is new.
        **dict.fromkeys((*_SECRETS, *(f"forget_{name}" for name in _SECRETS)), ""),
    }


def _values(form: CheckedForm, given: Mapping[str, str]) -> dict[str, Any]:
    """Return what a form says in the words of `notifier`.

    Args:
        given: those fields of it that are to be told.
    """
    plain = ("name", "url", "request_method", "content_type", "username")
    values: dict[str, Any] = {name: given[name] for name in plain if name in given}
    values |= {name: given[name].replace(",", " ").split() for name in _LISTS if name in given}
    if EVENTS.keys() & given.keys():
        values["events"] = [event for event in EVENTS if form.values[event] == "yes"]
    for name in _SECRETS:
        if given.get(name):
            values[name] = given[name]
        elif given.get(f"forget_{name}") == "yes":
            values[name] = None
    return values


def _checked(form: CheckedForm) -> CheckedForm:
    if any(form.values[event] == "yes" for event in EVENTS):
        return form
    return form.faulty("push", gettext("Choose at least one."))


def _refused(form: CheckedForm, refusal: RequestRefused | NotAllowed) -> CheckedForm:
    if isinstance(refusal, RequestRefused):
        refusal = refusal.renamed({"events": "push"})
    return form.refused(refusal)


def _ask(
    portal: Portal, namespace: Namespace, form: CheckedForm, *, webhook: Webhook | None = None, status: int = 200
) -> Response:
    """Show the form of a webhook, new or there already."""
    return render(
        portal,
        "webhook_form.html",
        status=status,
        namespace=namespace,
        webhook=webhook,
        form=form,
        methods=METHODS,
        content_types=CONTENT_TYPES,
        events=EVENTS.items(),
    )


def _show(
    portal: Portal, visitor: Visitor, namespace: Namespace, number: int, form: CheckedForm, *, status: int = 200
) -> Response:
    webhook, now = portal.webhooks.get(visitor, number), portal.clock()
    outcome = request.args.get("outcome", "")
    outcome = outcome if outcome in OUTCOMES else ""
    part = portal.webhooks.list_deliveries(visitor, number, load_after(), outcome=outcome)

    def address(after: str | None = None) -> str:
        return place(namespace, "namespace_webhook", number=number, outcome=outcome or None, after=after)

    return render(
        portal,
        "namespace_webhook.html",
        status=status,
        namespace=namespace,
        webhook=webhook,
        shown=present_webhook(webhook, now),
        form=form,
        deliveries=[present_delivery(delivery, now) for delivery in part.rows],
        outcomes=OUTCOMES.items(),
        outcome=outcome,
        following=part.following,
        newest=address(),
        older=address(part.following),
    )


def _ask_deletion(portal: Portal, namespace: Namespace, webhook: Webhook, *, mistyped: bool = False) -> Response:
    return confirm(
        portal,
        Confirmation(
            title=gettext("Delete the webhook %(name)s?", name=webhook.name),
            lead=gettext("It is told nothing from then on, and what it was told is forgotten. This cannot be undone."),
            goes=[],
            action=place(namespace, "send_webhook_deletion", number=webhook.id),
            button=gettext("Delete the webhook"),
            back=place(namespace, "namespace_webhook", number=webhook.id),
            typed=webhook.name,
            steps=[
                (gettext("Namespaces"), url_for("namespaces")),
                (namespace.name, place(namespace, "namespace")),
                (gettext("Webhooks"), place(namespace, "namespace_webhooks")),
                (webhook.name, None),
            ],
        ),
        mistyped=mistyped,
    )
