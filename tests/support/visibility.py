"""An ``auth`` that answers four questions, for tests of the services that ask it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import json
from werkzeug import Request, Response

PEER_SECRET = "a-secret-among-peers"
EVERYTHING = {"everything": True, "global_namespace": True, "namespaces": []}
NOBODY = {"everything": False, "global_namespace": False, "namespaces": []}


def subject(username: str, *, administrator: bool = False, auditor: bool = False) -> dict[str, Any]:
    """Return a person as ``auth`` names them."""
    return {"username": username, "kind": "person", "administrator": administrator, "auditor": auditor}


@dataclass
class AuthAnswers:
    """What ``auth`` says, by ``Authorization`` header (``None``: anonymous), and what it was asked."""

    visibility: dict[str | None, dict[str, Any]] = field(default_factory=dict)
    override: Response | None = None
    permissions: dict[str | None, dict[str, str]] = field(default_factory=dict)
    """By ``Authorization`` header: action → the reason why it is refused. What is not named is granted."""
    no_permissions: Response | None = None
    """What it says instead."""
    namespaces: dict[str | None, dict[int, str]] = field(default_factory=dict)
    """By ``Authorization`` header: the names of the namespaces of which the caller may see something, by id."""
    teams: dict[int, int] = field(default_factory=dict)
    """Numbers of the teams to which namespaces belong, by the namespaces'; 1 where it is not named."""
    operations: dict[str | None, dict[int | None, dict[str, str]]] = field(default_factory=dict)
    """By ``Authorization`` header and namespace (``None``: the installation): operation → why it is refused.
    What is not named is granted to administrators in the installation, and to whoever knows the namespace."""
    asked: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> Callable[..., object]:
        return Request.application(self._answer)

    def _answer(self, request: Request) -> Response:
        self.asked.append({"path": request.path, "body": request.get_data(as_text=True), **dict(request.headers)})
        if self.override:
            return self.override
        if request.headers.get("X-Portus-Peer") != PEER_SECRET:
            return Response("no", 404)
        caller = request.headers.get("Authorization")
        found = self.visibility.get(caller)
        if found is None:
            return Response("no", 401, headers={"WWW-Authenticate": 'Basic realm="Portus"'})
        if request.path == "/internal/v1/permissions":
            return self.no_permissions or Response(
                json.dumps({"actions": self._permissions(caller, request.get_json()["actions"])})
            )
        if request.path == "/internal/v1/repositories":
            return self.no_permissions or Response(json.dumps(self._places(caller, request.get_json())))
        if request.path == "/internal/v1/operations":
            return Response(json.dumps(self._operations(caller, request.get_json())))
        named = self._namespace(caller, request.args.get("namespace_id", type=int))
        return Response(json.dumps({"subject": None, **named, **found}), content_type="application/json")

    def _namespace(self, caller: str | None, asked: int | None) -> dict[str, Any]:
        if asked is None:
            return {}
        name = self.namespaces.get(caller, {}).get(asked)
        return {"namespace": None if name is None else {"name": name}}

    def _operations(self, caller: str | None, question: dict[str, Any]) -> dict[str, Any]:
        asked, who = question["namespace_id"], self.visibility[caller].get("subject")
        name = None if asked is None else self.namespaces.get(caller, {}).get(asked)
        known = name is not None if asked is not None else bool(who and who["administrator"])
        refused = self.operations.get(caller, {}).get(asked, {})
        return {
            "subject": who,
            "namespace": None if name is None else {"name": name, "team_id": self.teams.get(asked or 0, 1)},
            "operations": {
                one: {"allowed": known and one not in refused, "reason": refused.get(one, "you may")}
                for one in question["operations"]
            },
        }

    def _places(self, caller: str | None, question: dict[str, Any]) -> dict[str, Any]:
        ids = {name: id for id, name in self.namespaces.get(caller, {}).items()}
        refused = self.permissions.get(caller, {})
        allowed = [action for action in question["actions"] if action not in refused]
        return {
            "repositories": {
                one: {"namespace_id": ids.get(one.rpartition("/")[0].partition("/")[0]), "allowed": allowed}
                for one in question["repositories"]
            }
        }

    def _permissions(self, caller: str | None, actions: list[str]) -> dict[str, dict[str, Any]]:
        refused = self.permissions.get(caller, {})
        return {one: {"allowed": one not in refused, "reason": refused.get(one, "you may")} for one in actions}
