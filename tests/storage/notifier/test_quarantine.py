from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select

from services.notifier.storage.schema import migrations
from services.notifier.storage.tables import metadata, quarantined_events
from services.notifier.usecases.keep_quarantined import forget_old_messages, keep_quarantined
from shared.contracts.events import Envelope, InvalidMessage, RegistryNotificationQuarantined, envelope_of
from shared.database import Database
from tests.support.messages import make_envelope

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def make_quarantined(id: str, raw: str = "{}") -> Envelope:
    event = RegistryNotificationQuarantined(reason="the event has no id", raw=raw)
    return envelope_of(event, id=id, source="registry/unknown", time=NOW)


def keep(database: Database, *ids: str, limit: int = 100) -> int:
    return keep_quarantined([make_quarantined(id) for id in ids], database=database, clock=lambda: NOW, keep=limit)


def kept_ids(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.scalars(select(quarantined_events.c.event_id).order_by(quarantined_events.c.id)))


def test_the_migrations_make_what_the_code_needs(database: Database) -> None:
    with database.write() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)

    assert differences == []
    assert migrations(database).fault() is None


def test_an_event_is_kept_whole(database: Database) -> None:
    keep_quarantined([make_quarantined("a", raw='{"é": 1}')], database=database, clock=lambda: NOW)

    with database.read() as connection:
        row = connection.execute(select(quarantined_events)).one()
    assert (row.event_id, row.received_at, row.reason, row.raw) == ("a", NOW, "the event has no id", '{"é": 1}')


def test_an_event_is_kept_once(database: Database) -> None:
    assert keep(database, "a", "b", "a") == 2
    assert keep(database, "b", "c") == 1
    assert kept_ids(database) == ["a", "b", "c"]


def test_when_there_are_too_many_the_oldest_go(database: Database) -> None:
    keep(database, "a", "b", "c", limit=3)
    keep(database, "d", "e", limit=3)

    assert kept_ids(database) == ["c", "d", "e"]


def test_a_message_of_another_kind_keeps_nothing(database: Database) -> None:
    envelopes = [make_quarantined("a"), make_envelope("b")]

    with pytest.raises(InvalidMessage):
        keep_quarantined(envelopes, database=database, clock=lambda: NOW)

    assert kept_ids(database) == []


def test_a_redelivery_is_recognized_for_a_week(database: Database) -> None:
    keep(database, "a")

    assert forget_old_messages(database=database, clock=lambda: NOW + timedelta(days=6)) == 0
    assert forget_old_messages(database=database, clock=lambda: NOW + timedelta(days=8)) == 1
