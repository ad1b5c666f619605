"""A webhook's turn: what is due is sent, one after the other, and what came of it is noted.

A worker that is killed between the two sends again when its lease has ended, under the same ``webhook-id``:
a receiver hears of everything at least once, and can tell what it has heard already.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from uuid import uuid4

import structlog

from services.notifier.domain.retries import find_pause
from services.notifier.domain.webhook_requests import (
    Headers,
    Request,
    build_headers,
    encode_body,
    hide_echoes,
    mask_headers,
)
from services.notifier.storage.deliveries import Outcome
from services.notifier.storage.sealing import Seal, Unsealable
from services.notifier.storage.turns import (
    Due,
    Lane,
    Settled,
    end_turn,
    find_due,
    give_turns,
    is_anyone_waiting,
    settle,
)
from shared.clock import Clock
from shared.database import Database

SENT_PER_TURN = 10
"""How many deliveries a webhook is sent before others have their turn."""

SLOW_S = 2.0
"""A host that takes longer shares the threads of those that fail."""

USER_AGENT = "portus-webhook/1"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered, or why there is no answer."""

    status: int
    """Of HTTP; 0: nobody answered."""
    fault: str | None = None
    headers: Headers = ()
    body: str = ""
    """As much as is kept."""
    took_s: float = 0.0

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300 and self.fault is None

    @property
    def is_slow(self) -> bool:
        return self.took_s > SLOW_S

    @property
    def is_sound(self) -> bool:
        return self.is_good and not self.is_slow


Send = Callable[[Request], Answer]
"""Sends a request once; whatever happens is an answer."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A webhook's turn."""

    webhook: int
    host: str
    lease: str
    sound: bool
    """Whether it was among those who are quick and fail not."""


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Gives webhooks their turns and takes them.

    Args:
        max_attempts: how often a delivery is sent before it has failed.
        lease_for: how long one attempt takes at the most.
    """

    send: Send
    seal: Seal
    database: Database
    clock: Clock
    max_attempts: int
    lease_for: timedelta

    def give_turns(self, lane: Lane, *, limit: int) -> list[Turn]:
        """Give webhooks that have something due their turns."""
        if limit < 1:
            return []
        now, lease = self.clock(), uuid4().hex
        with self.database.read() as connection:
            if not is_anyone_waiting(connection, lane, now=now):
                return []
        with self.database.write() as connection:
            given = give_turns(connection, lane, limit=limit, lease=lease, now=now, until=now + self.lease_for)
        return [Turn(webhook, host, lease, lane.sound) for webhook, host in given]

    def take_turn(self, turn: Turn, stop: Event) -> None:
        """Send what is due, up to a number and to the first that is not taken well, then let others."""
        last: Answer | None = None
        took_s = 0.0
        for _ in range(SENT_PER_TURN):
            with self.database.read() as connection:
                due = find_due(connection, turn.webhook, now=self.clock())
            if due is None:
                break
            answer, settled = self._attempt(due)
            with self.database.write() as connection:
                now = self.clock()
                if not settle(connection, due, settled, lease=turn.lease, now=now, until=now + self.lease_for):
                    log.warning("webhooks.turn_lost", webhook=turn.webhook)
                    return
            if answer:
                last = answer
                took_s += answer.took_s
            if (last and not last.is_sound) or took_s > SLOW_S or stop.is_set():
                break
        learnt = {"sound": last.is_sound, "slow": last.is_slow} if last else {"sound": None, "slow": None}
        with self.database.write() as connection:
            end_turn(connection, turn.webhook, lease=turn.lease, **learnt, now=self.clock())

    def _attempt(self, due: Due) -> tuple[Answer | None, Settled]:
        if due.webhook.transferred_at:
            return None, _given_up(due, "The namespace went to another team before this was sent.")
        if not (due.webhook.enabled or due.on_demand):
            return None, _given_up(due, "The webhook was disabled before this was sent.")
        try:
            request, custom = self._request(due)
        except Unsealable:
            fault = "Its password, secret or headers cannot be read since PORTUS_INTERNAL_SECRET is another: enter them"
            return None, _given_up(due, f"{fault} again.")
        answer = self.send(request)
        settled = self._settled(due, answer, request.headers, mask_headers(request.headers, custom))
        _note(due, settled)
        return answer, settled

    def _request(self, due: Due) -> tuple[Request, Headers]:
        webhook, body = due.webhook, encode_body(due.request_body, due.webhook.content_type)
        custom = [(header.name, self.seal.open(header.sealed_value).reveal()) for header in due.headers]
        password = self._open(webhook.sealed_password)
        headers = build_headers(
            body,
            id=due.uuid,
            now=self.clock(),
            content_type=webhook.content_type,
            user_agent=USER_AGENT,
            # Both are there, as in SUSE Portus.
            credentials=(webhook.username, password) if webhook.username and password is not None else None,
            secret=self._open(webhook.sealed_secret),
            custom=custom,
        )
        return Request(webhook.method, webhook.url, headers, body), custom

    def _open(self, sealed: str | None) -> str | None:
        return None if sealed is None else self.seal.open(sealed).reveal()

    def _settled(self, due: Due, answer: Answer, sent: Headers, kept: Headers) -> Settled:
        attempts = due.attempts + 1
        pause = None
        if not (answer.is_good or due.on_demand):
            pause = find_pause(attempts, max_attempts=self.max_attempts)
        outcome = Outcome.DELIVERED if answer.is_good else Outcome.PENDING if pause else Outcome.FAILED
        return Settled(
            outcome,
            attempts,
            answer.fault,
            answer.status,
            self.clock() + pause if pause else None,
            kept,
            [(name, hide_echoes(value, sent, kept)) for name, value in answer.headers],
            hide_echoes(answer.body, sent, kept),
        )


def _given_up(due: Due, fault: str) -> Settled:
    return Settled(Outcome.FAILED, due.attempts, fault)


def _note(due: Due, settled: Settled) -> None:
    # Never an address, a header or a body: all of them may hold a secret.
    log.info(
        "webhooks.attempted",
        webhook=due.webhook.id,
        delivery=due.uuid,
        outcome=settled.outcome.value,
        status=settled.status,
        attempts=settled.attempts,
    )
