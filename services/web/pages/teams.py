"""``/teams``: who belongs together, in which role, and which namespaces they own."""

from flask import Response, flash, request, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from marshmallow import Schema, fields, validate
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.errors import NotFound, RequestRefused
from services.web.clients.places import Member, Team
from services.web.clients.sessions import Visitor
from services.web.pages.confirming import Confirmation, confirm, is_typed
from services.web.pages.frames import render
from services.web.pages.inputs import CheckedForm, load_change, load_form, load_list_query, longest
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.pages.visitors import require_visitor
from services.web.viewmodels.paging import present_paging
from services.web.viewmodels.places import ROLE_NAMES, ROLES, present_images
from services.web.viewmodels.times import present_time

MAX_DESCRIPTION_LENGTH = 10_000
MAX_NAME_LENGTH = 255


class TeamForm(Schema):
    """A team; what its name may be is for `auth` to say."""

    name = fields.String(
        validate=(validate.Length(min=1, error=lazy_gettext("Choose a name.")), longest(MAX_NAME_LENGTH))
    )
    description = fields.String(validate=longest(MAX_DESCRIPTION_LENGTH))


class MemberForm(Schema):
    """Somebody who is to be in a team."""

    user = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Name somebody.")))
    role = fields.String(validate=validate.OneOf(list(ROLES)))


def show_teams(portal: Portal) -> Response:
    """List the teams that the person may see."""
    visitor, query = require_visitor(portal), load_list_query()
    page = portal.teams.list(visitor, query.page, q=query.q)
    return render(portal, "teams.html", query=query, teams=page.rows, pager=present_paging(page))


def show_new_team(portal: Portal) -> Response:
    """Ask for a new team."""
    require_visitor(portal)
    return render(portal, "team_new.html", form=CheckedForm({}))


def create_team(portal: Portal) -> AnyResponse:
    """Make a team, of which the person is the owner."""
    visitor, form = require_visitor(portal), load_form(TeamForm())
    if not form.faults:
        try:
            portal.teams.create(visitor, form.values)
            flash(gettext("The team %(name)s is there, and you are its owner.", name=form.values["name"]))
            return see_other(url_for("team", name=form.values["name"]))
        except RequestRefused as refusal:
            form = form.refused(refusal)
    return render(portal, "team_new.html", form=form, status=422)


def show_team(portal: Portal, name: str) -> Response:
    """Show who is in a team."""
    visitor = require_visitor(portal)
    return _members(portal, visitor, portal.teams.get(visitor, name), CheckedForm({"role": "viewer"}))


def add_member(portal: Portal, name: str) -> AnyResponse:
    """Take somebody into a team."""
    visitor, form = require_visitor(portal), load_form(MemberForm())
    team = portal.teams.get(visitor, name)
    if not form.faults:
        try:
            member = portal.teams.add_member(visitor, team.id, form.values["user"], form.values["role"])
            if member.role == form.values["role"]:
                flash(gettext("%(name)s is in the team.", name=member.username))
            else:
                flash(gettext("%(name)s is in the team, as an owner: administrators always are.", name=member.username))
            return see_other(url_for("team", name=name))
        except NotFound as missing:
            form = form.faulty("user", missing.detail)
        except RequestRefused as refusal:
            form = form.refused(refusal)
    return _members(portal, visitor, team, form, status=422)


def change_member(portal: Portal, name: str, number: int) -> AnyResponse:
    """Give a member another role."""
    visitor = require_visitor(portal)
    team = portal.teams.get(visitor, name)
    try:
        portal.teams.change_member(visitor, team.id, number, request.form.get("role", ""))
    except RequestRefused as refusal:
        return _members(portal, visitor, team, CheckedForm({}).refused(refusal), status=422)
    flash(gettext("The role is changed."))
    return see_other(url_for("team", name=name))


def remove_member(portal: Portal, name: str, number: int) -> AnyResponse:
    """Take somebody out of a team."""
    visitor = require_visitor(portal)
    team = portal.teams.get(visitor, name)
    try:
        portal.teams.remove_member(visitor, team.id, number)
    except RequestRefused as refusal:
        return _members(portal, visitor, team, CheckedForm({}).refused(refusal), status=422)
    flash(gettext("They are no longer in the team."))
    try:
        portal.teams.get(visitor, name)
    except NotFound:
        # Whoever has left a team does not see it any more.
        return see_other(url_for("teams"))
    return see_other(url_for("team", name=name))


def show_namespaces(portal: Portal, name: str) -> Response:
    """Show which namespaces a team owns."""
    visitor, query = require_visitor(portal), load_list_query()
    team = portal.teams.get(visitor, name)
    page = portal.namespaces.list(visitor, query.page, q=query.q, team_id=team.id)
    return render(
        portal, "team_namespaces.html", team=team, query=query, namespaces=page.rows, pager=present_paging(page)
    )


def show_settings(portal: Portal, name: str) -> Response:
    """Show what may be changed of a team."""
    team = portal.teams.get(require_visitor(portal), name)
    form = CheckedForm.editing(_values(team))
    return render(portal, "team_settings.html", team=team, form=form)


def change_settings(portal: Portal, name: str) -> AnyResponse:
    """Change a team."""
    visitor = require_visitor(portal)
    team = portal.teams.get(visitor, name)
    form = load_change(TeamForm(), _values(team))
    if not form.faults:
        try:
            if form.changes:
                portal.teams.change(visitor, team.id, form.changes)
            flash(gettext("The team is changed."))
            return see_other(url_for("team_settings", name=form.values["name"]))
        except RequestRefused as refusal:
            form = form.refused(refusal)
    return render(portal, "team_settings.html", team=team, form=form, status=422)


def show_deletion(portal: Portal, name: str) -> Response:
    """Say what goes with a team, and ask."""
    visitor = require_visitor(portal)
    return _ask_deletion(portal, visitor, portal.teams.get(visitor, name))


def delete_team(portal: Portal, name: str) -> AnyResponse:
    """Delete a team; its namespaces go to another one, or with it."""
    visitor = require_visitor(portal)
    team = portal.teams.get(visitor, name)
    if not is_typed(team.name):
        return _ask_deletion(portal, visitor, team, mistyped=True)
    try:
        portal.teams.delete(visitor, team.id, request.form.get("new_team", "").strip())
    except (NotFound, RequestRefused) as refusal:
        return _ask_deletion(portal, visitor, team, alarm=refusal.detail)
    flash(gettext("The team %(name)s is deleted.", name=team.name))
    return see_other(url_for("teams"))


def _members(portal: Portal, visitor: Visitor, team: Team, form: CheckedForm, *, status: int = 200) -> Response:
    query = load_list_query()
    page = portal.teams.list_members(visitor, team.id, query.page, q=query.q)
    rows = [(member, present_time(member.created_at, portal.clock())) for member in page.rows]
    return render(
        portal,
        "team.html",
        status=status,
        team=team,
        query=query,
        members=rows,
        pager=present_paging(page),
        form=form,
        roles=ROLES.items(),
        role_names=ROLE_NAMES.items(),
        is_me=lambda member: _is(visitor, member),
    )


def _values(team: Team) -> dict[str, str]:
    return {"name": team.name, "description": team.description or ""}


def _is(visitor: Visitor, member: Member) -> bool:
    return visitor.person is not None and visitor.person.username == member.username


def _ask_deletion(portal: Portal, visitor: Visitor, team: Team, *, mistyped: bool = False, alarm: str = "") -> Response:
    found = portal.teams.preview_deletion(visitor, team.id)
    goes = [
        ngettext(
            "%(num)d member loses what they could do by it",
            "%(num)d members lose what they could do by it",
            found.users_count,
        ),
        ngettext("%(num)d namespace", "%(num)d namespaces", found.namespaces_count),
        present_images(found.images),
    ]
    return confirm(
        portal,
        Confirmation(
            title=gettext("Delete the team %(name)s?", name=team.name),
            lead=gettext("This cannot be undone. With it go:"),
            goes=goes,
            action=url_for("send_team_deletion", name=team.name),
            button=gettext("Delete the team"),
            back=url_for("team_settings", name=team.name),
            asks=[("new_team", gettext("Team that gets its namespaces"), gettext("Empty: they go with it."))]
            if found.namespaces_count
            else (),
            typed=team.name,
            steps=[
                (gettext("Teams"), url_for("teams")),
                (team.name, url_for("team", name=team.name)),
                (gettext("Delete"), None),
            ],
        ),
        mistyped=mistyped,
        alarm=alarm,
    )
