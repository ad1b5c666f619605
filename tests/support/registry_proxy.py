"""A proxy in front of a registry that takes notes and may spoil answers."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field

import requests
from werkzeug import Request, Response

from tests.support.registry import Registry

_PASSED_ON = ("Accept", "Authorization", "Content-Type", "User-Agent")
_OF_THE_CONNECTION = ("Content-Length", "Connection", "Transfer-Encoding")

Spoil = Callable[[Request, Response], Response | None]
"""Gets a request and its good answer; returns another answer, or ``None`` to let the good one pass."""


@dataclass
class RegistryProxy:
    """Passes on every request.

    Args:
        target: the registry's address.
        refuse: called before a request is passed on; an answer keeps it from the registry.
        spoil: called before each answer is sent.
    """

    target: str
    refuse: Callable[[Request], Response | None] = lambda request: None
    spoil: Spoil = lambda request, answer: None
    seen: list[tuple[str, str]] = field(default_factory=list)
    """Verb and path of each request."""

    def app(self) -> Callable[..., object]:
        """Return the proxy as a WSGI application."""
        return Request.application(self._pass_on)

    def _pass_on(self, request: Request) -> Response:
        self.seen.append((request.method, request.path))
        if refusal := self.refuse(request):
            return refusal
        headers = {name: value for name, value in request.headers.items() if name in _PASSED_ON}
        found = requests.request(
            request.method,
            self.target + request.full_path,
            headers=headers,
            data=request.get_data() or None,
            allow_redirects=False,
            timeout=20,
        )
        kept = {name: value for name, value in found.headers.items() if name not in _OF_THE_CONNECTION}
        answer = Response(found.content, found.status_code, headers=kept)
        return self.spoil(request, answer) or answer


def deletes_tags(registry: Registry) -> Spoil:
    """Return what makes a registry of 2.8 delete a tag alone, as those from 3.0 do."""

    def spoil(request: Request, _answer: Response) -> Response | None:
        found = re.fullmatch(r"/v2/(.+)/manifests/([^:]+)", request.path)
        if request.method != "DELETE" or not found:
            return None
        folder = registry.folder / "data/docker/registry/v2/repositories" / found[1] / "_manifests/tags" / found[2]
        if not folder.exists():
            return Response('{"errors": [{"code": "MANIFEST_UNKNOWN"}]}', 404)
        shutil.rmtree(folder)
        return Response("", 202)

    return spoil


def refuses(status: int, method: str, word: str, *, times: int = 10**6) -> Callable[[Request], Response | None]:
    """Return what refuses requests of a verb whose path holds a word, so many times."""
    left = iter(range(times))

    def refuse(request: Request) -> Response | None:
        hit = request.method == method and word in request.path and next(left, None) is not None
        return Response("no", status) if hit else None

    return refuse
