"""``/look``: how this browser likes its pages; kept in cookies, for people who are not signed in too."""

from flask import abort, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from services.web.pages.cookies import LANGUAGE, RUNTIME, THEME, YEAR_S
from services.web.pages.frames import THEMES
from services.web.pages.languages import LANGUAGES
from services.web.pages.portal import Portal
from services.web.pages.redirects import local_path, see_other
from services.web.viewmodels.commands import RUNTIMES

CHOICES = {"theme": (THEME, THEMES), "runtime": (RUNTIME, RUNTIMES), "language": (LANGUAGE, tuple(LANGUAGES))}


def choose_look(portal: Portal) -> Response:
    """Remember a theme, a language or a runtime and go back to the page it was chosen on."""
    response = see_other(local_path(request.form.get("next")) or url_for("home"))
    for field, (cookie, allowed) in CHOICES.items():
        value = request.form.get(field)
        if value is not None:
            if value not in allowed:
                abort(400, gettext("There is no such choice; choose one of: %(allowed)s.", allowed=", ".join(allowed)))
            portal.cookies.keep(response, cookie, value, max_age_s=YEAR_S)
    return response
