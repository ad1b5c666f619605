"""flask-smorest, set up so that its errors are problems too.

Source: OpenAPI 3.1; RFC 9457.
"""

from typing import Any

from flask import Flask
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from shared.api.problems import http_problem


class ProblemApi(Api):  # type: ignore[misc]
    """A flask-smorest API whose errors leave as ``application/problem+json``."""

    def handle_http_exception(self, error: HTTPException) -> Any:
        return http_problem(error)


def new_openapi(app: Flask, *, title: str, version: str) -> ProblemApi:
    """Attach an OpenAPI 3.1 document (``/api/openapi.json``) to a service."""
    app.config.update(
        API_TITLE=title,
        API_VERSION=version,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
    )
    return ProblemApi(app)
