"""What stands around every page: bar, rail, theme, notices; and the rendering of templates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response, g, make_response, render_template, request, url_for

from services.web.clients.auth import Person
from services.web.clients.catalog import Freshness
from services.web.clients.sessions import Visitor
from services.web.pages.cookies import RUNTIME, THEME
from services.web.pages.languages import LANGUAGES, chosen_language
from services.web.pages.portal import Portal
from services.web.pages.redirects import current_path
from services.web.pages.visitors import known_visitor
from services.web.viewmodels.commands import RUNTIMES, known_runtime
from services.web.viewmodels.freshness import FreshnessBadge, present_freshness

NARROWING = ("q", "namespace", "platform", "sort", "registry")
"""Parameters of a list that stay when another page of it is shown."""
THEMES = ("system", "light", "dark")


@dataclass(frozen=True, slots=True)
class Frame:
    """What the layout shows besides the page itself."""

    person: Person | None
    theme: str
    runtime: str
    freshness: FreshnessBadge | None
    here: str
    """Where a form of the frame comes back to."""
    language: str
    """Code of the language that the page speaks."""
    runtimes: tuple[str, ...] = RUNTIMES
    languages: Mapping[str, str] = field(default_factory=lambda: LANGUAGES)


def render(portal: Portal, template: str, *, status: int = 200, **context: object) -> Response:
    """Render a page into its frame."""
    frame = Frame(
        person=known_visitor(portal).person,
        theme=chosen_theme(portal),
        runtime=chosen_runtime(portal),
        freshness=g.get("freshness"),
        language=chosen_language(portal.cookies),
        here=current_path() if request.method in ("GET", "HEAD") else url_for("home"),
    )
    page = render_template(template, frame=frame, registry_host=portal.registry_host, address=address, **context)
    return make_response(page, status)


def address(page: int) -> str:
    """Return this list's address with another page number."""
    # Only what we know goes in: url_for would obey "_external" or "_scheme" out of a query.
    narrowed: dict[str, Any] = {name: request.args[name] for name in NARROWING if request.args.get(name)}
    return url_for(request.endpoint or "home", **(request.view_args or {}), **narrowed, page=page)


def ask_freshness(portal: Portal, visitor: Visitor) -> Freshness:
    """Ask for the index's state, for the badge in the bar of this request's page."""
    freshness = portal.catalog.get_freshness(visitor)
    g.freshness = present_freshness(freshness, portal.clock())
    return freshness


def chosen_theme(portal: Portal) -> str:
    """Return the theme that this browser's cookie asks for."""
    value = portal.cookies.find(THEME)
    return value if value in THEMES else THEMES[0]


def chosen_runtime(portal: Portal) -> str:
    """Return the runtime whose commands this browser's cookie asks for."""
    return known_runtime(portal.cookies.find(RUNTIME))
