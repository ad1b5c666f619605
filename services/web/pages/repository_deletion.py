"""Deleting tags or a whole repository: what goes with it first, then what became of it."""

from flask import Response, flash, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.errors import RequestRefused
from services.web.clients.sessions import Visitor
from services.web.pages.confirming import Confirmation, confirm, is_typed
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.pages.repository import find_repository, show_part
from services.web.pages.visitors import require_visitor
from services.web.viewmodels.content import present_plan, present_tag_outcomes
from shared.oci.names import InvalidName, parse_digest, parse_tag

MAX_CHOSEN = 100
"""As many as `catalog` takes at once."""


def show_tag_deletion(portal: Portal, name: str) -> Response:
    """Say what goes with each of the tags that were chosen, and ask."""
    require_visitor(portal)
    visitor, repository = find_repository(portal, name)
    chosen = _chosen(request.args.getlist("tag"))
    outcomes = portal.content.delete_tags(visitor, repository.id, chosen, dry_run=True) if chosen else ()
    rows = present_tag_outcomes(outcomes, chosen)
    return show_part(portal, "tag_deletion.html", visitor, repository, rows=rows, done=False)


def delete_tags(portal: Portal, name: str) -> AnyResponse:
    """Delete the tags, and tell of each what became of it."""
    require_visitor(portal)
    visitor, repository = find_repository(portal, name)
    chosen = _chosen(request.form.getlist("tag"))
    if not chosen:
        raise BadRequest(gettext("No tag was chosen."))
    keeps = request.form.get("keep_referrers") == "yes"
    outcomes = portal.content.delete_tags(visitor, repository.id, chosen, dry_run=False, keep_referrers=keeps)
    if all(one.fault is None for one in outcomes):
        flash(ngettext("%(num)d tag is deleted.", "%(num)d tags are deleted.", len(outcomes)))
        return see_other(url_for("repository", name=name))
    rows = present_tag_outcomes(outcomes, chosen)
    return show_part(portal, "tag_deletion.html", visitor, repository, rows=rows, done=True, status=422)


def show_deletion(portal: Portal, name: str) -> Response:
    """Say what goes with a repository, and ask."""
    visitor = require_visitor(portal)
    return _ask(portal, visitor, name)


def delete_repository(portal: Portal, name: str) -> AnyResponse:
    """Delete everything in a repository."""
    require_visitor(portal)
    visitor, repository = find_repository(portal, name)
    if not is_typed(repository.full_name):
        return _ask(portal, visitor, name, mistyped=True)
    try:
        portal.content.delete_repository(visitor, repository.id)
    except RequestRefused as refusal:
        return _ask(portal, visitor, name, alarm=refusal.detail)
    flash(gettext("The repository %(name)s is deleted.", name=repository.full_name))
    return see_other(url_for("repositories"))


def _chosen(values: list[str]) -> dict[str, str]:
    """Read ``tag@digest``, as the boxes of the tag table hold it."""
    chosen: dict[str, str] = {}
    for value in values[:MAX_CHOSEN]:
        tag, _at, digest = value.partition("@")
        try:
            chosen[parse_tag(tag)] = parse_digest(digest)
        except InvalidName as fault:
            raise BadRequest(gettext("This names no tag.")) from fault
    return chosen


def _ask(portal: Portal, visitor: Visitor, name: str, *, mistyped: bool = False, alarm: str = "") -> Response:
    _visitor, repository = find_repository(portal, name)
    plan = portal.content.preview_repository(visitor, repository.id)
    return confirm(
        portal,
        Confirmation(
            title=gettext("Delete the repository %(name)s?", name=repository.full_name),
            lead=gettext("This cannot be undone. With it go:"),
            goes=present_plan(plan),
            action=url_for("send_repository_deletion", name=name),
            button=gettext("Delete the repository"),
            back=url_for("repository_settings", name=name),
            typed=repository.full_name,
            steps=[
                (gettext("Repositories"), url_for("repositories")),
                (repository.full_name, url_for("repository", name=name)),
                (gettext("Delete"), None),
            ],
        ),
        mistyped=mistyped,
        alarm=alarm,
    )
