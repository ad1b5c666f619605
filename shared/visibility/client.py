"""``auth``, asked what a caller may see and do.

CallerRefused          the caller's credentials are wrong
CallerSlowedDown       too many wrong passwords from there
VisibilityUnavailable  auth does not answer, or not what it should
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

import requests
import structlog

from shared.api.peers import PEER_HEADER
from shared.config import Secret
from shared.oci.names import RepositoryName
from shared.upstream import UpstreamError, UpstreamSession
from shared.visibility.answers import (
    Permission,
    RepositoryPlace,
    Rights,
    Visibility,
    load_permissions,
    load_places,
    load_rights,
    load_visibility,
)

Answer = TypeVar("Answer")

RETRY_AFTER_S = 5
REPOSITORIES_PER_QUESTION = 1000
"""What ``auth`` answers at once."""

log = structlog.get_logger(__name__)


class CallerRefused(Exception):
    """The caller's credentials are wrong.

    Args:
        challenge: ``auth``'s ``WWW-Authenticate``, for the caller.
    """

    def __init__(self, challenge: str) -> None:
        super().__init__("These credentials are not valid.")
        self.headers = {"WWW-Authenticate": challenge}


class CallerSlowedDown(Exception):
    """Too many wrong passwords came from where the caller is."""

    def __init__(self, retry_after: str) -> None:
        super().__init__("Too many attempts with a wrong password. Wait and try again.")
        self.headers = {"Retry-After": retry_after}


class VisibilityUnavailable(Exception):
    """Nobody can say what the caller may see or do, so nothing is shown or done."""

    def __init__(self) -> None:
        super().__init__("The authorization service does not answer. Try again in a moment.")
        self.headers = {"Retry-After": str(RETRY_AFTER_S)}


VISIBILITY_ERRORS: dict[type[Exception], HTTPStatus] = {
    CallerRefused: HTTPStatus.UNAUTHORIZED,
    CallerSlowedDown: HTTPStatus.TOO_MANY_REQUESTS,
    VisibilityUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""For a service's error table."""


class VisibilityClient:
    """Asks ``auth`` on behalf of callers.

    Args:
        session: on ``PORTUS_AUTH_URL``.
        peer_secret: ``PORTUS_INTERNAL_SECRET``.
    """

    def __init__(self, session: UpstreamSession, *, peer_secret: Secret) -> None:
        self._session = session
        self._peer_secret = peer_secret

    def find_visibility(
        self, authorization: str | None, *, address: str, namespace_id: int | None = None
    ) -> Visibility:
        """Return what the caller may see.

        Args:
            authorization: the caller's header as it came; ``None``: anonymous.
            address: where the caller is, against which ``auth`` counts wrong passwords.
            namespace_id: of the namespace whose name the answer is to hold, if the caller may see it.

        Raises:
            CallerRefused, CallerSlowedDown, VisibilityUnavailable: see above.
        """
        if namespace_id is None:
            return _load(self._ask("GET", "visibility", authorization, address), load_visibility)
        response = self._ask("GET", f"visibility?namespace_id={namespace_id:d}", authorization, address)
        return _load(response, lambda body: load_visibility(body, with_namespace=True))

    def find_permissions(
        self, authorization: str | None, repository: RepositoryName, actions: Collection[str], *, address: str
    ) -> Mapping[str, Permission]:
        """Return what the caller may do in a repository, by action.

        Args:
            authorization: the caller's header as it came; ``None``: anonymous.
            actions: of ``pull``, ``push``, ``delete``.
            address: where the caller is, against which ``auth`` counts wrong passwords.

        Raises:
            CallerRefused, CallerSlowedDown, VisibilityUnavailable: see above.
        """
        question = {"repository": repository, "actions": list(actions)}
        response = self._ask("POST", "permissions", authorization, address, question)
        return _load(response, lambda body: load_permissions(body, actions))

    def find_places(
        self,
        authorization: str | None,
        repositories: Sequence[RepositoryName],
        actions: Collection[str],
        *,
        address: str,
    ) -> Mapping[RepositoryName, RepositoryPlace]:
        """Return where repositories lie and what the caller may do to each; one question for a thousand of them.

        Args:
            authorization: the caller's header as it came; ``None``: anonymous.
            actions: of ``pull``, ``push``, ``delete``.
            address: where the caller is, against which ``auth`` counts wrong passwords.

        Raises:
            CallerRefused, CallerSlowedDown, VisibilityUnavailable: see above.
        """
        places: dict[RepositoryName, RepositoryPlace] = {}
        for start in range(0, len(repositories), REPOSITORIES_PER_QUESTION):
            part = repositories[start : start + REPOSITORIES_PER_QUESTION]
            question = {"repositories": part, "actions": list(actions)}
            response = self._ask("POST", "repositories", authorization, address, question)
            places |= _load(response, partial(load_places, repositories=part))
        return places

    def find_rights(
        self, authorization: str | None, namespace_id: int | None, operations: Collection[str], *, address: str
    ) -> Rights:
        """Return what the caller may manage in a namespace.

        Args:
            authorization: the caller's header as it came; ``None``: anonymous.
            namespace_id: ``None``: in the whole installation.
            operations: by the names that ``auth`` has for them.
            address: where the caller is, against which ``auth`` counts wrong passwords.

        Raises:
            CallerRefused, CallerSlowedDown, VisibilityUnavailable: see above.
        """
        question = {"namespace_id": namespace_id, "operations": list(operations)}
        response = self._ask("POST", "operations", authorization, address, question)
        return _load(response, lambda body: load_rights(body, operations))

    def _ask(
        self,
        method: str,
        path: str,
        authorization: str | None,
        address: str,
        question: Mapping[str, object] | None = None,
    ) -> requests.Response:
        headers = {PEER_HEADER: self._peer_secret.reveal(), "X-Forwarded-For": address}
        if authorization is not None:
            headers["Authorization"] = authorization
        try:
            return self._session.request(method, f"/internal/v1/{path}", headers=headers, json=question)
        except UpstreamError as fault:
            log.warning("auth.away", fault=str(fault))
            raise VisibilityUnavailable from fault


def _load(response: requests.Response, read: Callable[[Any], Answer]) -> Answer:
    if response.status_code == 401:
        raise CallerRefused(response.headers.get("WWW-Authenticate", 'Basic realm="Portus"'))
    if response.status_code == 429:
        raise CallerSlowedDown(response.headers.get("Retry-After", str(RETRY_AFTER_S)))
    if response.status_code != 200:
        hint = "404: PORTUS_INTERNAL_SECRET must be the same for auth and its peers" if _is_404(response) else ""
        log.error("auth.unexpected_answer", status=response.status_code, hint=hint)
        raise VisibilityUnavailable
    try:
        return read(response.json())
    except (ValueError, LookupError, TypeError) as fault:
        log.error("auth.unexpected_answer", status=200, fault=type(fault).__name__)
        raise VisibilityUnavailable from fault


def _is_404(response: requests.Response) -> bool:
    return response.status_code == 404
