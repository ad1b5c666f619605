"""``/admin/sync``: how the index follows the registry, and what went astray on the way."""

from typing import Any

from flask import Response, flash, request, url_for
from flask_babel import gettext
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.errors import PeerAway, PeerBroken, RequestRefused
from services.web.pages.admin import Filter, onward, require_admin
from services.web.pages.frames import ask_freshness, render
from services.web.pages.inputs import load_after, load_list_query
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.viewmodels.paging import present_paging
from services.web.viewmodels.sync import (
    DRIFT_KINDS,
    STATES,
    present_crawls,
    present_drift,
    present_letters,
    present_numbers,
    present_quarantine,
    present_windows,
)
from shared.api.paging import PageRequest

SHOWN = 5
"""Rows of each list on the page that shows all of them."""

KINDS = ("round", "full")
BOXES = ("dead-letters", "quarantine")


def show_sync(portal: Portal) -> Response:
    """Show at one glance whether the index is right."""
    visitor, now = require_admin(portal), portal.clock()
    ask_freshness(portal, visitor)
    crawls = portal.sync.list_crawls(visitor, PageRequest(per_page=SHOWN))
    windows = portal.sync.list_windows(visitor, PageRequest(per_page=SHOWN))
    drift = portal.sync.list_drift(visitor, "", {"state": "open"})
    return render(
        portal,
        "admin_sync.html",
        numbers=present_numbers(portal.catalog.get_freshness(visitor), drift, windows.rows, now),
        crawls=present_crawls(crawls.rows, now),
        windows=present_windows(windows.rows, now),
        drift=present_drift(drift.rows[:SHOWN], now),
        more_drift=len(drift.rows) > SHOWN,
    )


def start_crawl(portal: Portal) -> AnyResponse:
    """Ask for a walk through the registry."""
    visitor, kind = require_admin(portal), request.form.get("kind", "")
    if kind not in KINDS:
        raise BadRequest(gettext("There is no such crawl."))
    try:
        portal.sync.start_crawl(visitor, kind)
        flash(gettext("The crawl begins within seconds."))
    except RequestRefused as refusal:
        flash(refusal.detail)
    return see_other(url_for("admin_sync"))


def show_crawls(portal: Portal) -> Response:
    """List the crawls."""
    page = portal.sync.list_crawls(require_admin(portal), load_list_query().page)
    table = present_crawls(page.rows, portal.clock())
    return _list(portal, gettext("Crawls"), table=table, pager=present_paging(page))


def show_windows(portal: Portal) -> Response:
    """List the times in which events may have been lost."""
    page = portal.sync.list_windows(require_admin(portal), load_list_query().page)
    table = present_windows(page.rows, portal.clock())
    return _list(portal, gettext("Loss windows"), table=table, pager=present_paging(page))


def show_drift(portal: Portal) -> Response:
    """List what differs between index and registry."""
    visitor = require_admin(portal)
    filters = {name: request.args.get(name, "")[:128] for name in ("kind", "state", "repository_prefix")}
    part = portal.sync.list_drift(visitor, load_after(), filters)
    return _list(
        portal,
        gettext("What differs"),
        table=present_drift(part.rows, portal.clock()),
        filters=[
            Filter("repository_prefix", gettext("Repositories that begin with"), filters["repository_prefix"]),
            Filter("kind", gettext("Any difference"), filters["kind"], options=list(DRIFT_KINDS.items())),
            Filter("state", gettext("Any state"), filters["state"], options=list(STATES.items())),
        ],
        **onward("admin_drift", part.following, filters),
    )


def _list(portal: Portal, heading: str, **values: Any) -> Response:
    above = (gettext("Index"), url_for("admin_sync"))
    return render(portal, "admin_list.html", heading=heading, above=above, **values)


def show_letters(portal: Portal) -> Response:
    """Show messages that could not be handled, and events that could not be read."""
    visitor, query, now = require_admin(portal), load_list_query(), portal.clock()
    away, context = False, dict[str, Any]()
    try:
        letters = portal.sync.list_letters(visitor, query.page)
        quarantine = portal.sync.list_quarantine(visitor, query.page)
        context = {
            "letters": present_letters(letters.rows, now),
            "quarantine": present_quarantine(quarantine.rows, now),
            "totals": {"dead-letters": letters.total, "quarantine": quarantine.total},
            "pager": present_paging(max(letters, quarantine, key=lambda page: page.total)),
        }
    except (PeerAway, PeerBroken):
        away = True
    return render(portal, "admin_letters.html", away=away, **context)


def replay(portal: Portal, box: str, number: int) -> AnyResponse:
    """Send a letter again, or read an event again."""
    visitor = require_admin(portal)
    try:
        portal.sync.replay(visitor, _box(box), number)
        flash(gettext("It is on its way again."))
    except RequestRefused as refusal:
        flash(refusal.detail)
    return see_other(url_for("admin_letters"))


def drop(portal: Portal, box: str, number: int) -> AnyResponse:
    """Throw a letter or an event away."""
    portal.sync.drop(require_admin(portal), _box(box), number)
    flash(gettext("It is thrown away. What it told is found by the next crawl."))
    return see_other(url_for("admin_letters"))


def replay_all(portal: Portal, box: str) -> AnyResponse:
    """Send all of a box again, if it holds as many as were seen."""
    visitor, expect = require_admin(portal), request.form.get("expect", "")
    if not expect.isascii() or not expect.isdigit():
        raise BadRequest
    try:
        portal.sync.replay_all(visitor, _box(box), int(expect))
        flash(gettext("All of them are on their way again."))
    except RequestRefused as refusal:
        flash(refusal.detail)
    return see_other(url_for("admin_letters"))


def _box(box: str) -> str:
    if box not in BOXES:
        raise BadRequest
    return box
