"""``PORTUS_DELETE_GARBAGE_COLLECTOR_…``: from the environment to what is gone from the registry."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from services.catalog.settings import load_settings
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.retention import keep_environment_rule
from shared.clock import utc_now
from shared.database import Database
from shared.oci.names import Digest, RepositoryName
from tests.storage.catalog.test_retention import go_on, outcomes, runs
from tests.support.catalog import NOON, envelope_for, pull, push
from tests.support.images import Pusher
from tests.support.registry_proxy import RegistryProxy

APP = RepositoryName("team/app")
DAY_S = 86_400

Environment = Callable[..., None]
Told = Callable[..., None]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database: Database) -> Environment:
    """A function that starts a worker's retention with some variables, as far as the rule is concerned."""
    monkeypatch.setenv("PORTUS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PORTUS_INTERNAL_SECRET", "a-secret-of-the-peers")
    monkeypatch.setenv("PORTUS_SERVICE_ACCOUNT_SECRET", "a-secret-of-the-account")

    def start(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"PORTUS_DELETE_GARBAGE_COLLECTOR_{name}", value)
        keep_environment_rule(load_settings().garbage_collector, database=database, clock=utc_now)

    return start


@pytest.fixture
def told(pusher: Pusher, crawler: RepositoryCrawler, database: Database) -> Told:
    """A function that pushes an image so many days ago, and perhaps pulls it later."""

    def tell(tag: str, *, days: float, pulled_days: float | None = None) -> None:
        now_s = (utc_now() - NOON).total_seconds()
        digest = Digest(pusher.image(APP, tag)["digest"])
        happened = [push(tag, digest, now_s - days * DAY_S, id=f"push-{tag}", repository=APP)]
        if pulled_days is not None:
            happened.append(pull(digest, now_s - pulled_days * DAY_S, tag=tag, id=f"pull-{tag}", repository=APP))
        envelopes = [envelope_for(one) for one in happened]
        apply_notifications(envelopes, database=database, fetcher=crawler.fetcher, clock=utc_now)

    return tell


def left(crawler: RepositoryCrawler) -> list[str]:
    return sorted(crawler.registry.list_tags(APP).tags)


def test_what_is_old_unpulled_and_not_among_the_newest_goes(
    database: Database, proxy: RegistryProxy, crawler: RepositoryCrawler, environment: Environment, told: Told
) -> None:
    for tag, days in (("ci-1", 50), ("ci-2", 40), ("ci-3", 12), ("1.0-ci", 9), ("ci-4", 8), ("ci-5", 1), ("1.0", 90)):
        told(tag, days=days)
    told("ci-0", days=60, pulled_days=2)
    environment(ENABLED="true", OLDER_THAN="10", KEEP_LATEST="3", TAG="ci")

    assert go_on(database, proxy, days=0.1)

    # 1.0 is called otherwise, 1.0-ci to ci-5 are the newest three, and ci-0 was pulled.
    assert left(crawler) == ["1.0", "1.0-ci", "ci-0", "ci-4", "ci-5"]
    (run,) = runs(database)
    assert (run.deleted, run.kept, run.requested_by) == (3, 5, None)
    assert outcomes(database, run)[0].reason == "not among the newest 3, 50 days old, never pulled"


def test_what_is_younger_stays_whatever_its_number(
    database: Database, proxy: RegistryProxy, crawler: RepositoryCrawler, environment: Environment, told: Told
) -> None:
    """With what holds unless it is said: 30 days, and 5 tags."""
    for number in range(1, 8):
        told(f"old-{number}", days=100 - number)
    for number in range(1, 5):
        told(f"young-{number}", days=number)
    environment(ENABLED="true")

    assert go_on(database, proxy, days=0.1)

    assert left(crawler) == ["old-7", "young-1", "young-2", "young-3", "young-4"]


def test_nothing_goes_while_it_is_off_or_is_switched_off(
    database: Database, proxy: RegistryProxy, crawler: RepositoryCrawler, environment: Environment, told: Told
) -> None:
    told("1.0", days=100)
    environment(OLDER_THAN="1", KEEP_LATEST="0")
    assert not go_on(database, proxy, days=1)

    environment(ENABLED="true")
    environment(ENABLED="false")

    assert not go_on(database, proxy, days=1)
    assert left(crawler) == ["1.0"]


def test_another_start_with_other_variables_changes_the_rule(
    database: Database, proxy: RegistryProxy, crawler: RepositoryCrawler, environment: Environment, told: Told
) -> None:
    told("ci-1", days=100)
    told("1.0", days=100)
    environment(ENABLED="true", KEEP_LATEST="0", TAG="^ci")
    environment(KEEP_LATEST="0", TAG="^1")

    assert go_on(database, proxy, days=timedelta(hours=2) / timedelta(days=1))

    assert left(crawler) == ["ci-1"]
