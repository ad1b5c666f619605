"""What follows for webhooks when events come into the log, in the transaction that brings them in."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import uuid4

import structlog
from sqlalchemy import Connection

from services.notifier.domain.webhooks import HAPPENINGS, Selection
from services.notifier.storage.deliveries import PlannedDelivery, plan
from services.notifier.storage.event_log import Appended
from services.notifier.storage.event_queries import FOR_OVERSEERS
from services.notifier.storage.webhooks import delete_webhooks_of, list_selections, pause_webhooks_of
from shared.contracts.auth_events import NamespaceDeleted, NamespaceTransferred

CLOCKS_DIFFER_BY = timedelta(minutes=1)
"""So much the clocks of ``auth`` and of a notifier may differ."""

log = structlog.get_logger(__name__)


def plan_deliveries(connection: Connection, appended: Sequence[Appended], *, now: datetime) -> None:
    """Plan one delivery for each event and each webhook that is told of it.

    First the webhooks of a namespace that is gone go, for whoever gets its name is another, and those of one
    that went to another team rest.
    """
    for event in appended:
        if event.entry.type == NamespaceDeleted.TYPE:
            _forget_namespace(connection, event, now=now)
        elif event.entry.type == NamespaceTransferred.TYPE:
            _hand_over_namespace(connection, event, now=now)
    told = [event for event in appended if event.entry.type in HAPPENINGS and event.entry.repository]
    if told:
        selections = list_selections(connection, {event.entry.namespace or "" for event in told})
        plan(connection, [*_planned(told, selections)], now=now)


def dump_event(attributes: dict[str, Any], data: dict[str, Any]) -> str:
    """Dump an event as a receiver gets it, without what only overseers see.

    Source: CloudEvents 1.0, JSON format, structured mode.
    """
    shown = {name: value for name, value in data.items() if name not in FOR_OVERSEERS}
    body = {"specversion": "1.0", **attributes, "datacontenttype": "application/json", "data": shown}
    return json.dumps(body, separators=(",", ":"))


def _planned(told: Sequence[Appended], selections: Sequence[tuple[int, Selection]]) -> Iterator[PlannedDelivery]:
    for event in told:
        webhooks = [webhook for webhook, selection in selections if _is_told(selection, event)]
        body = _dump(event) if webhooks else ""
        for webhook in webhooks:
            entry = event.entry
            yield PlannedDelivery(str(uuid4()), webhook, entry.source, entry.id, entry.type, body)


def _is_told(selection: Selection, event: Appended) -> bool:
    entry = event.entry
    return selection.covers(
        HAPPENINGS[entry.type],
        namespace=entry.namespace or "",
        repository=entry.repository or "",
        tag=str(entry.data.get("tag", "")),
    )


def _dump(event: Appended) -> str:
    entry = event.entry
    attributes = {
        "id": entry.id,
        "source": entry.source,
        "type": entry.type,
        "time": entry.time.isoformat(),
        "subject": entry.subject,
        "sequence": event.sequence,
        "repository": entry.repository,
        "namespace": entry.namespace,
    }
    return dump_event(attributes, entry.data)


def _forget_namespace(connection: Connection, event: Appended, *, now: datetime) -> None:
    meant = _find_meant(event)
    gone = delete_webhooks_of(connection, **meant, now=now) if meant else 0
    if meant and gone:
        log.info("webhooks.namespace_gone", namespace=meant["namespace"], webhooks=gone)


def _hand_over_namespace(connection: Connection, event: Appended, *, now: datetime) -> None:
    meant, team_id = _find_meant(event), event.entry.data.get("team_id")
    team_id = team_id if type(team_id) is int else None
    paused = pause_webhooks_of(connection, **meant, team_id=team_id, now=now) if meant else 0
    if meant and paused:
        log.info("webhooks.namespace_transferred", namespace=meant["namespace"], webhooks=paused)


class _Meant(TypedDict):
    """Which webhooks an event about a namespace is about."""

    namespace: str
    namespace_id: int | None
    before: datetime


def _find_meant(event: Appended) -> _Meant | None:
    namespace_id, name = event.entry.data.get("namespace_id"), event.entry.data.get("name")
    if not isinstance(name, str) or not (namespace_id is None or isinstance(namespace_id, int)):
        return None
    # With both name and number it can hardly be another one, so the clocks need not agree.
    before = event.entry.time if namespace_id is None else event.entry.time + CLOCKS_DIFFER_BY
    return _Meant(namespace=name, namespace_id=namespace_id, before=before)
