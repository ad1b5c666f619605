"""``/``: the way in."""

from flask import url_for
from werkzeug.wrappers import Response

from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.pages.visitors import find_visitor


def show_home(portal: Portal) -> Response:
    """Lead to the repositories; somebody who is not signed in is asked to."""
    return see_other(url_for("repositories" if find_visitor(portal).person else "sign_in"))
