"""``/admin``: people, what they did, how requests were decided, registries and settings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.errors import NotAllowed, PeerAway, PeerBroken
from services.web.clients.sessions import Visitor
from services.web.pages.frames import ask_freshness, render
from services.web.pages.inputs import load_after
from services.web.pages.portal import Portal
from services.web.pages.visitors import require_visitor
from services.web.viewmodels.administration import (
    VERDICTS,
    present_audit,
    present_decisions,
    present_settings,
)
from shared.api.paging import PageRequest

MAX_FILTER_LENGTH = 128

_AUDIT_FILTERS = ("actor", "action_prefix", "target_name", "at_from", "at_until")


@dataclass(frozen=True, slots=True)
class Filter:
    """A field that narrows a list."""

    name: str
    label: str
    value: str
    type: str = "search"
    options: Sequence[tuple[str, str]] = ()


def show_overview(portal: Portal) -> Response:
    """Show a few numbers, each with the way to what it counts."""
    visitor = require_admin(portal)
    one = PageRequest(per_page=1)
    counts: Mapping[str, Callable[[], int]] = {
        "people": lambda: portal.administration.list_people(visitor, one).total,
        "teams": lambda: portal.teams.list(visitor, one).total,
        "namespaces": lambda: portal.namespaces.list(visitor, one).total,
        "windows": lambda: portal.sync.count_open_windows(visitor),
        "letters": lambda: portal.sync.list_letters(visitor, one).total,
    }
    ask_freshness(portal, visitor)
    return render(portal, "admin.html", numbers={name: _count(ask) for name, ask in counts.items()})


def show_activities(portal: Portal) -> Response:
    """Show who did what."""
    visitor, filters = require_admin(portal), _filters(*_AUDIT_FILTERS)
    part = portal.administration.list_audit(visitor, load_after(), filters)
    return render(
        portal,
        "admin_list.html",
        table=present_audit(part.rows, portal.clock()),
        filters=[
            Filter("actor", gettext("Who"), filters["actor"]),
            Filter("action_prefix", gettext("What it begins with"), filters["action_prefix"]),
            Filter("target_name", gettext("To what"), filters["target_name"]),
            Filter("at_from", gettext("Since"), filters["at_from"], type="date"),
            Filter("at_until", gettext("Before"), filters["at_until"], type="date"),
        ],
        links=[
            (gettext("As CSV"), url_for("admin_activities_file", form="csv", **_given(filters))),
            (gettext("As JSON"), url_for("admin_activities_file", form="json", **_given(filters))),
        ],
        **onward("admin_activities", part.following, filters),
    )


def fetch_activities(portal: Portal, form: str) -> AnyResponse:
    """Hand out who did what as a file."""
    visitor = require_admin(portal)
    filters = _filters(*_AUDIT_FILTERS)
    file = portal.administration.fetch_audit_file(visitor, form, filters)
    response = Response(file.content, mimetype="text/csv" if form == "csv" else "application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="activities.{form}"'
    return response


def show_decisions(portal: Portal) -> Response:
    """Show how token requests were decided."""
    visitor, filters = (
        require_admin(portal),
        _filters("username", "repository_prefix", "verdict", "at_from", "at_until"),
    )
    part = portal.administration.list_decisions(visitor, load_after(), filters)
    return render(
        portal,
        "admin_list.html",
        table=present_decisions(part.rows, portal.clock()),
        filters=[
            Filter("username", gettext("Who"), filters["username"]),
            Filter("repository_prefix", gettext("Repositories that begin with"), filters["repository_prefix"]),
            Filter("verdict", gettext("Any verdict"), filters["verdict"], options=list(VERDICTS.items())),
            Filter("at_from", gettext("Since"), filters["at_from"], type="date"),
            Filter("at_until", gettext("Before"), filters["at_until"], type="date"),
        ],
        **onward("admin_decisions", part.following, filters),
    )


def show_settings(portal: Portal) -> Response:
    """Show the settings in force."""
    settings = portal.administration.list_settings(require_admin(portal))
    lead = gettext("What holds now, by which variable, and where it comes from. It is changed where auth is started.")
    return render(portal, "admin_list.html", table=present_settings(settings), lead=lead)


def require_admin(portal: Portal) -> Visitor:
    """Return who is looking, on a page for administrators and auditors.

    Raises:
        NotAllowed: they are neither. What they may see and do is for the services to say.
    """
    visitor = require_visitor(portal)
    if visitor.person and not (visitor.person.admin or visitor.person.auditor):
        raise NotAllowed("auth", str(_ONLY_FOR))
    return visitor


def onward(endpoint: str, following: str | None, filters: Mapping[str, str]) -> dict[str, Any]:
    """Return where the newest and the next older part of a list are."""
    kept = _given(filters)
    older = url_for(endpoint, **kept, after=following) if following else None
    return {"following": following, "newest": url_for(endpoint, **kept), "older": older}


_ONLY_FOR = lazy_gettext("The administration is for administrators and auditors.")


def _filters(*names: str) -> dict[str, str]:
    return {name: request.args.get(name, "").strip()[:MAX_FILTER_LENGTH] for name in names}


def _given(filters: Mapping[str, str]) -> dict[str, Any]:
    return {name: value for name, value in filters.items() if value}


def _count(ask: Callable[[], int]) -> int | None:
    """Return a number; ``None`` while it cannot be had, which takes nothing from the rest."""
    try:
        return ask()
    except (PeerAway, PeerBroken, NotAllowed):
        return None
