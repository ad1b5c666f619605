"""``/repositories`` and ``/explore``: the same list, for people and for everybody."""

from flask import Response, request

from services.web.clients.auth import Person
from services.web.clients.catalog import RepositoryFilter
from services.web.clients.sessions import ANONYMOUS, Visitor
from services.web.pages.frames import ask_freshness, chosen_runtime, render
from services.web.pages.inputs import load_list_query
from services.web.pages.portal import Portal
from services.web.pages.visitors import find_visitor, require_visitor
from services.web.viewmodels.commands import push_commands
from services.web.viewmodels.paging import present_paging
from services.web.viewmodels.repositories import SORT_NAMES, SORTS, present_repositories


def show_repositories(portal: Portal) -> Response:
    """List all that the person may see."""
    visitor = require_visitor(portal)
    return _show(portal, visitor, "repositories.html")


def show_ghosts(portal: Portal) -> Response:
    """List the repositories in which there is nothing."""
    visitor, query = require_visitor(portal), load_list_query()
    page = portal.catalog.list_repositories(visitor, RepositoryFilter(ghost=True), query.page)
    ask_freshness(portal, visitor)
    return render(
        portal,
        "ghosts.html",
        repositories=present_repositories(page.rows, portal.clock()),
        pager=present_paging(page),
    )


def show_explore(portal: Portal) -> Response:
    """List what everybody may see, whoever asks."""
    find_visitor(portal)
    return _show(portal, ANONYMOUS, "explore.html")


def _show(portal: Portal, visitor: Visitor, template: str) -> Response:
    query, sort = load_list_query(), request.args.get("sort", "")
    chosen = RepositoryFilter(q=query.q or None, namespace=query.namespace or None, sort=SORTS.get(sort))
    page = portal.catalog.list_repositories(visitor, chosen, query.page)
    ask_freshness(portal, visitor)
    return render(
        portal,
        template,
        query=query,
        sort=sort,
        sorts=SORT_NAMES.items(),
        repositories=present_repositories(page.rows, portal.clock()),
        pager=present_paging(page),
        push=_first_push(portal, visitor.person) if visitor.person else (),
    )


def _first_push(portal: Portal, person: Person) -> tuple[str, ...]:
    repository = f"{person.namespace or person.username}/my-app"
    return push_commands(
        portal.registry_host, username=person.username, repository=repository, runtime=chosen_runtime(portal)
    )
