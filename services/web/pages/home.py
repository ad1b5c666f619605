"""``/``: what changed lately, what is one's own, and what needs one."""

from collections.abc import Sequence
from datetime import timedelta

from flask import Response, url_for
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.catalog import Freshness, Repository, RepositoryFilter
from services.web.clients.errors import NotAllowed, PeerAway, PeerBroken
from services.web.clients.me import Token
from services.web.clients.sessions import Visitor
from services.web.pages.frames import ask_freshness, chosen_runtime, render
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.pages.visitors import find_visitor
from services.web.viewmodels.charts import draw_days, draw_stock
from services.web.viewmodels.commands import push_commands
from services.web.viewmodels.me import present_token
from services.web.viewmodels.names import present_name
from services.web.viewmodels.repositories import present_repositories
from services.web.viewmodels.sizes import present_size
from services.web.viewmodels.times import present_time
from shared.api.paging import PageRequest

DAYS = 30
SHOWN = 8
SOON = timedelta(days=14)
"""A token that ends within so long is told."""


def show_home(portal: Portal) -> AnyResponse:
    """Show the first page; somebody who is not signed in is asked to."""
    visitor = find_visitor(portal)
    if visitor.person is None:
        return see_other(url_for("sign_in"))
    return _show(portal, visitor)


def _show(portal: Portal, visitor: Visitor) -> Response:
    now = portal.clock()
    statistics = portal.statistics.get(visitor, days=DAYS)
    starred = portal.catalog.list_repositories(visitor, RepositoryFilter(starred=True), PageRequest(per_page=SHOWN))
    freshness = ask_freshness(portal, visitor)
    person = visitor.person
    mine = f"{(person.namespace or person.username) if person else ''}/my-app"
    return render(
        portal,
        "home.html",
        totals=(statistics.repositories, statistics.tags, present_size(statistics.size_bytes), statistics.pulls),
        latest=[
            (present_name(one.repository), one.tag, present_time(one.pushed_at, now), one.pushed_by)
            for one in statistics.latest[:SHOWN]
        ],
        starred=present_repositories(starred.rows, now),
        own=present_repositories(_own(portal, visitor), now),
        ending=[present_token(token, now) for token in _ending(portal, visitor)],
        needs=_needs(portal, visitor, freshness),
        days=draw_days(statistics.days),
        stock=draw_stock(statistics.namespaces),
        push=push_commands(
            portal.registry_host,
            username=person.username if person else None,
            repository=mine,
            runtime=chosen_runtime(portal),
        ),
    )


def _own(portal: Portal, visitor: Visitor) -> Sequence[Repository]:
    """Return what was changed last in the personal namespace."""
    namespace = visitor.person and visitor.person.namespace
    if not namespace:
        return ()
    chosen = RepositoryFilter(namespace=namespace, sort=("updated_at", "desc"))
    return portal.catalog.list_repositories(visitor, chosen, PageRequest(per_page=SHOWN)).rows


def _needs(portal: Portal, visitor: Visitor, freshness: Freshness) -> list[tuple[str, str]]:
    """Return what waits for an administrator, each with the page for it; nothing while it cannot be told."""
    if visitor.person is None or not visitor.person.admin:
        return []
    needs = []
    if freshness.losses:
        text = ngettext(
            "%(num)d loss window is open: events may be missing",
            "%(num)d loss windows are open: events may be missing",
            freshness.losses,
        )
        needs.append((text, url_for("admin_sync")))
    try:
        if letters := portal.sync.list_letters(visitor, PageRequest(per_page=1)).total:
            text = ngettext("%(num)d event could not be applied", "%(num)d events could not be applied", letters)
            needs.append((text, url_for("admin_letters")))
    except (PeerAway, PeerBroken, NotAllowed):
        pass
    return needs


def _ending(portal: Portal, visitor: Visitor) -> list[Token]:
    """Return the tokens that end soon; none while `auth` does not tell."""
    try:
        tokens = portal.me.list_tokens(visitor, PageRequest(per_page=100)).rows
    except (PeerAway, PeerBroken):
        return []
    now = portal.clock()
    return [token for token in tokens if token.expires_at and not token.expired and token.expires_at - now < SOON]
