"""``/r/<name>/-/compare/<a>...<b>``: how two artifacts differ."""

from flask import Response, flash, request, url_for
from flask_babel import gettext
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from services.web.pages.frames import ask_freshness
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.pages.repository import find_repository, show_part
from services.web.viewmodels.comparing import present_comparison
from shared.oci.names import InvalidName, parse_digest, parse_tag

BETWEEN = "..."
"""Stands between the two; no tag and no digest holds it at its edge and another behind it."""
MAX_SHOWN = 100
"""Characters that are shown of what is no reference."""


def choose(portal: Portal, name: str) -> AnyResponse:
    """Lead from the form to the address of a comparison."""
    find_repository(portal, name)
    before, after = (request.args.get(part, "").strip() for part in ("before", "after"))
    no_reference = next((one for one in (before, after) if not _is_reference(one)), None)
    if no_reference is not None:
        flash(gettext("“%(text)s” is neither a tag nor a digest.", text=no_reference[:MAX_SHOWN]))
        return see_other(url_for("repository", name=name))
    return see_other(url_for("compare", name=name, pair=f"{before}{BETWEEN}{after}"))


def show_comparison(portal: Portal, name: str, pair: str) -> Response:
    """Show how two artifacts differ, each named by a tag or a digest."""
    before, between, after = pair.partition(BETWEEN)
    if not between or not _is_reference(before) or not _is_reference(after):
        raise NotFound
    visitor, repository = find_repository(portal, name)
    comparison = portal.content.compare(visitor, repository.id, before, after)
    ask_freshness(portal, visitor)
    return show_part(
        portal,
        "compare.html",
        visitor,
        repository,
        before=before,
        after=after,
        comparison=present_comparison(comparison),
    )


def _is_reference(text: str) -> bool:
    for parse in (parse_digest, parse_tag):
        try:
            parse(text)
        except InvalidName:
            continue
        return True
    return False
