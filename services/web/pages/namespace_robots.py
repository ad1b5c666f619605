"""``/namespaces/<name>/robots``: accounts for machines, and the rotation of their secrets."""

from typing import Any

from flask import Response, flash, url_for
from flask_babel import gettext, lazy_gettext
from marshmallow import Schema, fields, validate
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.access import Robot
from services.web.clients.errors import RequestRefused
from services.web.clients.places import Namespace
from services.web.clients.sessions import Visitor
from services.web.pages.confirming import Confirmation, confirm, is_typed
from services.web.pages.frames import render
from services.web.pages.inputs import CheckedForm, load_actions, load_day, load_form, load_list_query
from services.web.pages.namespaces import find_namespace, place
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.pages.visitors import require_visitor
from services.web.viewmodels.access import ACTIONS, present_robot, present_robots
from services.web.viewmodels.commands import login_command
from services.web.viewmodels.paging import present_paging
from shared.api.paging import Page
from shared.config import Secret


class RobotForm(Schema):
    """A new robot."""

    name = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Choose a name.")))
    description = fields.String()
    pattern = fields.String()
    until = fields.String()
    addresses = fields.String()


def show_robots(portal: Portal, name: str) -> Response:
    """List the robots of a namespace."""
    visitor = require_visitor(portal)
    namespace = find_namespace(portal, visitor, name)
    page: Page[Robot] | None = portal.access.list_robots(visitor, namespace.id, load_list_query().page)
    # To those who do not manage it the list is empty, whatever there is.
    if page and not page.rows and not namespace.managed:
        page = None
    return render(
        portal,
        "namespace_robots.html",
        namespace=namespace,
        robots=present_robots(page.rows, portal.clock()) if page else None,
        pager=present_paging(page) if page else None,
    )


def show_new_robot(portal: Portal, name: str) -> Response:
    """Ask for a new robot."""
    visitor = require_visitor(portal)
    return _ask(portal, find_namespace(portal, visitor, name), CheckedForm({}), ["pull"])


def create_robot(portal: Portal, name: str) -> AnyResponse:
    """Make a robot, and show its secret this once."""
    visitor, form = require_visitor(portal), load_form(RobotForm())
    namespace = find_namespace(portal, visitor, name)
    actions, until = load_actions(), load_day(form.values["until"])
    if not actions:
        form = form.faulty("actions", gettext("Choose at least one."))
    if form.values["until"] and until is None:
        form = form.faulty("until", gettext("Write it as year-month-day, such as 2027-01-31."))
    if not form.faults:
        try:
            robot, secret = portal.access.create_robot(visitor, _values(namespace, form, actions, until))
            return _show(portal, namespace, robot, secret=secret)
        except RequestRefused as refusal:
            form = form.refused(refusal.renamed({"expires_at": "until", "allowed_addresses": "addresses"}))
    return _ask(portal, namespace, form, actions, status=422)


def show_robot(portal: Portal, name: str, number: int) -> Response:
    """Show a robot: what it may do, its secrets, when it was used."""
    visitor = require_visitor(portal)
    namespace = find_namespace(portal, visitor, name)
    return _show(portal, namespace, portal.access.get_robot(visitor, number))


def add_secret(portal: Portal, name: str, number: int) -> Response:
    """Make a second secret, and show it this once."""
    visitor = require_visitor(portal)
    namespace = find_namespace(portal, visitor, name)
    try:
        secret = portal.access.add_secret(visitor, number)
    except RequestRefused as refusal:
        return _show(portal, namespace, portal.access.get_robot(visitor, number), alarm=refusal.detail)
    return _show(portal, namespace, portal.access.get_robot(visitor, number), secret=secret)


def revoke_secret(portal: Portal, name: str, number: int, secret: int) -> AnyResponse:
    """End a secret at once."""
    visitor = require_visitor(portal)
    namespace = find_namespace(portal, visitor, name)
    try:
        portal.access.revoke_secret(visitor, number, secret)
    except RequestRefused as refusal:
        return _show(portal, namespace, portal.access.get_robot(visitor, number), alarm=refusal.detail)
    flash(gettext("The secret is over: nothing logs in with it any more."))
    return see_other(place(namespace, "namespace_robot", number=number))


def switch_robot(portal: Portal, name: str, number: int) -> AnyResponse:
    """Switch a robot off or on again."""
    visitor = require_visitor(portal)
    namespace, robot = find_namespace(portal, visitor, name), portal.access.get_robot(visitor, number)
    portal.access.enable_robot(visitor, number, enabled=not robot.enabled)
    flash(gettext("The robot is switched off.") if robot.enabled else gettext("The robot is switched on again."))
    return see_other(place(namespace, "namespace_robot", number=number))


def show_deletion(portal: Portal, name: str, number: int) -> Response:
    """Ask whether a robot is to go."""
    visitor = require_visitor(portal)
    return _ask_deletion(portal, visitor, find_namespace(portal, visitor, name), number)


def delete_robot(portal: Portal, name: str, number: int) -> AnyResponse:
    """Delete a robot."""
    visitor = require_visitor(portal)
    namespace, robot = find_namespace(portal, visitor, name), portal.access.get_robot(visitor, number)
    if not is_typed(robot.name):
        return _ask_deletion(portal, visitor, namespace, number, mistyped=True)
    portal.access.delete_robot(visitor, number)
    flash(gettext("The robot %(name)s is deleted.", name=robot.username))
    return see_other(place(namespace, "namespace_robots"))


def _values(namespace: Namespace, form: CheckedForm, actions: list[str], until: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": form.values["name"],
        "description": form.values["description"],
        "namespace_id": namespace.id,
    }
    permission: dict[str, Any] = {"actions": actions}
    permission |= {"pattern": form.values["pattern"]} if form.values["pattern"] else {}
    addresses = form.values["addresses"].replace(",", " ").split()
    values |= {"permissions": [permission]}
    values |= {"expires_at": until.isoformat()} if until else {}
    return values | ({"allowed_addresses": addresses} if addresses else {})


def _ask(portal: Portal, namespace: Namespace, form: CheckedForm, actions: list[str], *, status: int = 200) -> Response:
    return render(
        portal,
        "namespace_robot_new.html",
        status=status,
        namespace=namespace,
        form=form,
        chosen=actions,
        actions=ACTIONS.items(),
    )


def _show(
    portal: Portal, namespace: Namespace, robot: Robot, *, secret: Secret | None = None, alarm: str = ""
) -> Response:
    return render(
        portal,
        "namespace_robot.html",
        status=422 if alarm else 200,
        namespace=namespace,
        robot=present_robot(robot, portal.clock()),
        secret=secret.reveal() if secret else None,
        login=login_command(portal.registry_host, robot.username),
        alarm=alarm,
    )


def _ask_deletion(
    portal: Portal, visitor: Visitor, namespace: Namespace, number: int, *, mistyped: bool = False
) -> Response:
    robot = portal.access.get_robot(visitor, number)
    return confirm(
        portal,
        Confirmation(
            title=gettext("Delete the robot %(name)s?", name=robot.username),
            lead=gettext("Whatever logs in with it is refused from then on. This cannot be undone."),
            goes=[],
            action=place(namespace, "send_robot_deletion", number=number),
            button=gettext("Delete the robot"),
            back=place(namespace, "namespace_robot", number=number),
            typed=robot.name,
            steps=[
                (gettext("Namespaces"), url_for("namespaces")),
                (namespace.name, place(namespace, "namespace")),
                (gettext("Robots"), place(namespace, "namespace_robots")),
                (robot.name, None),
            ],
        ),
        mistyped=mistyped,
    )
