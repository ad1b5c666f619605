"""A batch of notifications is applied whole and once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from services.catalog.domain.occurrences import Occurrence
from services.catalog.storage.tables import (
    inbox,
    manifest_children,
    manifest_deletions,
    outbox,
    repository_manifests,
    tags,
)
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.browse import get_freshness
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from services.catalog.usecases.purge_history import KEPT_FOR, purge_history
from shared.clock import utc_now
from shared.contracts.events import Envelope, InvalidMessage
from shared.database import Database
from shared.visibility.answers import Visibility
from tests.storage.catalog.snapshots import remembered, shown_index, shown_repositories, shown_tags
from tests.support.catalog import NOON, delete, digest_of, envelope_for, moment, pull, push
from tests.support.statements import commits

A, B = digest_of("a"), digest_of("b")


def apply(database: Database, fetcher: ManifestFetcher, *told: Occurrence | Envelope) -> None:
    messages = [envelope_for(one) if isinstance(one, Occurrence) else one for one in told]
    apply_notifications(messages, database=database, fetcher=fetcher, clock=utc_now)


def count(database: Database, table: object) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def test_a_batch_with_an_invalid_message_has_no_effect_at_all(database: Database, no_registry: ManifestFetcher) -> None:
    bad = Envelope("bad", "/notifier", "registry.notification.v1", NOON, {"action": "push", "repository": "NO"})

    with pytest.raises(InvalidMessage):
        apply(database, no_registry, push("1.0", A, 1), bad)

    assert (shown_index(database), count(database, inbox), count(database, outbox)) == ({}, 0, 0)


def test_a_batch_is_one_transaction(database: Database, no_registry: ManifestFetcher) -> None:
    told = [push(str(n), A, n, repository=f"team/app-{n % 7}") for n in range(100)]

    with commits() as made:
        apply(database, no_registry, *told)

    assert made == [1]


def test_case_50_a_message_that_comes_twice_counts_once(database: Database, no_registry: ManifestFetcher) -> None:
    told = [push("1.0", A, 1), pull(A, 2, tag="1.0")]

    apply(database, no_registry, *told, *told)
    apply(database, no_registry, *told)

    assert shown_tags(database, "team/app")[0].pulls == 1
    assert count(database, outbox) == 1


def test_an_empty_batch_is_fine(database: Database, no_registry: ManifestFetcher) -> None:
    apply(database, no_registry)

    assert shown_index(database) == {}


def test_the_index_knows_when_it_was_brought_up_to_date(database: Database, no_registry: ManifestFetcher) -> None:
    assert get_freshness(database=database).indexed_at is None

    apply(database, no_registry, push("1.0", A, 1))

    assert get_freshness(database=database).indexed_at is not None


def test_consumers_at_work_at_once_count_everything_once(database: Database, no_registry: ManifestFetcher) -> None:
    """Four of them, with the same messages in different batches and orders."""
    told = [push("1.0", A, 0), *(pull(A, second, tag="1.0") for second in range(1, 41))]
    told += [push("1.0", A, 0, id=f"other-{n}", repository=f"team/other-{n}") for n in range(5)]

    def consume(offset: int) -> None:
        turned = told[offset:] + told[:offset]
        for start in range(0, len(turned), 8):
            apply(database, no_registry, *turned[start : start + 8])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(consume, (0, 11, 22, 33)))

    assert shown_tags(database, "team/app")[0].pulls == 40
    assert len(shown_repositories(database)) == 6
    assert count(database, outbox) == 6


def test_case_119_tags_are_told_apart_by_case(database: Database, no_registry: ManifestFetcher) -> None:
    apply(database, no_registry, push("1.0-A", A, 1), push("1.0-a", B, 2))

    assert shown_index(database) == {"team/app": {"1.0-A": A, "1.0-a": B}}


def test_case_57_a_digest_that_goes_stays_in_other_repositories(
    database: Database, no_registry: ManifestFetcher
) -> None:
    apply(database, no_registry, push("1.0", A, 1), push("1.0", A, 2, repository="team/other"), delete(3, digest=A))

    assert shown_index(database) == {"team/other": {"1.0": A}}


def test_a_repository_that_is_pushed_to_again_is_the_same_repository(
    database: Database, no_registry: ManifestFetcher
) -> None:
    apply(database, no_registry, push("1.0", A, 1))
    before = shown_repositories(database)[0].id
    apply(database, no_registry, delete(2, digest=A))
    assert shown_repositories(database) == []

    apply(database, no_registry, push("1.0", A, 3))

    assert shown_repositories(database)[0].id == before


def test_tags_are_listed_with_the_newest_push_first(database: Database, no_registry: ManifestFetcher) -> None:
    apply(database, no_registry, push("2.0", A, 2), push("1.0", A, 1), push("3.0", B, 3), push("1.0", B, 4))

    assert [tag.name for tag in shown_tags(database, "team/app")] == ["1.0", "3.0", "2.0"]
    assert shown_repositories(database)[0].updated_at == moment(4)


@pytest.mark.parametrize(("q", "names"), [("RC", ["2.0-rc"]), ("2", ["2.0-rc", "2.0"]), ("_", []), ("%", [])])
def test_tags_are_found_by_a_part_of_their_name(
    q: str, names: list[str], database: Database, no_registry: ManifestFetcher
) -> None:
    apply(database, no_registry, push("1.0", A, 1), push("2.0", A, 2), push("2.0-rc", A, 3))

    assert [tag.name for tag in shown_tags(database, "team/app", q=q)] == names


class TestPulls:
    """What counts, and where it shows."""

    def test_by_digest_show_on_every_tag_that_points_there(
        self, database: Database, no_registry: ManifestFetcher
    ) -> None:
        apply(database, no_registry, push("1.0", A, 1), push("latest", A, 2), push("old", B, 3), pull(A, 4))

        assert {tag.name: tag.pulls for tag in shown_tags(database, "team/app")} == {"1.0": 1, "latest": 1, "old": 0}
        assert shown_repositories(database)[0].pulls == 1

    def test_by_containerd_are_one_pull(self, database: Database, no_registry: ManifestFetcher) -> None:
        apply(database, no_registry, push("1.0", A, 1), pull(A, 2, tag="1.0", method="HEAD"), pull(A, 3))

        tag = shown_tags(database, "team/app")[0]
        assert (tag.pulls, tag.pulled_at) == (1, moment(3))

    def test_of_our_own_do_not_count(self, database: Database, no_registry: ManifestFetcher) -> None:
        apply(database, no_registry, push("1.0", A, 1), pull(A, 2, tag="1.0", actor="portus"))

        tag = shown_tags(database, "team/app")[0]
        assert (tag.pulls, tag.pulled_at) == (0, None)

    def test_of_a_tag_are_kept_when_it_moves(self, database: Database, no_registry: ManifestFetcher) -> None:
        apply(database, no_registry, push("1.0", A, 1), pull(A, 2, tag="1.0"), push("1.0", B, 3))

        assert shown_tags(database, "team/app")[0].pulls == 1

    def test_case_56_of_an_unknown_tag_show_nothing(self, database: Database, no_registry: ManifestFetcher) -> None:
        apply(database, no_registry, pull(A, 1, tag="1.0"))

        assert shown_index(database) == {}


class TestPurge:
    """What is kept for late messages is kept for a while only."""

    def purge(self, database: Database, *, after: timedelta) -> int:
        return purge_history(database=database, clock=lambda: utc_now() + after)

    def test_forgets_old_deletions_and_ids(self, database: Database, no_registry: ManifestFetcher) -> None:
        apply(database, no_registry, push("1.0", A, 1), push("2.0", B, 2), delete(3, tag="1.0"), delete(4, digest=B))

        self.purge(database, after=KEPT_FOR + timedelta(days=1))

        assert [count(database, table) for table in (tags, manifest_deletions, inbox)] == [0, 0, 0]
        # Only the manifest of the tag that was deleted by name is still there.
        assert count(database, repository_manifests) == 1

    def test_remembers_that_what_an_index_lists_was_deleted(
        self, database: Database, no_registry: ManifestFetcher
    ) -> None:
        apply(database, no_registry, push("1.0", A, 1), push(None, B, 2), delete(3, digest=B))
        with database.write() as connection:
            row = {"parent_digest": A, "position": 0, "digest": B, "is_attestation": False}
            connection.execute(insert(manifest_children).values(row))

        self.purge(database, after=KEPT_FOR + timedelta(days=1))

        assert (count(database, manifest_deletions), count(database, repository_manifests)) == (1, 2)

    def test_leaves_what_is_shown(self, database: Database, no_registry: ManifestFetcher) -> None:
        apply(database, no_registry, push("1.0", A, 1), pull(A, 2, tag="1.0"))
        before = remembered(database)

        self.purge(database, after=timedelta(days=365))

        assert remembered(database) == before

    def test_leaves_what_is_young(self, database: Database, no_registry: ManifestFetcher) -> None:
        apply(database, no_registry, push("1.0", A, 1))

        assert self.purge(database, after=timedelta(days=1)) == 0


def test_case_58_an_image_that_another_namespace_has_too_is_in_both(
    database: Database, no_registry: ManifestFetcher
) -> None:
    apply(database, no_registry, push("1.0", A, 1, repository="a/app"), push("1.0", A, 2, repository="b/app"))

    assert shown_index(database) == {"a/app": {"1.0": A}, "b/app": {"1.0": A}}


def test_case_52_what_is_pushed_past_us_to_a_namespace_that_nobody_made_is_seen_by_overseers_only(
    database: Database, no_registry: ManifestFetcher
) -> None:
    """Portus forgot such a push; a round reports the namespace instead (``orphan_namespace``)."""
    apply(database, no_registry, push("1.0", A, 1, repository="nobodys/app"))

    assert [row.full_name for row in shown_repositories(database)] == ["nobodys/app"]
    for visibility in (Visibility(), Visibility(global_namespace=True, namespaces=("team",))):
        assert shown_repositories(database, visibility) == []
