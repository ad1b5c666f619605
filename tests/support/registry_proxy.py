"""A proxy in front of a registry that takes notes and may spoil answers."""

from collections.abc import Callable
from dataclasses import dataclass, field

import requests
from werkzeug import Request, Response

Spoil = Callable[[Request, Response], Response | None]
"""Gets a request and its good answer; returns another answer, or ``None`` to let the good one pass."""


@dataclass
class RegistryProxy:
    """Passes on every request.

    Args:
        target: the registry's address.
        spoil: called before each answer is sent.
    """

    target: str
    spoil: Spoil = lambda request, answer: None
    seen: list[tuple[str, str]] = field(default_factory=list)
    """Verb and path of each request."""

    def app(self) -> Callable[..., object]:
        """Return the proxy as a WSGI application."""
        return Request.application(self._pass_on)

    def _pass_on(self, request: Request) -> Response:
        self.seen.append((request.method, request.path))
        headers = {name: value for name, value in request.headers.items() if name in ("Accept", "Authorization")}
        found = requests.request(
            request.method, self.target + request.full_path, headers=headers, allow_redirects=False, timeout=20
        )
        kept = {name: value for name, value in found.headers.items() if name not in ("Content-Length", "Connection")}
        answer = Response(found.content, found.status_code, headers=kept)
        return self.spoil(request, answer) or answer
