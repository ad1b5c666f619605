"""``python -m services.catalog <command>``, as an operator types it."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import QueuePool

from services.catalog.app import new_database
from services.catalog.domain.drift import Finding, Kind
from services.catalog.domain.rounds import CrawlKind
from services.catalog.settings import Settings
from services.catalog.storage.crawls import open_crawl
from services.catalog.storage.drift import file_findings
from shared.api.serving import ServingSettings
from shared.config import Secret
from shared.database import Database
from tests.conftest import RegistryFactory
from tests.storage.catalog.snapshots import shown_index
from tests.support.catalog import NOON
from tests.support.images import Pusher
from tests.support.ports import free_port

SECRETS = {
    "PORTUS_INTERNAL_SECRET": "a-secret-among-peers",
    "PORTUS_SERVICE_ACCOUNT_SECRET": "the-secret-of-the-account",
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTUS_")}
    away = f"http://127.0.0.1:{free_port()}"
    return kept | SECRETS | {"PORTUS_DATA_DIR": str(tmp_path), "PORTUS_REGISTRY_URL": away}


def run(command: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "services.catalog", command], env=environment, capture_output=True, text=True, timeout=60
    )


def test_a_crawl_reads_the_registry_now(
    environment: dict[str, str], registry_factory: RegistryFactory, tmp_path: Path
) -> None:
    registry = registry_factory()
    pushed = Pusher(registry.url).image("team/app", "1.0")
    environment["PORTUS_REGISTRY_URL"] = registry.url
    assert run("migrate", environment).returncode == 0

    done = run("crawl", environment)

    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        ["1 repositories, 1 tags, 0 repositories not readable", "1 differences, 1 tags put right, 0 let go of"],
    )
    assert shown_index(Database(f"sqlite:///{tmp_path / 'catalog.db'}")) == {"team/app": {"1.0": pushed["digest"]}}


def test_namespaces_that_nobody_has_made_are_listed(environment: dict[str, str], tmp_path: Path) -> None:
    assert run("migrate", environment).returncode == 0
    database = Database(f"sqlite:///{tmp_path / 'catalog.db'}")
    with database.write() as connection:
        crawl = open_crawl(connection, CrawlKind.FULL, now=NOON)
        orphans = [Finding(Kind.ORPHAN_NAMESPACE, None, namespace=name) for name in ("lost", "found")]
        file_findings(connection, orphans, crawl=crawl, now=NOON)

    assert run("orphans", environment).stdout == "found,\nlost,\n"


def test_a_crawl_of_a_registry_that_is_away_ends_in_one_line(environment: dict[str, str]) -> None:
    run("migrate", environment)

    done = run("crawl", environment)

    assert done.returncode == 1
    assert "Error: registry does not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_secret_is_named(environment: dict[str, str]) -> None:
    del environment["PORTUS_SERVICE_ACCOUNT_SECRET"]

    done = run("check", environment)

    assert done.returncode == 2
    assert "PORTUS_SERVICE_ACCOUNT_SECRET" in done.stderr


@pytest.mark.parametrize("threads", [1, 8, 32])
def test_every_thread_that_serves_has_a_connection(catalog_settings: Settings, threads: int) -> None:
    """A thread without one would wait, and then be told that the database is away."""
    url = Secret("postgresql+psycopg://catalog:secret@127.0.0.1:1/catalog")
    serving = ServingSettings("127.0.0.1:0", 1, threads)

    database = new_database(replace(catalog_settings, database_url=url, serving=serving))

    assert cast("QueuePool", database.engine.pool).size() == threads


def test_check_needs_nothing_that_runs(environment: dict[str, str]) -> None:
    assert run("check", environment).returncode == 0
