"""The OpenAPI document: the management API, generated, and the token endpoint, written by hand."""

from typing import Any

from flask import Flask

from services.auth.api import (
    about,
    application_tokens,
    audit,
    checkup,
    decisions,
    freezes,
    grants,
    logins,
    namespaces,
    own_account,
    registries,
    rights,
    robots,
    roles,
    sessions,
    setup,
    teams,
    user_sessions,
    users,
)
from shared.api.openapi import new_openapi

_TEXT = {"type": "string"}
_LIFETIME = {"expires_in": {"type": "integer"}, "issued_at": {"type": "string", "format": "date-time"}}
_REGISTRY_ERRORS = {
    "type": "object",
    "properties": {
        "errors": {"type": "array", "items": {"type": "object", "properties": {"code": _TEXT, "message": _TEXT}}}
    },
}
_OAUTH_ERROR = {"type": "object", "properties": {"error": _TEXT, "error_description": _TEXT}}
# In the order of the document.
_MODULES = (
    checkup,
    about,
    setup,
    sessions,
    own_account,
    users,
    user_sessions,
    application_tokens,
    teams,
    namespaces,
    freezes,
    grants,
    roles,
    robots,
    registries,
    rights,
    decisions,
    logins,
    audit,
)


def register_management_api(app: Flask) -> None:
    """Mount ``/api/v1`` and its document; the token endpoint must have been mounted before."""
    api = new_openapi(app, title="Portus auth", version="1")
    api.spec.components.security_scheme("password", {"type": "http", "scheme": "basic"})
    api.spec.components.security_scheme("accessToken", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    api.spec.options["security"] = [{"accessToken": []}, {"password": []}]
    for module in _MODULES:
        api.register_blueprint(module.blueprint)
    token_rule = next(app.url_map.iter_rules("token.get_token"))
    api.spec.path(rule=token_rule, operations={"get": _get_token(), "post": _post_token()})


def _get_token() -> dict[str, Any]:
    parameters = [
        _parameter("service", "The registry's auth.token.service."),
        _parameter("scope", "Repeatable; type:name:action[,action…], several separated by spaces."),
        _parameter("account", "Informative."),
        _parameter("client_id", "Informative."),
        _parameter("offline_token", "true: a refresh token as well, for a login that lasts."),
    ]
    body = {"token": _TEXT, "access_token": _TEXT, **_LIFETIME, "refresh_token": _TEXT}
    return {
        "tags": ["token"],
        "summary": "Get a token for the registry",
        "security": [{}, {"password": []}],
        "parameters": parameters,
        "responses": {
            "200": _json("A token for what was granted, which may be less than was asked.", _object(body)),
            **{status: _json(text, _REGISTRY_ERRORS) for status, text in _get_refusals().items()},
        },
    }


def _get_refusals() -> dict[str, str]:
    return {
        "401": "Wrong name or password, a scope that cannot be understood, or a refusal with its reason.",
        "403": "A refusal with its reason, for clients that read no more than the status line.",
        "429": "Too many wrong passwords came before; see Retry-After.",
        "503": "The database does not answer; see Retry-After.",
    }


def _post_token() -> dict[str, Any]:
    credentials = ("grant_type", "username", "password", "refresh_token")
    names = (*credentials, "service", "scope", "client_id", "access_type")
    form = _object(dict.fromkeys(names, _TEXT)) | {"required": ["grant_type"]}
    body = {"access_token": _TEXT, "token_type": _TEXT, "scope": _TEXT, **_LIFETIME, "refresh_token": _TEXT}
    refusals = {
        "400": "See RFC 6749, section 5.2; a refusal with its reason is invalid_scope with the registry's errors.",
        "413": "The form is too long.",
    }
    busy = {**_get_refusals(), "401": "A refusal with its reason, for clients that read the body of no other status."}
    return {
        "tags": ["token"],
        "summary": "Get a token for the registry with a password or a refresh token",
        "security": [],
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
        "responses": {
            "200": _json("A token for what was granted, which scope tells.", _object(body)),
            **{status: _json(text, _OAUTH_ERROR) for status, text in {**refusals, **busy}.items()},
        },
    }


def _parameter(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": _TEXT}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
