"""Deliveries, for those who may see a webhook, and sent on demand for those who may manage it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

from services.notifier.storage.deliveries import (
    DeliveryRow,
    PlannedDelivery,
    WholeDelivery,
    ask_again,
    find_delivery,
    list_deliveries,
    plan,
    purge_deleted_webhook,
    purge_deliveries,
)
from services.notifier.storage.webhooks import StoredWebhook, find_webhook
from services.notifier.usecases.log_acts import SOURCE
from services.notifier.usecases.plan_deliveries import dump_event
from services.notifier.usecases.webhook_rights import MANAGE, DeliveryNotFound, WebhookNotFound
from services.notifier.usecases.webhooks import WebhookDesk
from shared.api.paging import ListRequest
from shared.api.slices import Slice
from shared.clock import Clock
from shared.database import Database

PING = "notifier.webhook.pinged.v1"
"""The type of the event that is sent to see whether a webhook works; it is in no log."""

PURGE_BATCH = 1000


@dataclass(frozen=True, slots=True)
class DeliveryDesk:
    """Deliveries of webhooks, for one caller."""

    webhooks: WebhookDesk

    def list(self, webhook: int, asked: ListRequest) -> Slice[DeliveryRow]:
        """Return a part of the deliveries of a webhook.

        Raises:
            NotSignedIn, WebhookNotFound: the caller may not.
        """
        self._get_webhook(webhook)
        with self._database.read() as connection:
            return list_deliveries(connection, webhook, asked)

    def show(self, webhook: int, uuid: str) -> WholeDelivery:
        """Return a delivery with what was sent and, for those who may manage the webhook, answered.

        An answer may repeat what was sent, in forms in which nobody finds it: secrets among it. What was sent
        while the webhook was another team's is that team's.

        Raises:
            NotSignedIn, WebhookNotFound, DeliveryNotFound: the caller may not, or there is none.
        """
        with self._database.read() as connection:
            of = find_webhook(connection, webhook)
            found = find_delivery(connection, webhook, uuid)
        standing = self.webhooks.standing_at(of)
        if of is None or found is None:
            raise DeliveryNotFound
        if standing.is_foreign(of) or not _is_own(found, of):
            found = replace(found, request_headers=None, response_headers=None, response_body=None)
        return found if standing.may_manage else replace(found, response_headers=None, response_body=None)

    def retrigger(self, webhook: int, uuid: str) -> WholeDelivery:
        """Let a worker send a delivery once more, also of a disabled webhook; it is not tried again if that fails.

        Raises:
            NotSignedIn, NotAllowed, WebhookNotFound, DeliveryNotFound: the caller may not, or there is none.
            WebhookPaused: it rests since its namespace went to another team.
        """
        self._get_webhook(webhook, MANAGE)
        with self._database.write() as connection:
            ask_again(connection, webhook, uuid, now=self.webhooks.clock())
            found = find_delivery(connection, webhook, uuid)
        if found is None:
            raise DeliveryNotFound
        return found

    def test(self, webhook: int) -> WholeDelivery:
        """Let a worker send an event that means nothing, also to a disabled webhook.

        Raises:
            NotSignedIn, NotAllowed, WebhookNotFound: the caller may not.
        """
        found, now, uuid = self._get_webhook(webhook, MANAGE), self.webhooks.clock(), str(uuid4())
        ping = PlannedDelivery(uuid, webhook, SOURCE, uuid, PING, _ping(found, uuid, now), on_demand=True)
        with self._database.write() as connection:
            if find_webhook(connection, webhook, lock=True) is None:
                raise WebhookNotFound
            plan(connection, [ping], now=now)
            made = find_delivery(connection, webhook, uuid)
        if made is None:
            raise DeliveryNotFound
        return made

    @property
    def _database(self) -> Database:
        return self.webhooks.database

    def _get_webhook(self, webhook: int, operation: str | None = None) -> StoredWebhook:
        with self._database.read() as connection:
            found = find_webhook(connection, webhook)
        standing = self.webhooks.standing_at(found)
        if found is None:
            raise WebhookNotFound
        if operation:
            standing.require(operation)
            standing.require_own(found)
        return found


def purge_old_deliveries(*, database: Database, clock: Clock, keep_for: timedelta) -> int:
    """Delete a bounded number of deliveries that are too old, or whose webhook is gone; return how many rows."""
    with database.write() as connection:
        purged = purge_deleted_webhook(connection, limit=PURGE_BATCH)
        return purged + purge_deliveries(connection, before=clock() - keep_for, limit=PURGE_BATCH)


def _is_own(delivery: WholeDelivery, webhook: StoredWebhook) -> bool:
    return delivery.attempted_at is None or delivery.attempted_at >= webhook.owned_since


def _ping(webhook: StoredWebhook, id: str, now: datetime) -> str:
    attributes = {"id": id, "source": SOURCE, "type": PING, "time": now.isoformat(), "namespace": webhook.namespace}
    return dump_event(attributes, {"webhook_id": webhook.id, "name": webhook.name})
