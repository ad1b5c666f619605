"""What the index learns from the manifests of a real registry."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from services.catalog.domain.occurrences import Occurrence
from services.catalog.storage.manifests import list_fetched
from services.catalog.storage.pending import MAX_TRY_S, take_due
from services.catalog.storage.tag_rows import PlatformRow, TagRow
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.browse import get_freshness
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from services.catalog.usecases.retry_fetches import retry_fetches
from shared.clock import Clock, utc_now
from shared.database import Database
from shared.oci.media_types import (
    DOCKER_MANIFEST,
    DOCKER_MANIFEST_LIST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
)
from shared.oci.names import Digest
from tests.conftest import RegistryFactory
from tests.storage.catalog.snapshots import shown_repositories, shown_tags
from tests.support.catalog import digest_of, envelope_for, pull, push
from tests.support.catalog_clients import new_client, new_fetcher
from tests.support.images import Descriptor, Pusher, attestation, on
from tests.support.registry import Registry

APP = "team/app"


@pytest.fixture
def registry(registry_factory: RegistryFactory) -> Registry:
    return registry_factory()


@pytest.fixture
def pusher(registry: Registry) -> Pusher:
    return Pusher(registry.url)


@pytest.fixture
def fetcher(registry: Registry, database: Database) -> Iterator[ManifestFetcher]:
    fetcher = new_fetcher(new_client(registry.url), database)
    yield fetcher
    fetcher.close()


def told_of(tag: str | None, pushed: Descriptor, at: float = 0, **other: str) -> Occurrence:
    return push(tag, Digest(pushed["digest"]), at, media_type=pushed["mediaType"], **other)


def fixed(now: datetime) -> Clock:
    return lambda: now


def apply(database: Database, fetcher: ManifestFetcher, *occurrences: Occurrence) -> None:
    messages = [envelope_for(occurrence) for occurrence in occurrences]
    # As long as a slow machine may need: how long a batch really waits is not the question here.
    apply_notifications(messages, database=database, fetcher=fetcher, clock=utc_now, fetch_budget_s=60)


def the_tag(database: Database) -> TagRow:
    (tag,) = shown_tags(database, APP)
    return tag


@pytest.mark.parametrize(("docker", "media_type"), [(False, OCI_MANIFEST), (True, DOCKER_MANIFEST)])
def test_an_image_shows_its_size_and_platform(
    docker: bool, media_type: str, database: Database, pusher: Pusher, fetcher: ManifestFetcher
) -> None:
    image = pusher.image(APP, "1.0", docker=docker, architecture="arm64", variant="v8", layer_bytes=(200, 300))

    apply(database, fetcher, told_of("1.0", image))

    tag = the_tag(database)
    assert (tag.known, tag.media_type) == (True, media_type)
    assert tag.size_bytes is not None
    assert 500 < tag.size_bytes < 700, "two layers and a configuration"
    assert tag.platforms == (PlatformRow("linux", "arm64", "v8", image["digest"], tag.size_bytes),)


@pytest.mark.parametrize(("docker", "media_type"), [(False, OCI_INDEX), (True, DOCKER_MANIFEST_LIST)])
def test_an_index_shows_its_platforms_and_the_size_of_all(
    docker: bool, media_type: str, database: Database, pusher: Pusher, fetcher: ManifestFetcher
) -> None:
    amd = pusher.image(APP, docker=docker, architecture="amd64")
    arm = pusher.image(APP, docker=docker, architecture="arm", layer_bytes=(900,))
    index = pusher.index(APP, "1.0", [on(amd, "linux", "amd64"), on(arm, "linux", "arm", variant="v7")], docker=docker)

    apply(database, fetcher, told_of("1.0", index))

    tag = the_tag(database)
    assert tag.media_type == media_type
    assert [(one.os, one.architecture, one.variant, one.digest) for one in tag.platforms] == [
        ("linux", "amd64", None, amd["digest"]),
        ("linux", "arm", "v7", arm["digest"]),
    ]
    assert tag.size_bytes == sum(one.size_bytes or 0 for one in tag.platforms) > 1400
    assert shown_repositories(database)[0].size_bytes == tag.size_bytes


def test_a_repository_is_as_large_as_its_own_manifests(
    database: Database, pusher: Pusher, fetcher: ManifestFetcher
) -> None:
    large = pusher.image(APP, "1.0", layer_bytes=(9000,))
    small = pusher.image("team/small", "1.0", layer_bytes=(100,))

    apply(database, fetcher, told_of("1.0", large, 1), told_of("1.0", small, 2, repository="team/small"))

    sizes = {repository.full_name: repository.size_bytes for repository in shown_repositories(database)}
    assert sizes[APP] > 9000
    assert 100 < sizes["team/small"] < 1000


def test_an_attestation_counts_in_the_size_and_is_no_platform(
    database: Database, pusher: Pusher, fetcher: ManifestFetcher
) -> None:
    image = pusher.image(APP)
    provenance = pusher.artifact(APP, None, config_type=OCI_CONFIG, content=b"x" * 5000)
    index = pusher.index(APP, "1.0", [on(image, "linux", "amd64"), attestation(provenance, of=image)])

    apply(database, fetcher, told_of("1.0", index))

    tag = the_tag(database)
    assert [one.digest for one in tag.platforms] == [image["digest"]]
    assert tag.size_bytes is not None
    assert tag.size_bytes > 5000


def test_an_artifact_shows_what_kind_it_is(database: Database, pusher: Pusher, fetcher: ManifestFetcher) -> None:
    chart = pusher.artifact(APP, "0.1.0", config_type="application/vnd.cncf.helm.config.v1+json")

    apply(database, fetcher, told_of("0.1.0", chart))

    tag = the_tag(database)
    assert (tag.artifact_type, tag.platforms) == ("application/vnd.cncf.helm.config.v1+json", ())
    assert tag.size_bytes == len(b"{}") + len(b"content")


def test_children_that_were_told_of_are_no_tags(database: Database, pusher: Pusher, fetcher: ManifestFetcher) -> None:
    child = pusher.image(APP)
    index = pusher.index(APP, "1.0", [on(child, "linux", "amd64")])

    apply(database, fetcher, told_of(None, child, 1), told_of("1.0", index, 2))

    assert the_tag(database).name == "1.0"


def test_two_tags_on_one_digest_take_its_place_once(
    database: Database, pusher: Pusher, fetcher: ManifestFetcher
) -> None:
    image = pusher.image(APP, "1.0")

    apply(database, fetcher, told_of("1.0", image, 1), told_of("latest", image, 2))

    (repository,) = shown_repositories(database)
    assert (repository.tags_count, repository.size_bytes) == (2, shown_tags(database, APP)[0].size_bytes)


def test_pulling_one_platform_of_an_index_is_one_pull(
    database: Database, pusher: Pusher, fetcher: ManifestFetcher
) -> None:
    """Clients look the tag up, fetch the index by its digest, and then the image for their platform."""
    child = pusher.image(APP)
    index = pusher.index(APP, "1.0", [on(child, "linux", "amd64")])
    digest = Digest(index["digest"])
    apply(database, fetcher, told_of(None, child, 1), told_of("1.0", index, 2))

    apply(
        database,
        fetcher,
        pull(digest, 3, tag="1.0", method="HEAD"),
        pull(digest, 4),
        pull(Digest(child["digest"]), 5),
    )

    assert (the_tag(database).pulls, shown_repositories(database)[0].pulls) == (1, 1)


def test_a_manifest_that_the_registry_does_not_have_leaves_the_tag_unknown(
    database: Database, pusher: Pusher, fetcher: ManifestFetcher
) -> None:
    pusher.image(APP, "1.0")

    apply(database, fetcher, push("2.0", digest_of("gone"), 1))

    tag = the_tag(database)
    assert (tag.name, tag.known, tag.media_type) == ("2.0", False, OCI_MANIFEST)
    assert get_freshness(database=database).waiting == 1


def test_an_image_whose_configuration_is_gone_is_shown_without_a_platform(
    database: Database, pusher: Pusher, fetcher: ManifestFetcher
) -> None:
    image = pusher.image(APP, "1.0")
    pusher.delete_blob(APP, pusher.read(APP, "1.0")["config"]["digest"])

    apply(database, fetcher, told_of("1.0", image))

    tag = the_tag(database)
    assert (tag.known, tag.platforms) == (True, ())


def test_any_number_of_manifests_can_be_looked_up(database: Database, pusher: Pusher, fetcher: ManifestFetcher) -> None:
    """An index may list more than either database takes in one statement."""
    image = pusher.image(APP, "1.0")
    apply(database, fetcher, told_of("1.0", image))
    digests = [Digest(image["digest"]), *(Digest(f"sha256:{number:064x}") for number in range(70_000))]

    with database.read() as connection:
        assert list_fetched(connection, digests) == {image["digest"]}


class TestRetries:
    """Manifests that did not come at first."""

    @pytest.fixture
    def image(self, database: Database, pusher: Pusher, no_registry: ManifestFetcher) -> Descriptor:
        """An image that was pushed and told of while the catalogue could not reach the registry."""
        image = pusher.image(APP, "1.0")
        apply(database, no_registry, told_of("1.0", image))
        return image

    def test_complete_the_tag_once_the_registry_answers(
        self, image: Descriptor, database: Database, fetcher: ManifestFetcher
    ) -> None:
        assert not the_tag(database).known

        assert retry_fetches(database=database, fetcher=fetcher, clock=utc_now) == 1

        tag = the_tag(database)
        assert tag.known
        assert [one.digest for one in tag.platforms] == [image["digest"]]
        assert shown_repositories(database)[0].size_bytes == tag.size_bytes
        assert get_freshness(database=database).waiting == 0

    def test_complete_an_index_child_by_child(
        self, database: Database, pusher: Pusher, no_registry: ManifestFetcher, fetcher: ManifestFetcher
    ) -> None:
        child = pusher.image(APP)
        index = pusher.index(APP, "1.0", [on(child, "linux", "amd64")])
        apply(database, no_registry, told_of(None, child, 1), told_of("1.0", index, 2))

        retry_fetches(database=database, fetcher=fetcher, clock=utc_now)

        tag = the_tag(database)
        assert tag.size_bytes == tag.platforms[0].size_bytes
        assert tag.size_bytes

    @pytest.mark.usefixtures("image")
    def test_wait_longer_each_time(self, database: Database, no_registry: ManifestFetcher) -> None:
        start, tried = utc_now(), []
        for second in range(10):
            clock = fixed(start + timedelta(seconds=second))
            tried.append(retry_fetches(database=database, fetcher=no_registry, clock=clock))

        assert tried == [1, 1, 0, 1, 0, 0, 0, 1, 0, 0]

    @pytest.mark.usefixtures("image")
    def test_that_one_worker_has_taken_no_other_takes_until_that_one_must_be_dead(self, database: Database) -> None:
        def take(after_s: float) -> int:
            with database.write() as connection:
                return len(take_due(connection, now=start + timedelta(seconds=after_s), limit=10))

        start = utc_now()

        assert [take(0), take(0), take(MAX_TRY_S - 1), take(MAX_TRY_S)] == [1, 0, 0, 1]

    def test_end_when_the_registry_keeps_saying_no(
        self, database: Database, pusher: Pusher, fetcher: ManifestFetcher
    ) -> None:
        pusher.image(APP, "1.0")
        apply(database, fetcher, push("2.0", digest_of("gone"), 1))

        for hour in range(1, 11):
            clock = fixed(utc_now() + timedelta(hours=2 * hour))
            assert retry_fetches(database=database, fetcher=fetcher, clock=clock) == 1

        assert get_freshness(database=database).waiting == 0
        assert not the_tag(database).known

    @pytest.mark.usefixtures("image")
    def test_are_settled_when_the_manifest_came_another_way(
        self, database: Database, pusher: Pusher, fetcher: ManifestFetcher
    ) -> None:
        """The same image in a second repository brought it; the sums of the first are now wrong."""
        pusher.copy_image(APP, "1.0", "team/other")
        apply(database, fetcher, told_of("1.0", pusher.describe("team/other", "1.0"), 5, repository="team/other"))

        retry_fetches(database=database, fetcher=fetcher, clock=utc_now)

        sizes = {repository.full_name: repository.size_bytes for repository in shown_repositories(database)}
        assert sizes == dict.fromkeys((APP, "team/other"), the_tag(database).size_bytes)
        assert get_freshness(database=database).waiting == 0
