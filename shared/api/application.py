"""The skeleton of a service's Flask application."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from flask import Flask

from shared.api.databases import register_database_away
from shared.api.etags import PreconditionFailed
from shared.api.health import ReadinessCheck, health_blueprint
from shared.api.paging import TooManyRows
from shared.api.problems import register_problems
from shared.api.requests import register_request_hooks
from shared.idempotency import KeyBusy, KeyTaken

ERRORS: Mapping[type[Exception], HTTPStatus] = {
    TooManyRows: HTTPStatus.BAD_REQUEST,
    PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    KeyBusy: HTTPStatus.CONFLICT,
    KeyTaken: HTTPStatus.UNPROCESSABLE_ENTITY,
}

MAX_BODY_BYTES = 1024 * 1024
"""Largest request body of any API; the notifier sets its own."""


def new_api_app(
    name: str,
    *,
    checks: Mapping[str, ReadinessCheck],
    errors: Mapping[type[Exception], HTTPStatus],
    warnings: Mapping[str, ReadinessCheck] = MappingProxyType({}),
) -> Flask:
    """Return an application with request hooks, problem details and health routes.

    Args:
        name: import name of the service's package.
        checks: readiness checks by name.
        warnings: readiness checks whose answer leaves the service ready.
        errors: the service's one error table; what ``shared`` raises is known already.
    """
    app = Flask(name)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    register_request_hooks(app)
    register_problems(app, {**ERRORS, **errors})
    register_database_away(app)
    app.register_blueprint(health_blueprint(checks, warnings))
    return app
