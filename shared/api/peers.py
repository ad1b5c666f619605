"""Peers talk on ``/internal/v1`` and prove themselves with a shared secret.

The routes are never exposed by the front, and answer 404 without the secret, so that a front which
forwards too much gives nothing away.
"""

from flask import Blueprint, Request, abort, request

from shared.config import Secret

PEER_HEADER = "X-Portus-Peer"
"""Carries ``PORTUS_INTERNAL_SECRET``."""


def require_peer(blueprint: Blueprint, secret: Secret) -> None:
    """Guard every route of a blueprint with the peers' secret."""

    @blueprint.before_request
    def check() -> None:
        if not is_peer(request, secret):
            abort(404)


def is_peer(call: Request, secret: Secret) -> bool:
    """Tell whether a request comes from a peer."""
    return secret.matches(call.headers.get(PEER_HEADER, ""))


def client_address(call: Request, secret: Secret) -> str:
    """Return the address of the person behind a request.

    A peer that passes on somebody's password says for whom in ``X-Forwarded-For``, or every wrong
    password typed at the portal would count against the portal itself. Of anybody else it is the
    address that the connection, or a trusted proxy, names.
    """
    if is_peer(call, secret):
        # Proxies between two peers add addresses at the end.
        stated = call.headers.get("X-Forwarded-For", "").partition(",")[0].strip()
        if stated:
            return stated
    return call.remote_addr or ""
