"""Webhooks, for those who may see and manage them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from services.notifier.domain.addresses import Network
from services.notifier.domain.webhook_requests import MASK
from services.notifier.domain.webhooks import (
    MAX_HEADERS,
    MAX_WEBHOOKS,
    InvalidWebhook,
    check_header,
    origin_of,
    without_query,
)
from services.notifier.storage.event_log import find_recent, hold_log
from services.notifier.storage.sealing import Seal, Unsealable
from services.notifier.storage.webhooks import (
    StoredHeader,
    StoredWebhook,
    count_webhooks,
    delete_header,
    delete_headers,
    delete_webhook,
    find_webhook,
    insert_header,
    insert_webhook,
    list_headers,
    list_webhooks,
    update_webhook,
)
from services.notifier.usecases.log_acts import log_act
from services.notifier.usecases.plan_deliveries import CLOCKS_DIFFER_BY
from services.notifier.usecases.webhook_rights import (
    CREATE,
    MANAGE,
    SHOW,
    FindRights,
    HeaderNotFound,
    NamespaceNotFound,
    Standing,
    WebhookNotFound,
    WebhookPaused,
    find_standing,
)
from services.notifier.usecases.webhook_values import list_changed, to_columns
from services.notifier.usecases.webhook_views import HeaderView, WebhookView, view_webhook
from shared.api.etags import Expected
from shared.api.paging import ListRequest, Page
from shared.api.slices import Slice
from shared.clock import Clock
from shared.config import Secret
from shared.contracts.auth_events import NamespaceDeleted, NamespaceTransferred
from shared.contracts.events import WebhookChanged, WebhookCreated, WebhookDeleted
from shared.database import Database

RECENT_EVENTS = 10_000
"""So far back is looked for the end of a namespace, which may have come while a webhook was being made."""


@dataclass(frozen=True, slots=True)
class WebhookDesk:
    """Webhooks, for one caller.

    Args:
        rights: asks what the caller may do.
        allowed: networks that may be reached besides public addresses.
    """

    rights: FindRights
    seal: Seal
    allowed: Sequence[Network]
    database: Database
    clock: Clock

    def list(self, asked: ListRequest) -> Page[WebhookView] | Slice[WebhookView]:
        """Return a part of the webhooks of the namespace that is asked for, else of the whole installation.

        Raises:
            NotSignedIn, NotAllowed, NamespaceNotFound: the caller may not.
        """
        namespace_id = asked.filters.get("namespace_id")
        standing = find_standing(self.rights, namespace_id)
        standing.require(SHOW)
        with self.database.read() as connection:
            part = list_webhooks(connection, namespace_id, standing.namespace, asked)
        views = [view_webhook(webhook, standing) for webhook in part.rows]
        if isinstance(part, Slice):
            return Slice(views, part.request, part.following)
        return Page(views, part.total, part.request)

    def show(self, webhook: int) -> WebhookView:
        """Return a webhook with its headers.

        Raises:
            NotSignedIn, WebhookNotFound: the caller may not.
        """
        with self.database.read() as connection:
            found = find_webhook(connection, webhook)
            headers = list_headers(connection, webhook)
        standing = self.standing_at(found)
        return self._view_whole(_present(found), headers, standing)

    def create(self, namespace_id: int | None, values: Mapping[str, Any]) -> WebhookView:
        """Make a webhook.

        Args:
            namespace_id: ``None``: of the whole installation.
            values: by the names of the API.

        Raises:
            NotSignedIn, NotAllowed, NamespaceNotFound: the caller may not.
            InvalidWebhook: a value breaks a rule, or there are too many.
        """
        asked_at, standing = self.clock(), find_standing(self.rights, namespace_id)
        standing.require(CREATE)
        row = to_columns(values, seal=self.seal, allowed=self.allowed)
        place = {"namespace_id": namespace_id, "namespace": standing.namespace, "team_id": standing.team_id}
        with self._changing() as connection:
            if count_webhooks(connection, namespace_id) >= MAX_WEBHOOKS:
                raise InvalidWebhook({"namespace_id": [f"has {MAX_WEBHOOKS} webhooks already, which is the most"]})
            number = insert_webhook(
                connection, {"username": "", **row, **place, "created_by": standing.username}, now=self.clock()
            )
            made = _present(find_webhook(connection, number))
            log_act(connection, WebhookCreated(standing.username, **_said(made)), clock=self.clock)
            # Under the lock of the log: what becomes of the namespace is in it, or will find this webhook.
            if _is_lost(connection, made, since=asked_at - CLOCKS_DIFFER_BY):
                raise NamespaceNotFound
        return view_webhook(made, standing)

    def change(self, webhook: int, values: Mapping[str, Any], *, expected: Expected) -> WebhookView:
        """Change a webhook; what is not named stays.

        A password goes when the address leads elsewhere, unless it is given with it: whoever may change a
        webhook may not read its password, nor have it sent to themselves. One that rests since its namespace
        went to another team is taken over by whoever gives its address, and keeps no secret of the team before.

        Raises:
            NotSignedIn, NotAllowed, WebhookNotFound: the caller may not.
            WebhookPaused: it rests, and no address is given.
            InvalidWebhook: a value breaks a rule.
            PreconditionFailed: it is not what the caller has seen.
        """
        asked_at, standing = self.clock(), self._require(webhook, MANAGE)
        row = to_columns(values, seal=self.seal, allowed=self.allowed)
        with self._changing() as connection:
            before = _present(find_webhook(connection, webhook, lock=True))
            expected(self._whole(connection, before, standing))
            if standing.is_foreign(before):
                row = self._take_over(connection, before, standing, row)
            elif origin_of(row.get("url", before.url)) != origin_of(before.url):
                row = {"sealed_password": None, **row}
            changed = list_changed(before, row)
            if changed:
                update_webhook(connection, webhook, row, now=self.clock())
            after = _present(find_webhook(connection, webhook))
            if "team" in changed and _is_lost(connection, after, since=asked_at - CLOCKS_DIFFER_BY):
                raise WebhookNotFound
            self._log_change(connection, standing, after, changed)
            return self._whole(connection, after, standing)

    def delete(self, webhook: int, *, expected: Expected) -> None:
        """Delete a webhook with its headers and deliveries.

        Raises:
            NotSignedIn, NotAllowed, WebhookNotFound: the caller may not.
            PreconditionFailed: it is not what the caller has seen.
        """
        standing = self._require(webhook, CREATE)
        with self._changing() as connection:
            found = _present(find_webhook(connection, webhook, lock=True))
            expected(self._whole(connection, found, standing))
            delete_webhook(connection, webhook, now=self.clock())
            log_act(connection, WebhookDeleted(standing.username, **_said(found)), clock=self.clock)

    def add_header(self, webhook: int, name: str, value: str) -> HeaderView:
        """Let a header be sent with every request.

        Raises:
            NotSignedIn, NotAllowed, WebhookNotFound, WebhookPaused: the caller may not.
            InvalidWebhook: name or value is not HTTP's, it has one of that name, or too many.
        """
        check_header(name, value)
        standing = self._require(webhook, CREATE)
        with self._changing() as connection:
            found = _present(find_webhook(connection, webhook, lock=True))
            standing.require_own(found)
            if len(list_headers(connection, webhook)) >= MAX_HEADERS:
                raise InvalidWebhook({"name": [f"there are {MAX_HEADERS} headers already, which is the most"]})
            sealed = self.seal.close(Secret(value))
            number = insert_header(connection, webhook, name=name, sealed_value=sealed)
            if number is None:
                raise InvalidWebhook({"name": ["has already been taken"]})
            self._log_change(connection, standing, found, [f"header {name}"])
        return HeaderView(number, name, value if standing.may_manage else MASK)

    def show_header(self, webhook: int, header: int) -> HeaderView:
        """Return a header of a webhook.

        Raises:
            NotSignedIn, WebhookNotFound, HeaderNotFound: the caller may not, or there is none.
        """
        found = next((each for each in self.show(webhook).headers if each.id == header), None)
        if found is None:
            raise HeaderNotFound
        return found

    def remove_header(self, webhook: int, header: int) -> None:
        """Let a header not be sent any more.

        Raises:
            NotSignedIn, NotAllowed, WebhookNotFound, HeaderNotFound: the caller may not, or there is none.
        """
        standing = self._require(webhook, CREATE)
        with self._changing() as connection:
            found = _present(find_webhook(connection, webhook, lock=True))
            name = delete_header(connection, webhook, header)
            if name is None:
                raise HeaderNotFound
            self._log_change(connection, standing, found, [f"header {name}"])

    def standing_at(self, webhook: StoredWebhook | None) -> Standing:
        """Return what the caller may do to a webhook.

        Raises:
            NotSignedIn, WebhookNotFound: there is none, or the caller may not see it.
        """
        try:
            # Also where there is none: who is calling is found out in any case.
            standing = find_standing(self.rights, webhook.namespace_id if webhook else None)
        except NamespaceNotFound as fault:
            raise WebhookNotFound from fault
        # A number of a namespace that is gone may be another one's by now.
        if webhook is None or not standing.may_show or webhook.namespace != standing.namespace:
            raise WebhookNotFound
        return standing

    def _require(self, webhook: int, operation: str) -> Standing:
        with self.database.read() as connection:
            found = find_webhook(connection, webhook)
        standing = self.standing_at(found)
        standing.require(operation)
        return standing

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        """Open a transaction that ends in the log; events that come in meanwhile change webhooks after it."""
        with self.database.write() as connection:
            hold_log(connection)
            yield connection

    def _take_over(
        self, connection: Connection, webhook: StoredWebhook, standing: Standing, row: Mapping[str, Any]
    ) -> dict[str, Any]:
        if "url" not in row:
            raise WebhookPaused
        delete_headers(connection, webhook.id)
        # Nothing goes on by itself, and nothing that is secret goes with it.
        bare = {"enabled": False, "username": "", "sealed_password": None, "sealed_secret": None}
        return {**bare, **row, "team_id": standing.team_id, "transferred_at": None, "taken_over_at": self.clock()}

    def _whole(self, connection: Connection, webhook: StoredWebhook, standing: Standing) -> WebhookView:
        return self._view_whole(webhook, list_headers(connection, webhook.id), standing)

    def _view_whole(self, webhook: StoredWebhook, headers: Sequence[StoredHeader], standing: Standing) -> WebhookView:
        readable = standing.may_manage and not standing.is_foreign(webhook)
        shown = [HeaderView(each.id, each.name, self._shown(each, readable=readable)) for each in headers]
        return view_webhook(webhook, standing, shown)

    def _shown(self, header: StoredHeader, *, readable: bool) -> str:
        if not readable:
            return MASK
        try:
            return self.seal.open(header.sealed_value).reveal()
        except Unsealable:
            return MASK

    def _log_change(
        self, connection: Connection, standing: Standing, webhook: StoredWebhook, changed: Sequence[str]
    ) -> None:
        if changed:
            event = WebhookChanged(
                standing.username, changed=", ".join(changed), enabled=webhook.enabled, **_said(webhook)
            )
            log_act(connection, event, clock=self.clock)


def _present(webhook: StoredWebhook | None) -> StoredWebhook:
    if webhook is None:
        raise WebhookNotFound
    return webhook


def _said(webhook: StoredWebhook) -> dict[str, Any]:
    return {
        "webhook_id": webhook.id,
        "name": webhook.name,
        "url": without_query(webhook.url),
        "namespace": webhook.namespace,
    }


def _is_lost(connection: Connection, webhook: StoredWebhook, *, since: datetime) -> bool:
    """Tell whether the namespace ended, or went to another team, since somebody's rights were asked for."""
    if webhook.namespace_id is None or webhook.namespace is None:
        return False
    # Before that there was another one of this name, and perhaps of this number.
    ended, moved = (
        find_recent(connection, type, webhook.namespace, since=since, within=RECENT_EVENTS)
        for type in (NamespaceDeleted.TYPE, NamespaceTransferred.TYPE)
    )
    lost = [*ended, *(data for data in moved if data.get("team_id") != webhook.team_id)]
    return any(data.get("namespace_id") == webhook.namespace_id for data in lost)
