"""``/namespaces/<name>/webhooks`` and ``/admin/webhooks``: who is told of what happens, and how that went.

The views are the same in both; a ``name`` of ``None`` stands for the whole installation.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, flash, request
from flask_babel import gettext, lazy_gettext
from marshmallow import Schema, fields, validate
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.errors import NotAllowed, NotFound, RequestRefused
from services.web.clients.webhooks import Webhook
from services.web.pages.confirming import Confirmation, confirm, is_typed
from services.web.pages.frames import render
from services.web.pages.inputs import CheckedForm, load_after, load_change, load_form, load_list_query
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.pages.webhook_homes import Home, find_home
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


def show_webhooks(portal: Portal, name: str | None = None) -> Response:
    """List the webhooks of a namespace, or of the whole installation."""
    home = find_home(portal, name)
    page, why = None, ""
    try:
        page = portal.webhooks.list(home.visitor, home.namespace_id, load_list_query().page)
    except NotAllowed:
        why = gettext("Webhooks are for those to see who are in the team of this namespace.")
    except NotFound:
        why = gettext("Webhooks tell of what lies in the first registry only.")
    return render(
        portal,
        "webhooks.html",
        **_at(home),
        why=why,
        webhooks=[(each, present_webhook(each, portal.clock())) for each in page.rows] if page else None,
        pager=present_paging(page) if page else None,
    )


def show_new_webhook(portal: Portal, name: str | None = None) -> Response:
    """Ask for a new webhook."""
    return _ask(portal, find_home(portal, name), CheckedForm({"push": "yes", "delete": "yes", "enabled": "yes"}))


def create_webhook(portal: Portal, name: str | None = None) -> AnyResponse:
    """Make a webhook."""
    home, form = find_home(portal, name), _checked(load_form(NewWebhookForm()))
    if not form.faults:
        values = {"namespace_id": home.namespace_id, "enabled": form.values["enabled"] == "yes"}
        try:
            made = portal.webhooks.create(home.visitor, values | _values(form, form.values))
            flash(gettext("The webhook %(name)s is there.", name=made.name))
            return see_other(home.address("show", number=made.id))
        except (RequestRefused, NotAllowed) as refusal:
            form = _refused(form, refusal)
    return _ask(portal, home, form, status=422)


def show_webhook(portal: Portal, number: int, name: str | None = None) -> Response:
    """Show a webhook, its headers, and what it was told."""
    return _show(portal, find_home(portal, name), number, CheckedForm({}))


def add_header(portal: Portal, number: int, name: str | None = None) -> AnyResponse:
    """Let a header go with every request."""
    home, form = find_home(portal, name), load_form(HeaderForm())
    if not form.faults:
        try:
            portal.webhooks.add_header(home.visitor, number, form.values["name"], form.values["value"])
            flash(gettext("The header %(name)s goes with every request.", name=form.values["name"]))
            return see_other(home.address("show", number=number))
        except (RequestRefused, NotAllowed) as refusal:
            form = form.refused(refusal)
    return _show(portal, home, number, form, status=422)


def remove_header(portal: Portal, number: int, header: int, name: str | None = None) -> AnyResponse:
    """Let a header not go with requests any more."""
    home = find_home(portal, name)
    portal.webhooks.remove_header(home.visitor, number, header)
    flash(gettext("The header is gone."))
    return see_other(home.address("show", number=number))


def show_settings(portal: Portal, number: int, name: str | None = None) -> Response:
    """Show what may be changed of a webhook."""
    home = find_home(portal, name)
    webhook = home.get(portal, number)
    return _ask(portal, home, CheckedForm.editing(_known(webhook)), webhook=webhook)


def change_webhook(portal: Portal, number: int, name: str | None = None) -> AnyResponse:
    """Change a webhook."""
    home = find_home(portal, name)
    webhook = home.get(portal, number)
    form = _checked(load_change(WebhookChangeForm(), _known(webhook)))
    if not form.faults:
        try:
            portal.webhooks.change(home.visitor, number, _values(form, form.changes))
            flash(gettext("The webhook is changed."))
            return see_other(home.address("show", number=number))
        except (RequestRefused, NotAllowed) as refusal:
            form = _refused(form, refusal)
    return _ask(portal, home, form, webhook=webhook, status=422)


def switch_webhook(portal: Portal, number: int, name: str | None = None) -> AnyResponse:
    """Switch a webhook off or on again."""
    home, enabled = find_home(portal, name), request.form.get("enabled") == "yes"
    portal.webhooks.change(home.visitor, number, {"enabled": enabled})
    said = gettext("The webhook is switched on: it is told from now on.")
    flash(said if enabled else gettext("The webhook is switched off: it is told nothing."))
    listed = request.form.get("from") == "list"
    target = home.address("list") if listed else home.address("show", number=number)
    return see_other(target)


def send_test(portal: Portal, number: int, name: str | None = None) -> AnyResponse:
    """Send an event that means nothing, and lead to what becomes of it."""
    home = find_home(portal, name)
    uuid = portal.webhooks.test(home.visitor, number)
    flash(gettext("A test is on its way. Load the page again in a moment to see how it went."))
    return see_other(home.address("delivery", number=number, uuid=uuid))


def show_delivery(portal: Portal, number: int, uuid: UUID, name: str | None = None) -> Response:
    """Show what a webhook was told, and what it answered."""
    home = find_home(portal, name)
    webhook = home.get(portal, number)
    delivery = portal.webhooks.get_delivery(home.visitor, number, str(uuid))
    return render(
        portal,
        "webhook_delivery.html",
        **_at(home),
        webhook=webhook,
        delivery=present_delivery(delivery, portal.clock()),
    )


def retrigger(portal: Portal, number: int, uuid: UUID, name: str | None = None) -> AnyResponse:
    """Send a delivery once more."""
    home = find_home(portal, name)
    portal.webhooks.retrigger(home.visitor, number, str(uuid))
    flash(gettext("It is sent once more. Load the page again in a moment to see how it went."))
    return see_other(home.address("delivery", number=number, uuid=uuid))


def show_deletion(portal: Portal, number: int, name: str | None = None) -> Response:
    """Ask whether a webhook is to go."""
    home = find_home(portal, name)
    return _ask_deletion(portal, home, home.get(portal, number))


def delete_webhook(portal: Portal, number: int, name: str | None = None) -> AnyResponse:
    """Delete a webhook."""
    home = find_home(portal, name)
    webhook = home.get(portal, number)
    if not is_typed(webhook.name):
        return _ask_deletion(portal, home, webhook, mistyped=True)
    portal.webhooks.delete(home.visitor, number)
    flash(gettext("The webhook %(name)s is deleted.", name=webhook.name))
    return see_other(home.address("list"))


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


def _at(home: Home) -> dict[str, Any]:
    """Return what the templates need of a place."""
    return {"home": home, "namespace": home.namespace}


def _ask(
    portal: Portal, home: Home, form: CheckedForm, *, webhook: Webhook | None = None, status: int = 200
) -> Response:
    """Show the form of a webhook, new or there already."""
    return render(
        portal,
        "webhook_form.html",
        status=status,
        **_at(home),
        webhook=webhook,
        form=form,
        methods=METHODS,
        content_types=CONTENT_TYPES,
        events=EVENTS.items(),
    )


def _show(portal: Portal, home: Home, number: int, form: CheckedForm, *, status: int = 200) -> Response:
    webhook, now = home.get(portal, number), portal.clock()
    outcome = request.args.get("outcome", "")
    outcome = outcome if outcome in OUTCOMES else ""
    part = portal.webhooks.list_deliveries(home.visitor, number, load_after(), outcome=outcome)

    def address(after: str | None = None) -> str:
        return home.address("show", number=number, outcome=outcome or None, after=after)

    return render(
        portal,
        "webhook.html",
        status=status,
        **_at(home),
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


def _ask_deletion(portal: Portal, home: Home, webhook: Webhook, *, mistyped: bool = False) -> Response:
    return confirm(
        portal,
        Confirmation(
            title=gettext("Delete the webhook %(name)s?", name=webhook.name),
            lead=gettext("It is told nothing from then on, and what it was told is forgotten. This cannot be undone."),
            goes=[],
            action=home.address("delete", number=webhook.id),
            button=gettext("Delete the webhook"),
            back=home.address("show", number=webhook.id),
            typed=webhook.name,
            steps=[*home.steps, (webhook.name, None)],
        ),
        mistyped=mistyped,
    )
