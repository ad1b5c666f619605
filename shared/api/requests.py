"""What happens around every request: an id, a log line, a metric, defensive headers."""

import re
import time
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import BadRequest

from shared.observability.metrics import DURATION, REQUESTS

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})

log = structlog.get_logger(__name__)


def register_request_hooks(app: Flask) -> None:
    """Give each request an id (taken over from a peer when well formed), a log line and metrics."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
    g.started_at_s = time.perf_counter()
    try:
        # Werkzeug decodes it when somebody looks into it, and fails then.
        request.query_string.decode()
    except UnicodeDecodeError as fault:
        raise BadRequest("The query is not UTF-8: percent-encode it (RFC 3986).") from fault


def _end(response: Response) -> Response:
    duration_s = time.perf_counter() - g.get("started_at_s", time.perf_counter())
    # The rule, never the path: a path would make one time series per repository.
    route = request.url_rule.rule if request.url_rule else "unmatched"
    # Nor a word of the client's: any would make one more.
    method = request.method if request.method in _METHODS else "other"
    REQUESTS.labels(method, route, response.status_code).inc()
    DURATION.labels(route).observe(duration_s)
    if request.path not in _QUIET:
        log.info(
            "request.answered",
            method=request.method,
            path=request.path,
            status=response.status_code,
            duration_ms=round(duration_s * 1000, 1),
            request_id=g.get("request_id"),
        )
    response.headers.setdefault("X-Request-Id", g.get("request_id", ""))
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response
