"""Which pages of other hosts may call the API from a browser, as in Portus.

Any page may, without credentials of the browser's own (it may send an ``Authorization`` header); the
portal may with them. Asking beforehand (``OPTIONS``) needs no credentials.

Source: Fetch standard, "CORS protocol".
"""

from environs import Env
from flask import Flask, Response, request

from shared.api.creation import KEY_HEADER, REPLAYED_HEADER
from shared.config import http_url

MAX_AGE_S = 600
"""How long a browser may remember the answer to OPTIONS."""

_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_ACCEPTED = ", ".join(("Authorization", "Content-Type", "If-Match", "If-None-Match", KEY_HEADER, "Portus-Auth"))
_EXPOSED = ", ".join(
    (
        *("Link", "X-Page", "X-Next-Page", "X-Prev-Page", "X-Per-Page", "X-Total", "X-Total-Pages"),
        *("ETag", "Location", "Retry-After", REPLAYED_HEADER, "X-Request-Id", "WWW-Authenticate"),
    )
)


def load_portal_url(env: Env) -> str:
    """Read ``PORTUS_WEB_URL``: the portal as people type it."""
    return http_url(env, "PORTUS_WEB_URL", "http://localhost:8080")


def register_cors(app: Flask, portal_url: str) -> None:
    """Let pages of other hosts call everything under ``/api``.

    Args:
        portal_url: address of the portal as people type it.
    """
    portal = _origin(portal_url)

    @app.before_request
    def answer_options() -> Response | None:
        # Before any blueprint asks for credentials; an unknown path stays 404.
        if request.method != "OPTIONS" or not _is_api() or request.routing_exception:
            return None
        return app.make_default_options_response()

    @app.after_request
    def allow(response: Response) -> Response:
        origin = request.headers.get("Origin")
        if _is_api():
            # Also for a caller without an origin: a cache may give the answer to one that has.
            response.vary.add("Origin")
        if origin is not None and _is_api():
            _describe(response, origin, portal)
        return response


def _describe(response: Response, origin: str, portal: str) -> None:
    own = origin == portal
    response.headers["Access-Control-Allow-Origin"] = origin if own else "*"
    if own:
        response.headers["Access-Control-Allow-Credentials"] = "true"
    response.headers["Access-Control-Expose-Headers"] = _EXPOSED
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = _METHODS
        response.headers["Access-Control-Allow-Headers"] = _ACCEPTED
        response.headers["Access-Control-Max-Age"] = str(MAX_AGE_S)


def _is_api() -> bool:
    return request.path == "/api" or request.path.startswith("/api/")


def _origin(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}".lower()
