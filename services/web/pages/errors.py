"""What a page says when something goes wrong: what happened, what to do, and the request id."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from flask import Flask, Response, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_wtf.csrf import CSRFError
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.errors import NotAllowed, NotFound, PeerAway, PeerBroken, RequestRefused, SignInNeeded
from services.web.pages.frames import render
from services.web.pages.portal import Portal
from services.web.pages.redirects import current_path, see_other
from services.web.pages.visitors import end_session, known_visitor
from shared.oci.names import InvalidName

log = structlog.get_logger(__name__)

RETRY_AFTER_S = 5

_TELL = lazy_gettext("Try again; if it stays, give the request id to whoever runs Portus.")


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error as a page tells it."""

    status: int
    title: str
    happened: str
    advice: str
    again: str | None = None
    """Where "try again" leads."""
    offer_sign_in: bool = False


AWAY = {
    "auth": (
        lazy_gettext("Signing in is away"),
        lazy_gettext(
            "The service that knows people and their rights (auth) does not answer. Until it is back nobody can sign "
            "in here, and docker login, push and pull get no new tokens."
        ),
    ),
    "notifier": (
        lazy_gettext("The intake of events is away"),
        lazy_gettext("The service that takes the registry's events (notifier) does not answer. What it holds is kept."),
    ),
    "catalog": (
        lazy_gettext("The catalogue is away"),
        lazy_gettext(
            "The service that knows what is in the registry (catalog) does not answer. Pushing and pulling go on as "
            "usual; what is pushed meanwhile shows up here as soon as it is back."
        ),
    ),
}

HTTP_TROUBLES = {
    400: (lazy_gettext("This request cannot be understood"), lazy_gettext("Go back and try again.")),
    403: (lazy_gettext("You may not do this"), lazy_gettext("Ask an owner of the namespace or an administrator.")),
    404: (
        lazy_gettext("There is nothing at this address"),
        lazy_gettext("Check the address, or look for it from the list of repositories."),
    ),
    405: (lazy_gettext("This address does not take that"), lazy_gettext("Go back and use the buttons of the page.")),
    413: (lazy_gettext("That is more than this page takes"), lazy_gettext("Send less.")),
}


def register_error_pages(app: Flask, portal: Portal) -> None:
    """Let every error end in a page."""

    def page(trouble: Trouble) -> Response:
        return render(portal, "error.html", status=trouble.status, trouble=trouble)

    app.register_error_handler(SignInNeeded, lambda _fault: _ask_to_sign_in(portal))
    app.register_error_handler(PeerAway, lambda fault: _with_retry_after(page(_away(portal, fault))))
    app.register_error_handler(PeerBroken, lambda fault: page(_broken(fault)))
    app.register_error_handler(NotAllowed, lambda fault: page(_http(403, fault.detail)))
    app.register_error_handler(NotFound, lambda _fault: page(_missing(portal)))
    app.register_error_handler(InvalidName, lambda _fault: page(_missing(portal)))
    app.register_error_handler(RequestRefused, lambda fault: page(_http(400, fault.detail)))
    app.register_error_handler(ValidationError, lambda fault: page(_invalid(fault)))
    app.register_error_handler(CSRFError, lambda _fault: page(_expired()))
    app.register_error_handler(HTTPException, lambda fault: _http_page(page, fault))
    app.register_error_handler(Exception, lambda fault: page(_unexpected(fault)))


def _ask_to_sign_in(portal: Portal) -> AnyResponse:
    # A credential that a peer refuses is of no use any more; keeping it would lead in a circle.
    end_session(portal)
    target = current_path() if request.method in ("GET", "HEAD") else None
    return see_other(url_for("sign_in", next=target))


def _away(portal: Portal, fault: PeerAway) -> Trouble:
    # `catalog` can show nothing while `auth` is away: what is named is the part that really is.
    away = next((part for part, probe in portal.probes.items() if probe()), fault.part)
    log.warning("peer.away", asked=fault.part, away=away)
    title, happened = AWAY[away]
    return Trouble(503, title, happened, gettext("Nothing is lost. Try again in a moment."), again=_again())


def _broken(fault: PeerBroken) -> Trouble:
    log.error("peer.broken", part=fault.part, detail=fault.detail, exc_info=fault)
    happened = gettext(
        "The service %(part)s failed, or answered in a way that this portal does not understand.", part=fault.part
    )
    return Trouble(502, gettext("An answer is missing"), happened, _TELL, again=_again())


def _missing(portal: Portal) -> Trouble:
    signed_in = known_visitor(portal).person is not None
    return Trouble(
        404,
        gettext("There is nothing here that you may see"),
        gettext("It does not exist, was deleted, or is not shared with you; Portus does not tell which."),
        gettext("Check the name. If somebody sent you the address, ask them for access.")
        if signed_in
        else gettext("If it is not public, sign in to see it."),
        offer_sign_in=not signed_in,
    )


def _invalid(fault: ValidationError) -> Trouble:
    messages = fault.messages_dict
    faults = "; ".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in sorted(messages.items()))
    return Trouble(
        400,
        gettext("The address has a value that does not fit"),
        faults,
        gettext("Correct it, or begin again from the list."),
    )


def _expired() -> Trouble:
    return Trouble(
        400,
        gettext("This form was open for too long"),
        gettext(
            "For your safety a form may be sent only for some hours after it was opened, and only from the browser "
            "that opened it. Nothing was changed."
        ),
        gettext("Open the page again and repeat what you did."),
        again=url_for("sign_in") if request.path == url_for("sign_in") else url_for("home"),
    )


def _http(status: int, detail: str = "") -> Trouble:
    title, advice = HTTP_TROUBLES.get(status, HTTP_TROUBLES[400])
    return Trouble(status, title, detail, advice)


def _http_page(page: Callable[[Trouble], Response], fault: HTTPException) -> Response:
    status = fault.code or 500
    response = page(_http(status, (fault.description or "") if status == 400 else ""))
    response.headers.extend((name, value) for name, value in fault.get_headers() if name.lower() == "allow")
    return response


def _unexpected(fault: Exception) -> Trouble:
    log.error("request.failed", path=request.path, method=request.method, exc_info=fault)
    return Trouble(500, gettext("Something went wrong here"), gettext("It is not your request's fault."), _TELL)


def _again() -> str | None:
    return current_path() if request.method in ("GET", "HEAD") else None


def _with_retry_after(response: Response) -> Response:
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response
