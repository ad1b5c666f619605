"""``catalog``, asked over ``/internal/v1`` how much lies in namespaces, and to empty them."""

from collections.abc import Collection, Iterator, Mapping
from time import monotonic
from typing import Any
from urllib.parse import quote

import requests
import structlog
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load

from services.auth.domain.errors import CatalogAway
from services.auth.usecases.catalog import Emptied, Failure, Usage
from shared.api.peers import PEER_HEADER
from shared.config import Secret
from shared.upstream import UpstreamError, UpstreamSession

USAGE_TIMEOUT_S = (1.0, 2.0)
"""To connect, and to answer: a list is shown without counts rather than late."""
EMPTYING_TIMEOUT_S = (2.0, 30.0)
"""One call goes on for about 15 s."""
MAX_NAMES = 100
MAX_NAMES_LENGTH = 3000
"""Most of one question: its names stand in the request line, which servers cut at 4094 characters."""
REST_S = 5.0
"""How long nobody is kept waiting for counts by a catalog that has just not answered."""

log = structlog.get_logger(__name__)


class _Answer(Schema):
    class Meta:
        unknown = EXCLUDE


class _UsageSchema(_Answer):
    repositories = fields.Integer(required=True)
    tags = fields.Integer(required=True)
    size_bytes = fields.Integer(required=True)

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> Usage:
        return Usage(**values)


class _UsagesSchema(_Answer):
    namespaces = fields.Dict(keys=fields.String(), values=fields.Nested(_UsageSchema), required=True)


class _FailureSchema(_Answer):
    repository = fields.String(required=True, allow_none=True)
    tag = fields.String(load_default=None, allow_none=True)
    reason = fields.String(required=True)

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> Failure:
        return Failure(**values)


class _EmptiedSchema(_Answer):
    deleted = fields.List(fields.String(), required=True)
    failed = fields.List(fields.Nested(_FailureSchema), required=True)
    remaining = fields.Integer(required=True)

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> Emptied:
        return Emptied(**values)


class CatalogClient:
    """Calls ``catalog``.

    Args:
        session: on ``PORTUS_CATALOG_URL``.
        peer_secret: ``PORTUS_INTERNAL_SECRET``.
    """

    def __init__(self, session: UpstreamSession, *, peer_secret: Secret) -> None:
        self._session = session
        self._headers = {PEER_HEADER: peer_secret.reveal()}
        self._resting_until_s = 0.0

    def find_usage(self, namespaces: Collection[str]) -> Mapping[str, Usage]:
        """Return how much lies in each namespace; see ``usecases.catalog``."""
        if monotonic() < self._resting_until_s:
            raise CatalogAway
        usage: dict[str, Usage] = {}
        try:
            for names in _parts(namespaces):
                usage |= self._ask(_UsagesSchema(), "GET", "/usage", USAGE_TIMEOUT_S, namespaces=names)["namespaces"]
        except CatalogAway:
            self._resting_until_s = monotonic() + REST_S
            raise
        return usage

    def empty_namespace(self, namespace: str, *, actor: str) -> Emptied:
        """Take every repository of a namespace out of the registry; see ``usecases.catalog``."""
        path = f"/namespaces/{quote(namespace, safe='')}/repositories"
        emptied: Emptied = self._ask(_EmptiedSchema(), "DELETE", path, EMPTYING_TIMEOUT_S, actor=actor)
        return emptied

    def _ask(self, schema: Schema, method: str, path: str, timeout_s: tuple[float, float], **query: str) -> Any:
        try:
            response = self._session.request(
                method, f"/internal/v1{path}", params=query, headers=self._headers, timeout=timeout_s
            )
            return schema.load(_body(response))
        except UpstreamError as fault:
            log.warning("catalog.away", fault=str(fault))
            raise CatalogAway from fault
        except (ValueError, ValidationError) as fault:
            log.error("catalog.unexpected_answer", fault=type(fault).__name__)
            raise CatalogAway from fault


def _body(response: requests.Response) -> Any:
    if response.status_code != 200:
        hint = "404: PORTUS_INTERNAL_SECRET must be the same for auth and its peers"
        log.error("catalog.refused", status=response.status_code, hint=hint if response.status_code == 404 else "")
        raise CatalogAway
    return response.json()


def _parts(names: Collection[str]) -> Iterator[str]:
    """Join names into as few questions as can be asked."""
    part: list[str] = []
    length = 0
    for name in dict.fromkeys(names):
        if part and (len(part) == MAX_NAMES or length + len(name) >= MAX_NAMES_LENGTH):
            yield ",".join(part)
            part, length = [], 0
        part.append(name)
        length += len(name) + 1
    if part:
        yield ",".join(part)
