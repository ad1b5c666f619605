"""``auth`` with one route more, for the benchmark only: what a token costs without asking anything.

Run as ``python -m tests.support.token_server`` with the environment of ``auth``.
"""

from flask import Flask, Response, jsonify, request

from services.auth.api.identity import basic_credentials
from services.auth.api.services import services
from services.auth.app import create_app
from services.auth.settings import load_settings
from shared.api.serving import serve
from shared.observability.logs import configure_logging
from shared.oci.scopes import parse_scopes

FLOOR = "/floor/token"


def floor() -> Response:
    """Parse the same request and sign the same token; check no password and read no database."""
    credentials = basic_credentials(request.headers.get("Authorization"))
    scopes = parse_scopes(request.args.getlist("scope"))
    signed = services().signer.sign(credentials.username if credentials else "", scopes)
    token = signed.token.reveal()
    issued_at = signed.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    response = jsonify(token=token, access_token=token, expires_in=signed.expires_in_s, issued_at=issued_at)
    response.headers["Cache-Control"] = "no-store"
    return response


def build_app() -> Flask:
    settings = load_settings()
    configure_logging("auth", level=settings.log_level)
    app = create_app(settings)
    app.add_url_rule(FLOOR, view_func=floor)
    return app


if __name__ == "__main__":
    serve(build_app, load_settings().serving)
