"""What the caller of the present request may see."""

from collections.abc import Callable
from typing import Protocol

from flask import request

from services.catalog.domain.visibility import Visibility
from shared.api.peers import client_address
from shared.config import Secret

FindCallersVisibility = Callable[[], Visibility]
"""Answers for the request that is being served."""


class AsksAuth(Protocol):
    """``clients.auth.AuthClient``."""

    def find_visibility(self, authorization: str | None, *, address: str) -> Visibility:
        """Return what the bearer of an ``Authorization`` header may see."""


def callers_visibility(auth: AsksAuth, *, peer_secret: Secret) -> FindCallersVisibility:
    """Return the question that every view asks first.

    Args:
        peer_secret: lets a peer say whose request it passes on.
    """

    def find() -> Visibility:
        header = request.headers.get("Authorization")
        return auth.find_visibility(header, address=client_address(request, peer_secret))

    return find
