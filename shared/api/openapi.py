"""flask-smorest, set up so that its errors are problems too.

Source: OpenAPI 3.1; RFC 9457.
"""

from typing import Any

from flask import Flask
from flask_smorest import Api
from marshmallow import Schema, fields
from werkzeug.exceptions import HTTPException

from shared.api.problems import CONTENT_TYPE, http_problem


class ProblemSchema(Schema):
    """A problem, as documents describe it; ``shared.api.problems`` makes it."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "What happened and what to do."})
    message = fields.Raw(required=True, metadata={"description": "The detail or the errors, for old clients."})
    request_id = fields.String(required=True, allow_none=True)
    errors = fields.Dict(keys=fields.String(), metadata={"description": "Faults by field."})


class ProblemApi(Api):  # type: ignore[misc]
    """A flask-smorest API whose errors leave as ``application/problem+json``."""

    ERROR_SCHEMA = ProblemSchema

    def _register_responses(self) -> None:
        # flask-smorest documents every ready-made response as application/json; ours are problems.
        self.DEFAULT_RESPONSE_CONTENT_TYPE = CONTENT_TYPE
        super()._register_responses()
        del self.DEFAULT_RESPONSE_CONTENT_TYPE

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
