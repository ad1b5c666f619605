"""``/search``: whatever somebody types or pastes, for people and for everybody."""

from flask import Response, jsonify, redirect, request, url_for

from services.web.clients.catalog import Found, SearchHit
from services.web.pages.frames import ask_freshness, render
from services.web.pages.inputs import load_search
from services.web.pages.portal import Portal
from services.web.pages.visitors import find_visitor
from services.web.viewmodels.search import present_found, suggestions

SHORTEST_SUGGESTED = 2
"""Characters; fewer match everything."""


def show_search(portal: Portal) -> Response:
    """Show what was found, or go right to the one thing that a whole reference names."""
    q = load_search(request.args)
    visitor = find_visitor(portal)
    found = portal.catalog.search(visitor, q) if q else None
    if found and found.exact:
        target: Response = redirect(_address_of(found.exact))  # type: ignore[assignment]
        return target
    ask_freshness(portal, visitor)
    return render(portal, "search.html", q=q, sections=present_found(found) if found else (), is_empty=_is_empty(found))


def suggest(portal: Portal) -> Response:
    """Answer a script that asks while somebody types: names that the query may become, the nearest first."""
    q = load_search(request.args)
    found = portal.catalog.search(find_visitor(portal), q) if len(q) >= SHORTEST_SUGGESTED else None
    return jsonify(suggestions(found) if found else [])


def _address_of(hit: SearchHit) -> str:
    if hit.tag:
        return url_for("tag", name=hit.repository, tag=hit.tag)
    return url_for("digest", name=hit.repository, digest=hit.digest)


def _is_empty(found: Found | None) -> bool:
    return found is not None and not any((found.repositories, found.tags, found.digests, found.labels, found.people))
