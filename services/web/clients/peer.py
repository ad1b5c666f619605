"""One peer over HTTP: bearer token in, checked answer out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import requests
from marshmallow import EXCLUDE, Schema, ValidationError

from services.web.clients.errors import (
    NotAllowed,
    NotFound,
    PeerAway,
    PeerBroken,
    PeerError,
    RequestRefused,
    SignInNeeded,
)
from shared.api.paging import Page, PageRequest
from shared.config import Secret
from shared.upstream import UpstreamSession, UpstreamUnavailable

Loaded = TypeVar("Loaded")

_MAX_DETAIL_LENGTH = 500

ROWS_OF_A_PART = 50

_BY_STATUS: Mapping[int, type[PeerError]] = {401: SignInNeeded, 403: NotAllowed, 404: NotFound}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a list that is walked by key; ``following`` leads to the next one."""

    rows: Sequence[Any]
    following: str | None


class Peer:
    """Calls one service.

    Args:
        part: the service's name, for messages.
        session: where and how it is reached.
    """

    def __init__(self, part: str, session: UpstreamSession) -> None:
        self.part = part
        self._session = session

    def get(
        self, path: str, *, access_token: Secret | None, params: Mapping[str, object] | None = None
    ) -> requests.Response:
        """Fetch, as the holder of an access token or as nobody.

        Raises:
            PeerError: no answer, or one that is not 2xx.
        """
        return self.checked(self._send("GET", path, headers=_bearer(access_token), params=params))

    def post(
        self,
        path: str,
        body: object,
        *,
        headers: Mapping[str, str] | None = None,
        access_token: Secret | None = None,
    ) -> requests.Response:
        """Send JSON; the status is left to the caller, who knows which refusals are ordinary.

        Raises:
            PeerAway: no answer.
        """
        return self._send("POST", path, json=body, headers={**(headers or {}), **_bearer(access_token)})

    def change(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        access_token: Secret | None,
        if_match: str | None = None,
        params: Mapping[str, object] | None = None,
    ) -> requests.Response:
        """Change something as the holder of an access token.

        Args:
            if_match: the ETag of what is to be changed; only that is.

        Raises:
            RequestRefused: with the faults of the fields, to be shown beside them.
            PeerError: no answer, or another one that is not 2xx.
        """
        headers = {**_bearer(access_token), **({"If-Match": if_match} if if_match else {})}
        return self.checked(self._send(method, path, json=body, headers=headers, params=params))

    def page(
        self,
        path: str,
        schema: Schema,
        page: PageRequest,
        *,
        access_token: Secret | None,
        params: Mapping[str, object] | None = None,
    ) -> Page[Any]:
        """Fetch one page of a list; parameters that are ``None`` or empty do not narrow it.

        Raises:
            PeerError: no answer, or one that is not 2xx.
        """
        given = {name: value for name, value in (params or {}).items() if value not in (None, "")}
        paging = {"page": page.page, "per_page": page.per_page}
        response = self.get(path, access_token=access_token, params={**given, **paging})
        rows = self.load(schema, response)
        return Page(rows, total_rows(response, len(rows)), page)

    def walk(
        self,
        path: str,
        schema: Schema,
        after: str,
        *,
        access_token: Secret | None,
        params: Mapping[str, object] | None = None,
    ) -> Part:
        """Fetch one part of a list that is walked by key.

        Args:
            after: what the part before it named as following; empty: from the beginning.

        Raises:
            PeerError: no answer, or one that is not 2xx.
        """
        given = {name: value for name, value in {**(params or {}), "after": after}.items() if value not in (None, "")}
        response = self.get(path, access_token=access_token, params={**given, "per_page": ROWS_OF_A_PART})
        return Part(self.load(schema, response), following_part(response))

    def checked(self, response: requests.Response) -> requests.Response:
        """Return the response when it is 2xx.

        Raises:
            PeerError: the one that fits its status.
        """
        if response.ok:
            return response
        problem = _problem(response)
        if response.status_code >= 500 or response.is_redirect:
            raise PeerBroken(self.part, _detail(problem))
        fitting = _BY_STATUS.get(response.status_code)
        if fitting:
            raise fitting(self.part, _detail(problem))
        raise RequestRefused(self.part, _detail(problem), _faults(problem))

    def load(self, schema: Schema, response: requests.Response) -> Any:
        """Read a body into what the schema makes of it.

        Raises:
            PeerBroken: the body has another shape.
        """
        try:
            return schema.load(response.json(), unknown=EXCLUDE)
        except (requests.JSONDecodeError, ValidationError) as fault:
            raise PeerBroken(self.part, "answers in a form that this portal does not know") from fault

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        try:
            return self._session.request(method, path, **options)
        except UpstreamUnavailable as fault:
            raise PeerAway(self.part) from fault


def following_part(response: requests.Response) -> str | None:
    """Return where the next part of a list begins, as its ``Link`` says; ``None`` at the end."""
    address = response.links.get("next", {}).get("url", "")
    values = parse_qs(urlsplit(address).query).get("after")
    return values[0] if values else None


def total_rows(response: requests.Response, shown: int) -> int:
    """Return how long a whole list is; where that is not told, how much of it is shown."""
    value = response.headers.get("X-Total", "")
    return int(value) if value.isascii() and value.isdigit() else shown


def _bearer(access_token: Secret | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token.reveal()}"} if access_token else {}


def _problem(response: requests.Response) -> Mapping[str, Any]:
    try:
        problem = response.json()
    except requests.JSONDecodeError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _detail(problem: Mapping[str, Any]) -> str:
    detail = problem.get("detail")
    return detail[:_MAX_DETAIL_LENGTH] if isinstance(detail, str) else ""


def _faults(problem: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    errors = problem.get("errors")
    return dict(_flat(errors)) if isinstance(errors, dict) else {}


def _flat(errors: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    # Some bodies wrap their fields once ({"user": {...}}); forms do not.
    for name, faults in errors.items():
        if isinstance(faults, dict):
            yield from _flat(faults)
        else:
            yield name, [faults] if isinstance(faults, str) else list(map(str, faults))
