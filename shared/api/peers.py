"""Peers talk on ``/internal/v1`` and prove themselves with a shared secret.

The routes are never exposed by the front, and answer 404 without the secret, so that a front which
forwards too much gives nothing away.
"""

from flask import Blueprint, abort, request

from shared.config import Secret

PEER_HEADER = "X-Portus-Peer"
"""Carries ``PORTUS_INTERNAL_SECRET``."""


def require_peer(blueprint: Blueprint, secret: Secret) -> None:
    """Guard every route of a blueprint with the peers' secret."""

    @blueprint.before_request
    def check() -> None:
        if not secret.matches(request.headers.get(PEER_HEADER, "")):
            abort(404)
