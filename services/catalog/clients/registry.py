"""The registry, used like any client uses it.

Source: distribution-spec "Pull", "Push", "Content Discovery", "Content Management";
reference of what 2.8 and 3.x really answer.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urljoin
from uuid import uuid4

import requests
import structlog

from services.catalog.clients.answers import (
    check_digest,
    is_there,
    read_answer,
    read_created,
    read_deletion,
    read_location,
)
from services.catalog.clients.challenges import Challenge, parse_challenge
from services.catalog.clients.lists import ListPage, walk_list
from services.catalog.clients.tokens import RegistryTokens
from services.catalog.domain.errands import Errand, dump_errand
from services.catalog.domain.manifests import MAX_MANIFEST_BYTES
from services.catalog.usecases.registry import (
    InvalidAnswer,
    NotInRegistry,
    RawManifest,
    RegistryUnavailable,
    TagList,
    TagsNotDeletable,
    TooLarge,
)
from shared.clock import Clock
from shared.oci.media_types import ACCEPT_MANIFESTS
from shared.oci.names import Digest, InvalidName, RepositoryName, Tag, parse_digest, parse_repository_name, parse_tag
from shared.upstream import UpstreamError, UpstreamSession

USER_AGENT = "portus-catalog"
CATALOG_SCOPE = "registry:catalog:*"
MAX_REDIRECTS = 3

_ACCEPT = {"Accept": ACCEPT_MANIFESTS}

log = structlog.get_logger(__name__)


class RegistryClient:
    """Reads and changes one registry; may be used by many threads at once.

    Args:
        session: on ``PORTUS_REGISTRY_URL``.
        tokens: where its tokens come from.
        clock: stands in for a registry that does not tell the time.
    """

    def __init__(self, session: UpstreamSession, tokens: RegistryTokens, *, clock: Clock) -> None:
        self._session = session
        self._tokens = tokens
        self._clock = clock

    def get_manifest(self, repository: RepositoryName, reference: str) -> RawManifest:
        """Return the manifest under a tag or digest, its bytes checked.

        Raises:
            RegistryError: as ``usecases.registry`` draws them.
        """
        asked, what = _find_digest(reference), f"manifest {repository}@{reference}"
        response = self._open("GET", _manifest_path(repository, reference), _pull(repository), headers=_ACCEPT)
        try:
            answer = read_answer(response, what, max_bytes=MAX_MANIFEST_BYTES)
        except TooLarge as fault:
            named = _find_digest(response.headers.get("Docker-Content-Digest", ""))
            raise TooLarge(
                str(fault), digest=asked or named, media_type=response.headers.get("Content-Type")
            ) from fault
        digest = asked or answer.digest
        if digest is None or (answer.digest or digest) != digest:
            raise InvalidAnswer(f"the registry names another digest for {what}")
        check_digest(answer.body, digest, media_type=answer.media_type)
        return RawManifest(digest, answer.media_type, answer.body)

    def find_digest(self, repository: RepositoryName, reference: Tag | Digest) -> Digest:
        """Return where a tag points, or a digest that is there, at the price of a HEAD."""
        response = self._open("HEAD", _manifest_path(repository, reference), _pull(repository), headers=_ACCEPT)
        answer = read_answer(response, f"manifest {repository}@{reference}", max_bytes=MAX_MANIFEST_BYTES)
        if answer.digest is None:
            raise InvalidAnswer(f"the registry names no digest for {repository}@{reference}")
        return answer.digest

    def get_blob(self, repository: RepositoryName, digest: Digest, *, max_bytes: int) -> bytes:
        """Return a blob, its bytes checked."""
        response = self._open("GET", f"/v2/{repository}/blobs/{digest}", _pull(repository))
        answer = read_answer(self._follow(response), f"blob {repository}@{digest}", max_bytes=max_bytes)
        check_digest(answer.body, digest)
        return answer.body

    def list_repositories(self, *, after: str = "") -> Iterator[RepositoryName]:
        """Walk the catalogue page by page.

        Args:
            after: the walk begins behind this name; a registry sorts a slash before all other characters.

        Raises:
            InvalidAnswer: also behind some names, when the rest does not come.
        """
        for page in self._walk("/v2/_catalog", CATALOG_SCOPE, "repositories", after=after):
            for name in page.names:
                try:
                    yield parse_repository_name(name)
                except InvalidName:
                    log.warning("registry.name_skipped", name=name[:80])

    def list_tags(self, repository: RepositoryName) -> TagList:
        """Return every tag of a repository; one that is empty or gone has none."""
        asked_at, tags, first = self._clock(), list[Tag](), None
        try:
            for page in self._walk(f"/v2/{repository}/tags/list", _pull(repository), "tags"):
                first = first or page.answer
                tags += [tag for name in page.names if (tag := _find_tag(name))]
        except NotInRegistry as fault:
            # NAME_UNKNOWN: a repository that holds mounted blobs and nothing else.
            return TagList((), fault.seen_at or asked_at)
        return TagList(sorted(set(tags)), first.sent_at(asked_at) if first else asked_at)

    def delete_manifest(self, repository: RepositoryName, digest: Digest, errand: Errand) -> datetime:
        """Delete a manifest with every tag on it; return when, by the registry's clock."""
        asked_at, scope = self._clock(), f"repository:{repository}:delete"
        response = self._open("DELETE", _manifest_path(repository, digest), scope, headers=_signed(errand))
        return read_deletion(response, f"manifest {repository}@{digest}", asked_at=asked_at)

    def delete_tag(self, repository: RepositoryName, tag: Tag, errand: Errand | None = None) -> datetime:
        """Delete a tag alone; return when, by the registry's clock.

        Args:
            errand: ``None``: nothing is to come of it.
        """
        asked_at, scope = self._clock(), f"repository:{repository}:delete"
        response = self._open("DELETE", _manifest_path(repository, tag), scope, headers=_signed(errand))
        return read_deletion(response, f"tag {repository}:{tag}", asked_at=asked_at, is_tag=True)

    def deletes_tags(self, repository: RepositoryName) -> bool:
        """Tell whether the registry can delete a tag alone, by deleting one that nobody has."""
        try:
            self.delete_tag(repository, Tag(f"portus-probe-{uuid4().hex}"))
        except TagsNotDeletable:
            return False
        except NotInRegistry:
            return True
        return True

    def put_manifest(
        self, repository: RepositoryName, reference: str, body: bytes, media_type: str, errand: Errand
    ) -> datetime:
        """Put a manifest under a tag or its digest; return when, by the registry's clock."""
        asked_at, path = self._clock(), _manifest_path(repository, reference)
        headers = {"Content-Type": media_type, **_signed(errand)}
        response = self._open("PUT", path, _push(repository), headers=headers, data=body)
        return read_created(response, f"manifest {repository}@{reference}", asked_at=asked_at)

    def put_blob(self, repository: RepositoryName, body: bytes) -> Digest:
        """Put a small blob, in one go."""
        what, digest = f"blob of {repository}", Digest(f"sha256:{hashlib.sha256(body).hexdigest()}")
        begun = self._open("POST", f"/v2/{repository}/blobs/uploads/", _push(repository))
        location = read_location(begun, what)
        place = f"{location}{'&' if '?' in location else '?'}digest={quote(digest)}"
        read_created(self._open("PUT", place, _push(repository), data=body), what, asked_at=self._clock())
        return digest

    def has_blob(self, repository: RepositoryName, digest: Digest) -> bool:
        """Tell whether a blob is there, at the price of a HEAD."""
        response = self._open("HEAD", f"/v2/{repository}/blobs/{digest}", _pull(repository))
        return is_there(response, f"blob {repository}@{digest}")

    def _walk(self, path: str, scope: str, member: str, *, after: str = "") -> Iterator[ListPage]:
        return walk_list(lambda url: self._open("GET", url, scope), path, member, after=after)

    def _open(self, method: str, path: str, scope: str, **options: Any) -> requests.Response:
        """Send a request with a token, where the registry wants one."""
        token = self._tokens.find_token(scope)
        response = self._send(method, path, token, **options)
        if response.status_code == 401:
            # Without a token, or with one that has come to its end.
            token = self._tokens.answer_challenge(_challenge(response), scope)
            response = self._send(method, path, token, **options)
        if response.status_code == 401:
            raise self._tokens.refused(_challenge(response), token or "", scope)
        self._tokens.accepted()
        return response

    def _send(
        self,
        method: str,
        url: str,
        token: str | None,
        *,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
    ) -> requests.Response:
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            return self._session.request(
                method, url, headers={**(headers or {}), **authorization}, data=data, stream=True
            )
        except UpstreamError as fault:
            raise RegistryUnavailable(str(fault)) from fault

    def _follow(self, response: requests.Response) -> requests.Response:
        # A registry on an object store answers with a signed address there, which needs no token.
        for _ in range(MAX_REDIRECTS):
            if not response.is_redirect:
                return response
            response.close()
            response = self._send("GET", _target(response), None)
        raise InvalidAnswer("the registry redirects without end")


def _challenge(response: requests.Response) -> Challenge:
    response.close()
    return parse_challenge(response.headers.get("WWW-Authenticate", ""))


def _signed(errand: Errand | None) -> dict[str, str]:
    return {"User-Agent": f"{USER_AGENT} {dump_errand(errand)}"} if errand else {}


def _manifest_path(repository: RepositoryName, reference: str) -> str:
    return f"/v2/{repository}/manifests/{reference}"


def _push(repository: RepositoryName) -> str:
    return f"repository:{repository}:pull,push"


def _pull(repository: RepositoryName) -> str:
    return f"repository:{repository}:pull"


def _target(redirect: requests.Response) -> str:
    try:
        return urljoin(redirect.url, redirect.headers["Location"])
    except ValueError as fault:
        raise InvalidAnswer("the registry redirects to no address") from fault


def _find_tag(name: str) -> Tag | None:
    try:
        return parse_tag(name)
    except InvalidName:
        return None


def _find_digest(text: str) -> Digest | None:
    try:
        return parse_digest(text)
    except InvalidName:
        return None
