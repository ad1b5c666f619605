"""The addresses of the portal, in one table."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import Any

from flask import Flask

from services.web.pages import (
    artifact,
    explain,
    history,
    home,
    look,
    repositories,
    repository,
    search,
    setup,
    signing_in,
)
from services.web.pages.portal import Portal

View = Callable[..., Any]
"""Takes the portal first, then what the address holds."""


@dataclass(frozen=True, slots=True)
class Route:
    """One address and verb; ``name`` is what ``url_for`` knows it by."""

    method: str
    path: str
    name: str
    view: View


GENERAL = (
    Route("GET", "/", "home", home.show_home),
    Route("GET", "/sign-in", "sign_in", signing_in.show_sign_in),
    Route("POST", "/sign-in", "send_sign_in", signing_in.sign_in),
    Route("POST", "/sign-out", "sign_out", signing_in.sign_out),
    Route("GET", "/setup", "setup", setup.show_setup),
    Route("POST", "/setup", "send_setup", setup.set_up),
    Route("POST", "/look", "look", look.choose_look),
    Route("GET", "/explain", "explain", explain.show_explain),
    Route("GET", "/explain/<decision_id>", "decision", explain.show_decision),
    Route("GET", "/explore", "explore", repositories.show_explore),
    Route("GET", "/search", "search", search.show_search),
    Route("GET", "/repositories", "repositories", repositories.show_repositories),
)

REPOSITORY = (
    # Names nest, so that the parts of a repository live behind "/-/", which no name can hold.
    Route("GET", "/r/<path:name>/-/tags/<tag>", "tag", artifact.show_tag),
    Route("GET", "/r/<path:name>/-/digests/<digest>", "digest", artifact.show_digest),
    Route("GET", "/r/<path:name>/-/history/<tag>", "history", history.show_history),
    Route("GET", "/r/<path:name>/-/history/<tag>/restore/<digest>", "restore", history.show_restore),
    Route("POST", "/r/<path:name>/-/history/<tag>/restore/<digest>", "send_restore", history.restore),
    Route("GET", "/r/<path:name>", "repository", repository.show_repository),
)

ME: tuple[Route, ...] = ()

NAMESPACES: tuple[Route, ...] = ()

TEAMS: tuple[Route, ...] = ()

ADMINISTRATION: tuple[Route, ...] = ()

SYNC: tuple[Route, ...] = ()

ROUTES = (*GENERAL, *REPOSITORY, *ME, *NAMESPACES, *TEAMS, *ADMINISTRATION, *SYNC)


def register_pages(app: Flask, portal: Portal) -> None:
    """Give every view the portal and its address."""
    for route in ROUTES:
        # update_wrapper keeps the name and module, by which Flask-WTF looks views up.
        view = update_wrapper(partial(route.view, portal), route.view)
        app.add_url_rule(route.path, route.name, view, methods=[route.method])
