"""What two real registries sent, step by step, ends in the right index, in any order and repeated."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from services.catalog.storage.tables import inbox, outbox, repositories
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.browse import get_freshness
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from shared.clock import utc_now
from shared.contracts.events import Envelope
from shared.database import Database
from tests.storage.catalog.snapshots import empty, remembered, shown_index, shown_repositories, shown_tags
from tests.support.catalog import recorded_envelopes, steps

VERSIONS = ["2.8.2", "3.1.1"]

WEB_1_0_0 = "sha256:d177e8a3dbdd39d7ebdf783519f46c72fe2f5ee4366653ee90ebd5dd8495dbd1"
WEB_LATEST = "sha256:6239a3a055594908013770e5e2f6214876c29908c65e2833f250c4339c68ab57"
MULTI_OCI = "sha256:450e7ca401b94c66df748590052b47136e965acc6ab2338c4c8bbadf4ca3bf6e"
MULTI_DOCKER = "sha256:66de32d0"
CHART = "sha256:75feabb8"


def apply(envelopes: list[Envelope], database: Database, fetcher: ManifestFetcher) -> None:
    apply_notifications(envelopes, database=database, fetcher=fetcher, clock=utc_now)


def apply_recording(version: str, database: Database, fetcher: ManifestFetcher) -> None:
    for batch in steps(recorded_envelopes(version), 7):
        apply(batch, database, fetcher)


def test_2_8_2_ends_in_the_index_of_that_registry(database: Database, no_registry: ManifestFetcher) -> None:
    """A tag cannot be deleted alone there, so ``latest`` stays; ``team-a/api`` lost both tags with their digest."""
    apply_recording("2.8.2", database, no_registry)

    assert shown_index(database) == {
        "charts/web": {"0.1.0": full("2.8.2", CHART)},
        "library/multi": {"3.1": MULTI_OCI, "3.1-docker": full("2.8.2", MULTI_DOCKER)},
        "team-a/web": {"1.0.0": WEB_1_0_0, "latest": WEB_LATEST},
    }


def test_3_1_1_ends_in_the_index_of_that_registry(database: Database, no_registry: ManifestFetcher) -> None:
    """There ``latest`` was deleted by its name."""
    apply_recording("3.1.1", database, no_registry)

    assert shown_index(database) == {
        "charts/web": {"0.1.0": full("3.1.1", CHART)},
        "library/multi": {"3.1": MULTI_OCI, "3.1-docker": full("3.1.1", MULTI_DOCKER)},
        "team-a/web": {"1.0.0": WEB_1_0_0},
    }


def full(version: str, start: str) -> str:
    """Return the one pushed digest that begins so."""
    (digest,) = {e.data["digest"] for e in recorded_envelopes(version) if e.data.get("digest", "").startswith(start)}
    return str(digest)


@pytest.mark.parametrize("version", VERSIONS)
def test_pulls_are_counted_by_tag_and_by_digest_and_checks_are_not(
    version: str, database: Database, no_registry: ManifestFetcher
) -> None:
    """``1.0.0`` was fetched four times by its name and once by its digest, and checked once."""
    apply_recording(version, database, no_registry)
    (tag,) = [tag for tag in shown_tags(database, "team-a/web") if tag.name == "1.0.0"]
    (repository,) = shown_repositories(database, name="team-a/web")

    last = recorded_envelopes(version)[-1]
    assert (tag.pulls, tag.pulled_at, repository.pulls) == (5, last.time, 5)


@pytest.mark.parametrize("version", VERSIONS)
def test_with_the_registry_away_tags_are_shown_without_what_their_manifests_say(
    version: str, database: Database, no_registry: ManifestFetcher
) -> None:
    apply_recording(version, database, no_registry)
    tags = {tag.name: tag for tag in shown_tags(database, "library/multi")}

    assert tags["3.1"].media_type == "application/vnd.oci.image.index.v1+json"
    assert tags["3.1-docker"].media_type == "application/vnd.docker.distribution.manifest.list.v2+json"
    assert [(tag.known, tag.size_bytes, tag.platforms) for tag in tags.values()] == [(False, None, ())] * 2
    assert get_freshness(database=database).waiting == 11, "every manifest that was pushed, children included"


@pytest.mark.parametrize("version", VERSIONS)
def test_case_55_blobs_and_mounts_leave_no_trace_in_the_index(
    version: str, database: Database, no_registry: ManifestFetcher
) -> None:
    apply_recording(version, database, no_registry)

    with database.read() as connection:
        heard_of = set(connection.scalars(select(repositories.c.full_name)))
    assert heard_of == {"team-a/web", "team-a/api", "library/multi", "charts/web"}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_change_of_a_tag_is_told_once(version: str, database: Database, no_registry: ManifestFetcher) -> None:
    apply_recording(version, database, no_registry)
    apply_recording(version, database, no_registry)

    with database.read() as connection:
        told = connection.scalars(select(outbox.c.envelope).order_by(outbox.c.sequence)).all()
    changes = [(one["type"].split(".")[2], one["data"]["repository"], one["data"]["tag"]) for one in told]
    assert changes == [
        ("pushed", "team-a/web", "1.0.0"),
        ("pushed", "team-a/api", "1.0"),
        ("pushed", "library/multi", "3.1"),
        ("pushed", "library/multi", "3.1-docker"),
        ("pushed", "charts/web", "0.1.0"),
        ("pushed", "team-a/web", "latest"),
        ("pushed", "team-a/web", "latest"),
        ("pushed", "team-a/api", "stable"),
        *sorted([("deleted", "team-a/api", "1.0"), ("deleted", "team-a/api", "stable")]),
        *([("deleted", "team-a/web", "latest")] if version == "3.1.1" else []),
    ]
    assert told[6]["data"]["previous_digest"] == WEB_1_0_0


@pytest.mark.parametrize("version", VERSIONS)
def test_the_index_does_not_depend_on_order_repetition_or_batches(
    version: str, database: Database, no_registry: ManifestFetcher
) -> None:
    apply_recording(version, database, no_registry)
    expected = remembered(database)

    @settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(random=st.randoms(use_true_random=False), size=st.integers(1, 30))
    def in_another_order(random: Random, size: int) -> None:
        told = recorded_envelopes(version)
        told += random.choices(told, k=10)
        random.shuffle(told)
        empty(database)

        for batch in steps(told, size):
            apply(batch, database, no_registry)

        assert remembered(database) == expected

    in_another_order()


def test_each_notification_is_remembered_by_its_id(database: Database, no_registry: ManifestFetcher) -> None:
    apply_recording("2.8.2", database, no_registry)

    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(inbox)) == 42
