"""``/.well-known/jwks.json``: the public keys, for verifiers other than the registry.

Source: RFC 7517 §5.
"""

from flask import Blueprint, Response, jsonify

from services.auth.api.services import services
from services.auth.signing.leaves import key_set

MAX_AGE_S = 60
"""A new leaf is in here for a minute at least before it signs anything."""


def keys_blueprint() -> Blueprint:
    """Build the route of the key set."""
    blueprint = Blueprint("keys", __name__)
    blueprint.add_url_rule("/.well-known/jwks.json", view_func=show_keys)
    return blueprint


def show_keys() -> Response:
    """List every key that a token may be signed with: of the leaves that neither ended nor were revoked."""
    response = jsonify(key_set(services().keyring.leaves()))
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE_S}"
    return response
