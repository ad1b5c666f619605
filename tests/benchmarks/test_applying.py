"""How many events a second become the index, beside the same messages merely inserted in the same batches.

On PostgreSQL, one consumer, batches as the consumer takes them; every manifest is known already, so that
no request to the registry is measured.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from random import Random

import pytest
from sqlalchemy import JSON, Column, MetaData, String, Table, func, insert, select

from services.catalog.domain.occurrences import Occurrence
from services.catalog.storage.tables import inbox
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from shared.clock import utc_now
from shared.contracts.events import Envelope, dump_envelope
from shared.database import Database
from shared.oci.names import Digest
from tests.conftest import RegistryFactory
from tests.support.catalog import envelope_for, new_index, pull, push, steps
from tests.support.catalog_clients import new_client, new_fetcher
from tests.support.images import Pusher

EVENTS, BATCH = 6_000, 100
REPOSITORIES, TAGS, IMAGES = 100, 20, 20
PULLS = 0.6
"""Part of all events: more is pulled than pushed."""
HOME = "bench/home"
"""Where the images are that the events tell of."""

floor = Table("benchmark_floor", MetaData(), Column("id", String(255), primary_key=True), Column("body", JSON))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = new_index(database_url)
    floor.create(database.engine)
    yield database
    database.dispose()


@pytest.mark.benchmark
@pytest.mark.timeout(300)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_events_applied_per_second(
    database: Database, registry_factory: RegistryFactory, show_figures: Callable[[str], None]
) -> None:
    """Prints both rates; asserts only that nothing was left out."""
    registry = registry_factory()
    pusher = Pusher(registry.url)
    images = [Digest(pusher.image(HOME)["digest"]) for _ in range(IMAGES)]
    with closing(new_fetcher(new_client(registry.url), database)) as fetcher:
        _apply(
            database, fetcher, [envelope_for(push(None, image, n, repository=HOME)) for n, image in enumerate(images)]
        )
        envelopes = [envelope_for(one) for one in _stream(images)]
        inserted = _rate(lambda batch: _insert(database, batch), envelopes)
        applied = _rate(lambda batch: _apply(database, fetcher, batch), envelopes)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(inbox)) == IMAGES + EVENTS

    show_figures(
        f"PostgreSQL, batches of {BATCH}: {applied:.0f} events applied per second;"
        f" {inserted:.0f} merely inserted; ratio {applied / inserted:.2f}"
    )


def _stream(images: Sequence[Digest]) -> Iterator[Occurrence]:
    random = Random(4)
    for number in range(EVENTS):
        image, repository = random.choice(images), f"bench/app-{random.randrange(REPOSITORIES)}"
        tag, at = f"v{random.randrange(TAGS)}", 100 + number
        if random.random() < PULLS:
            yield pull(image, at, tag=tag, repository=repository)
        else:
            yield push(tag, image, at, repository=repository)


def _apply(database: Database, fetcher: ManifestFetcher, batch: Sequence[Envelope]) -> None:
    apply_notifications(batch, database=database, fetcher=fetcher, clock=utc_now, fetch_budget_s=10)


def _insert(database: Database, batch: Sequence[Envelope]) -> None:
    rows = [{"id": envelope.id, "body": dump_envelope(envelope)} for envelope in batch]
    with database.write() as connection:
        connection.execute(insert(floor), rows)


def _rate(work: Callable[[Sequence[Envelope]], None], envelopes: Sequence[Envelope]) -> float:
    started = time.perf_counter()
    for batch in steps(envelopes, BATCH):
        work(batch)
    return len(envelopes) / (time.perf_counter() - started)
