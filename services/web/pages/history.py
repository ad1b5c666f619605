"""``/r/<name>/-/history/<tag>``: the past of a tag, and putting a part of it back."""

from flask import Response, flash, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.artifacts import RestoreRefused
from services.web.clients.errors import NotFound
from services.web.clients.sessions import Visitor
from services.web.pages.frames import ask_freshness, render
from services.web.pages.inputs import load_list_query
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.pages.visitors import find_visitor, require_visitor
from services.web.viewmodels.history import present_history
from services.web.viewmodels.names import present_digest, present_name
from services.web.viewmodels.paging import present_paging
from shared.api.paging import PageRequest
from shared.oci.names import parse_digest, parse_repository_name, parse_tag


def show_history(portal: Portal, name: str, tag: str) -> Response:
    """Show what a tag pointed at, newest first."""
    full_name, tag = parse_repository_name(name), parse_tag(tag)
    query = load_list_query()
    visitor = find_visitor(portal)
    repository = portal.catalog.get_repository(visitor, full_name)
    page = portal.artifacts.list_periods(visitor, repository.id, tag, query.page)
    current = _find_current(portal, visitor, repository.id, tag)
    ask_freshness(portal, visitor)
    return render(
        portal,
        "history.html",
        name=present_name(full_name),
        tag=tag,
        exists=current is not None,
        rights=portal.rights.find_rights(visitor, full_name),
        knots=present_history(page.rows, portal.clock(), current=current),
        pager=present_paging(page),
    )


def show_restore(portal: Portal, name: str, tag: str, digest: str) -> Response:
    """Say what putting a digest back would do, and ask."""
    require_visitor(portal)
    return _ask(portal, name, tag, digest)


def restore(portal: Portal, name: str, tag: str, digest: str) -> AnyResponse:
    """Put a digest back under a tag."""
    visitor = require_visitor(portal)
    repository = portal.catalog.get_repository(visitor, parse_repository_name(name))
    refused = portal.artifacts.restore(visitor, repository.id, parse_tag(tag), parse_digest(digest))
    if refused:
        return _ask(portal, name, tag, digest, refused=refused, status=422)
    restored = present_digest(digest).short
    flash(gettext("%(tag)s points at %(digest)s again. The index follows in a moment.", tag=tag, digest=restored))
    return see_other(url_for("history", name=name, tag=tag))


def _ask(
    portal: Portal, name: str, tag: str, digest: str, *, refused: RestoreRefused | None = None, status: int = 200
) -> Response:
    full_name, tag, digest = parse_repository_name(name), parse_tag(tag), parse_digest(digest)
    visitor = find_visitor(portal)
    repository = portal.catalog.get_repository(visitor, full_name)
    current = _find_current(portal, visitor, repository.id, tag)
    return render(
        portal,
        "restore.html",
        status=status,
        name=present_name(full_name),
        tag=tag,
        digest=present_digest(digest),
        current=present_digest(current) if current else None,
        refused=refused,
        missing=[present_digest(one) for one in refused.missing] if refused else (),
    )


def _find_current(portal: Portal, visitor: Visitor, repository_id: int, tag: str) -> str | None:
    """Return what a tag points at now; ``None`` when it is gone."""
    try:
        newest = portal.artifacts.list_periods(visitor, repository_id, tag, PageRequest(per_page=1)).rows
    except NotFound:
        return None
    return newest[0].digest if newest and newest[0].until is None else None
