"""Exactly once, in any order, with any number of processes and consumers: the index is the registry's."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from services.catalog.domain.occurrences import Occurrence
from services.catalog.storage.tables import outbox
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from shared.clock import utc_now
from shared.contracts.events import TagPushed, load_envelope
from shared.database import Database
from tests.storage.catalog.snapshots import empty, shown_index, shown_repositories
from tests.support.catalog import envelope_for, steps
from tests.support.model_registry import ModelRegistry, deliver, registries

CONSUMERS = 3


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    # To look for a smaller example would take longer than to read the one that was found.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(registry=registries(most=15), random=st.randoms(use_true_random=False))
def test_several_consumers_at_once_end_in_the_state_of_the_registry(
    database: Database, no_registry: ManifestFetcher, registry: ModelRegistry, random: Random
) -> None:
    """Every event goes to every consumer, in another order and in other batches, and some of them again."""
    empty(database)
    events = registry.events()

    consume_at_once(database, no_registry, [deliver(events, random, repeats=1) for _ in range(CONSUMERS)], random)

    assert shown_index(database) == registry.shown()
    with_tags = {name: count for name, count in (+registry.pulls).items() if name in registry.shown()}
    assert {row.full_name: row.pulls for row in shown_repositories(database) if row.pulls} == with_tags


@settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(registry=registries(most=15), random=st.randoms(use_true_random=False))
def test_what_is_told_on_ends_in_the_same_state(
    database: Database, no_registry: ManifestFetcher, registry: ModelRegistry, random: Random
) -> None:
    """Whoever follows catalog.tag.* in the order of the outbox has the tags of the registry."""
    empty(database)

    consume_at_once(database, no_registry, [deliver(registry.events(), random) for _ in range(CONSUMERS)], random)

    told: dict[tuple[str, str], str] = {}
    with database.read() as connection:
        rows = connection.scalars(select(outbox.c.envelope).order_by(outbox.c.sequence)).all()
    for envelope in map(load_envelope, rows):
        key = envelope.data["repository"], envelope.data["tag"]
        if envelope.type == TagPushed.TYPE:
            told[key] = envelope.data["digest"]
        else:
            told.pop(key, None)
    assert told == {(name, tag): digest for name, tags in registry.shown().items() for tag, digest in tags.items()}


def consume_at_once(
    database: Database, fetcher: ManifestFetcher, queues: Sequence[Sequence[Occurrence]], random: Random
) -> None:
    sizes = [random.randint(1, 9) for _ in queues]

    def consume(queue: Sequence[Occurrence], size: int) -> None:
        for batch in steps(queue, size):
            envelopes = [envelope_for(one) for one in batch]
            apply_notifications(envelopes, database=database, fetcher=fetcher, clock=utc_now, fetch_budget_s=0)

    with ThreadPoolExecutor(len(queues)) as pool:
        list(pool.map(consume, queues, sizes))
