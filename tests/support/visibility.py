"""An ``auth`` that answers one question, for tests of the services that ask it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import json
from werkzeug import Request, Response

PEER_SECRET = "a-secret-among-peers"
EVERYTHING = {"everything": True, "global_namespace": True, "namespaces": []}
NOBODY = {"everything": False, "global_namespace": False, "namespaces": []}


def subject(username: str, *, administrator: bool = False) -> dict[str, Any]:
    """Return a person as ``auth`` names them."""
    return {"username": username, "kind": "person", "administrator": administrator}


@dataclass
class AuthAnswers:
    """What ``auth`` says, by ``Authorization`` header (``None``: anonymous), and what it was asked."""

    visibility: dict[str | None, dict[str, Any]] = field(default_factory=dict)
    override: Response | None = None
    asked: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> Callable[..., object]:
        return Request.application(self._answer)

    def _answer(self, request: Request) -> Response:
        self.asked.append({"path": request.path, **dict(request.headers)})
        if self.override:
            return self.override
        if request.headers.get("X-Portus-Peer") != PEER_SECRET:
            return Response("no", 404)
        found = self.visibility.get(request.headers.get("Authorization"))
        if found is None:
            return Response("no", 401, headers={"WWW-Authenticate": 'Basic realm="Portus"'})
        return Response(json.dumps({"subject": None, **found}), content_type="application/json")
