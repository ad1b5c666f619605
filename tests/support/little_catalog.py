"""A catalog as ``auth`` sees it: what lies in namespaces, and what cannot be deleted. It takes notes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, abort, jsonify, request

from shared.api.peers import PEER_HEADER
from tests.support.auth import INTERNAL_SECRET


@dataclass
class LittleCatalog:
    """Answers ``/internal/v1`` as the real one does (docs/architecture.md)."""

    repositories: dict[str, list[str]] = field(default_factory=dict)
    """Tags by full name."""
    stubborn: Mapping[str, str] = field(default_factory=dict)
    """Repositories that the registry does not let go, and why."""
    at_a_time: int = 1000
    """How many repositories one call empties."""
    emptied: list[tuple[str, str]] = field(default_factory=list)
    """(namespace, actor) of each call."""
    url: str = ""
    away: bool = False
    """Whether it answers 503, to everything."""
    calls: int = 0
    asked: list[list[str]] = field(default_factory=list)
    """Names of each question for usage."""

    def app(self) -> Flask:
        """Return the application."""
        app = Flask("little-catalog")
        app.before_request(self._check)
        app.add_url_rule("/internal/v1/usage", view_func=self._usage)
        path = "/internal/v1/namespaces/<namespace>/repositories"
        app.add_url_rule(path, view_func=self._empty, methods=["DELETE"])
        return app

    def names_in(self, namespace: str) -> list[str]:
        """Return what lies in a namespace; the global one has no name."""
        return [name for name in sorted(self.repositories) if name.rpartition("/")[0].partition("/")[0] == namespace]

    def _check(self) -> None:
        self.calls += 1
        if self.away:
            abort(503)
        if request.headers.get(PEER_HEADER) != INTERNAL_SECRET:
            abort(404)

    def _usage(self) -> Response:
        names = request.args["namespaces"].split(",")
        self.asked.append(names)
        return jsonify(namespaces={name: self._usage_of(name) for name in names})

    def _usage_of(self, namespace: str) -> dict[str, int]:
        names = self.names_in(namespace)
        tags = sum(len(self.repositories[name]) for name in names)
        return {"repositories": len(names), "tags": tags, "size_bytes": 1000 * tags}

    def _empty(self, namespace: str) -> Response:
        self.emptied.append((namespace, request.args["actor"]))
        names = self.names_in(namespace)
        gone = [name for name in names if name not in self.stubborn][: self.at_a_time]
        for name in gone:
            del self.repositories[name]
        failed = [
            {"repository": name, "tag": self.repositories[name][0], "reason": reason}
            for name, reason in self.stubborn.items()
            if name in names
        ]
        remaining = len(names) - len(gone) - len(failed)
        answer: dict[str, Any] = {"deleted": gone, "failed": failed, "remaining": remaining}
        return jsonify(answer)
