"""One manifest that breaks our reading of it takes no other with it."""

import json
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from services.catalog.usecases.fetch_manifests import ManifestFetcher
from services.catalog.usecases.registry import InvalidAnswer, NotInRegistry, RawManifest, TagList
from shared.oci.names import Digest, RepositoryName, Tag
from tests.support.catalog import MANIFEST_TYPE, digest_of

APP = RepositoryName("team/app")
GOOD, BAD = digest_of("good"), digest_of("bad")


class BreakingRegistry:
    """Breaks on one digest in a way that nobody has thought of."""

    def get_manifest(self, repository: RepositoryName, reference: str) -> RawManifest:
        if reference == BAD:
            raise ZeroDivisionError("nobody has thought of it")
        body = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "layers": []}).encode()
        return RawManifest(Digest(reference), MANIFEST_TYPE, body)

    def find_digest(self, repository: RepositoryName, reference: Tag | Digest) -> Digest:
        raise NotInRegistry("no tags here")

    def get_blob(self, repository: RepositoryName, digest: Digest, *, max_bytes: int) -> bytes:
        raise NotInRegistry("no blobs here")

    def list_repositories(self, *, after: str = "") -> Iterator[RepositoryName]:
        return iter([APP])

    def list_tags(self, repository: RepositoryName) -> TagList:
        raise NotInRegistry("no tags here")


@pytest.fixture
def fetcher() -> Iterator[ManifestFetcher]:
    fetcher = ManifestFetcher(BreakingRegistry(), lambda _digests: set())
    yield fetcher
    fetcher.close()


def test_a_manifest_that_breaks_our_reading_is_missing_and_the_others_come(fetcher: ManifestFetcher) -> None:
    with capture_logs() as lines:
        result = fetcher.fetch_unknown([(APP, BAD), (APP, GOOD)], budget_s=60)

    assert set(result.fetched) == {GOOD}
    assert isinstance(result.missing[APP, BAD], InvalidAnswer)
    [line] = lines
    assert (line["event"], line["digest"]) == ("fetch.broken", BAD)
    assert isinstance(line["exc_info"], ZeroDivisionError)
