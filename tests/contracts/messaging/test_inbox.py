"""Each message is claimed once, on either database."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from shared.contracts.events import Envelope
from shared.database import Database, new_metadata
from shared.messaging.inbox import claim_new, inbox_table, purge_inbox
from tests.support.messages import make_envelope, make_envelopes

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
METADATA = new_metadata()
INBOX = inbox_table(METADATA)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    METADATA.create_all(database.engine)
    yield database
    database.dispose()


def claim(database: Database, envelopes: list[Envelope], *, now: datetime = NOW) -> list[str]:
    with database.write() as connection:
        return [envelope.id for envelope in claim_new(connection, INBOX, envelopes, now=now)]


def test_a_message_is_new_once(database: Database) -> None:
    assert claim(database, make_envelopes(3)) == ["event-000000", "event-000001", "event-000002"]
    assert claim(database, [*make_envelopes(3), make_envelope("another")]) == ["another"]


def test_a_duplicate_in_one_batch_counts_once(database: Database) -> None:
    assert claim(database, [make_envelope("b"), make_envelope("a"), make_envelope("b")]) == ["b", "a"]


def test_the_same_id_of_another_source_is_another_message(database: Database) -> None:
    other = Envelope(id="a", source="/catalog", type="catalog.tag.pushed.v1", time=NOW, data={})

    assert claim(database, [make_envelope("a"), other]) == ["a", "a"]


def test_nothing_is_claimed_by_a_transaction_that_fails(database: Database) -> None:
    class Failed(Exception): ...

    def claim_and_fail() -> None:
        with database.write() as connection:
            claim_new(connection, INBOX, [make_envelope("a")], now=NOW)
            raise Failed

    with pytest.raises(Failed):
        claim_and_fail()

    assert claim(database, [make_envelope("a")]) == ["a"]


def test_claiming_nothing_is_fine(database: Database) -> None:
    assert claim(database, []) == []


def test_more_than_fits_in_one_statement_is_claimed(database: Database) -> None:
    assert len(claim(database, make_envelopes(1_200))) == 1_200


def test_consumers_that_race_claim_each_message_once(database: Database) -> None:
    """Promise: overlapping batches in different orders neither claim twice nor wait for each other for ever."""
    batches = [make_envelopes(200), list(reversed(make_envelopes(200))), make_envelopes(200)[50:], make_envelopes(150)]
    claimed: list[str] = []
    barrier = threading.Barrier(len(batches))

    def work(batch: list[Envelope]) -> None:
        barrier.wait(30)
        for start in range(0, len(batch), 20):
            claimed.extend(claim(database, batch[start : start + 20]))

    threads = [threading.Thread(target=work, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(claimed) == [envelope.id for envelope in make_envelopes(200)]


def test_old_messages_are_forgotten_some_at_a_time(database: Database) -> None:
    claim(database, make_envelopes(5, "old"), now=NOW - timedelta(days=8))
    claim(database, make_envelopes(5, "new"))

    with database.write() as connection:
        purged = [purge_inbox(connection, INBOX, before=NOW - timedelta(days=7), limit=3) for _ in range(3)]
        left = connection.scalar(select(func.count()).select_from(INBOX))

    assert purged == [3, 2, 0]
    assert left == 5
