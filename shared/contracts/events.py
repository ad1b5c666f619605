"""Message types, one frozen dataclass each, in a CloudEvents 1.0 envelope.

Source: CloudEvents 1.0 "Context Attributes" and its JSON format; names are
``<service>.<noun>.<past participle>.v<N>``; what one worker asks of another begins with ``tasks``.
Those about people, teams and namespaces are in ``auth_events``.
"""

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from shared.contracts.auth_events import (
    MemberAdded,
    MemberRemoved,
    MemberUpdated,
    NamespaceDeleted,
    NamespaceFrozen,
    NamespaceTransferred,
    NamespaceUnfrozen,
    NamespaceUpdated,
    TeamCreated,
    TeamDeleted,
    TeamUpdated,
    UserCreated,
    UserDeleted,
    UserUpdated,
)

EXCHANGE = "portus.events"
"""The topic exchange of all services; a message's type is its routing key."""


class InvalidMessage(ValueError):
    """A message is not one that its type promises; it belongs with the dead letters."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """CloudEvents attributes and the data of one message."""

    id: str
    """Unique together with ``source``; what a consumer's inbox remembers."""
    source: str
    """URI reference of who says so: ``/notifier``, ``/catalog``."""
    type: str
    time: datetime
    """When it happened, aware UTC."""
    data: Mapping[str, Any]
    subject: str | None = None
    """What it is about, where one name says it: a repository, a user."""


@dataclass(frozen=True, slots=True)
class RegistryNotification:
    """One event of a registry, as its notifier received it; every optional field may be absent."""

    TYPE: ClassVar[str] = "registry.notification.v1"

    action: str
    """``push``, ``pull``, ``mount``, ``delete``, or one that is yet to come."""
    repository: str
    registry: str
    """The registry's own address as the client used it (``request.host``); may be empty."""
    instance_id: str | None = None
    """New at every start of a registry process."""
    digest: str | None = None
    tag: str | None = None
    media_type: str | None = None
    size_bytes: int | None = None
    method: str | None = None
    """HTTP verb of the client's request: a ``HEAD`` is a check, not a pull."""
    user_agent: str | None = None
    address: str | None = None
    actor: str | None = None
    """``sub`` of the token that was used."""
    from_repository: str | None = None


@dataclass(frozen=True, slots=True)
class RegistryNotificationQuarantined:
    """An event that the notifier could not understand, kept whole."""

    TYPE: ClassVar[str] = "registry.notification.quarantined.v1"

    reason: str
    raw: str
    """The event as received, cut at 64 KiB."""


@dataclass(frozen=True, slots=True)
class TagPushed:
    """A tag points at a digest from now on."""

    TYPE: ClassVar[str] = "catalog.tag.pushed.v1"

    repository: str
    tag: str
    digest: str
    previous_digest: str | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class TagDeleted:
    """A tag is gone."""

    TYPE: ClassVar[str] = "catalog.tag.deleted.v1"

    repository: str
    tag: str
    digest: str | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class TagOverwritten:
    """A tag that a rule says must not move points at something else; its push is told of as well."""

    TYPE: ClassVar[str] = "catalog.tag.overwritten.v1"

    repository: str
    tag: str
    digest: str
    previous_digest: str
    rule_id: int
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class ScanFinished:
    """A manifest was looked through for vulnerabilities, for the first time or with another result than before.

    One message for each repository in which a tag points at it.
    """

    TYPE: ClassVar[str] = "catalog.scan.finished.v1"

    repository: str
    digest: str
    scanner: str
    """The name under which the catalogue knows the scanner."""
    critical: int
    high: int
    medium: int
    low: int
    negligible: int
    unknown: int
    severity: str | None = None
    """The worst: ``Critical``, ``High``, ``Medium``, ``Low``, ``Negligible`` or ``Unknown``; absent: none was found."""


@dataclass(frozen=True, slots=True)
class RepositoryCrawlRequested:
    """A crawl asks any worker of the catalogue to read a repository.

    A task and not something that has happened: it has a prefix of its own, so that nobody who listens to
    ``catalog.#`` is sent one for every repository of every round.
    """

    TYPE: ClassVar[str] = "tasks.repository.crawl_requested.v1"

    repository: str
    crawl: int
    run: str
    """The crawl's run that waits for the answer; what another one has asked for is of no use to anybody."""
    deep: bool
    """Whether every tag is looked at."""
    rate: int
    """Requests a second that all workers together may send for the crawl; 0: as many as they can."""


@dataclass(frozen=True, slots=True)
class NamespaceCreated:
    """A namespace exists from now on."""

    TYPE: ClassVar[str] = "auth.namespace.created.v1"

    name: str
    team: str
    visibility: str


@dataclass(frozen=True, slots=True)
class GrantCreated:
    """A person, a team or a robot may do something from now on."""

    TYPE: ClassVar[str] = "auth.grant.created.v1"

    grant_id: int
    grantee_kind: str
    """``user``, ``team`` or ``robot``."""
    grantee: str
    pattern: str
    """Of full repository names; ``*`` stands for any run of characters."""
    actions: str
    """Separated by commas, sorted."""
    namespace: str | None = None
    """The only one in which it holds; empty: the global one. Absent: it holds in many."""
    expires_at: str | None = None
    """RFC 3339."""
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class GrantChanged:
    """A grant allows something else, or until another moment; the fields say what holds now."""

    TYPE: ClassVar[str] = "auth.grant.changed.v1"

    grant_id: int
    grantee_kind: str
    grantee: str
    pattern: str
    actions: str
    namespace: str | None = None
    expires_at: str | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class GrantRevoked:
    """A grant is gone; one that ends by itself sends nothing."""

    TYPE: ClassVar[str] = "auth.grant.revoked.v1"

    grant_id: int
    grantee_kind: str
    grantee: str
    pattern: str
    actions: str
    namespace: str | None = None
    expires_at: str | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class RobotCreated:
    """A robot account exists from now on; its grants are told of by themselves."""

    TYPE: ClassVar[str] = "auth.robot.created.v1"

    username: str
    namespace: str | None = None
    """The namespace that it belongs to; empty: the global one."""
    team: str | None = None
    """The team that it belongs to; neither: the installation."""
    expires_at: str | None = None
    """RFC 3339."""
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class RobotChanged:
    """A robot account is different: enabled or not, its end, from where it may be used, its secrets."""

    TYPE: ClassVar[str] = "auth.robot.changed.v1"

    username: str
    namespace: str | None = None
    team: str | None = None
    expires_at: str | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class RobotDeleted:
    """A robot account is gone, with its grants and secrets."""

    TYPE: ClassVar[str] = "auth.robot.deleted.v1"

    username: str
    namespace: str | None = None
    team: str | None = None
    expires_at: str | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class TokenPushGranted:
    """Somebody got tokens that allow to change a repository; one message stands for those of a short time.

    Bookkeeping between services, for noticing pushes and deletions that nobody told us of: no part of the event log.
    """

    TYPE: ClassVar[str] = "auth.token.push_granted.v1"

    repository: str
    issued_at: str
    """RFC 3339: when the first of them was issued."""
    expires_at: str
    """RFC 3339: when the last of them expires."""
    actor: str | None = None
    """``sub`` of the tokens: one message is about one actor and one repository."""
    tokens: int = 1
    """How many tokens the message stands for."""
    pushes: bool = True
    """Whether they allow a push; else only to delete, and no push is to be expected."""


@dataclass(frozen=True, slots=True)
class DeadLettersReplayed:
    """An administrator let dead letters go back to their queues."""

    TYPE: ClassVar[str] = "notifier.dead_letters.replayed.v1"

    actor: str
    letters: int
    queue: str | None = None
    """Only those of this queue, if it was narrowed to one."""


@dataclass(frozen=True, slots=True)
class DeadLettersDropped:
    """An administrator threw dead letters away."""

    TYPE: ClassVar[str] = "notifier.dead_letters.dropped.v1"

    actor: str
    letters: int
    queue: str | None = None
    """Only those of this queue, if it was narrowed to one."""


@dataclass(frozen=True, slots=True)
class QuarantineReplayed:
    """An administrator had quarantined events read again, and these were understood."""

    TYPE: ClassVar[str] = "notifier.quarantine.replayed.v1"

    actor: str
    events: int


@dataclass(frozen=True, slots=True)
class QuarantineDropped:
    """An administrator threw quarantined events away."""

    TYPE: ClassVar[str] = "notifier.quarantine.dropped.v1"

    actor: str
    events: int


@dataclass(frozen=True, slots=True)
class WebhookCreated:
    """A webhook exists from now on."""

    TYPE: ClassVar[str] = "notifier.webhook.created.v1"

    actor: str
    webhook_id: int
    name: str
    url: str
    """Without its query, which may hold a secret."""
    namespace: str | None = None
    """Whose events it is told of; empty: the global one. Absent: the whole installation's."""


@dataclass(frozen=True, slots=True)
class WebhookChanged:
    """A webhook is different, or is switched on or off."""

    TYPE: ClassVar[str] = "notifier.webhook.changed.v1"

    actor: str
    webhook_id: int
    name: str
    changed: str
    """Names of what is different, separated by commas."""
    enabled: bool
    url: str
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookDeleted:
    """A webhook is gone, with its deliveries."""

    TYPE: ClassVar[str] = "notifier.webhook.deleted.v1"

    actor: str
    webhook_id: int
    name: str
    url: str
    namespace: str | None = None


EventData = (
    RegistryNotification
    | RegistryNotificationQuarantined
    | TagPushed
    | TagDeleted
    | TagOverwritten
    | ScanFinished
    | RepositoryCrawlRequested
    | NamespaceCreated
    | GrantCreated
    | GrantChanged
    | GrantRevoked
    | NamespaceUpdated
    | NamespaceTransferred
    | NamespaceFrozen
    | NamespaceUnfrozen
    | NamespaceDeleted
    | TeamCreated
    | TeamUpdated
    | TeamDeleted
    | MemberAdded
    | MemberUpdated
    | MemberRemoved
    | UserCreated
    | UserUpdated
    | UserDeleted
    | RobotCreated
    | RobotChanged
    | RobotDeleted
    | TokenPushGranted
    | DeadLettersReplayed
    | DeadLettersDropped
    | QuarantineReplayed
    | QuarantineDropped
    | WebhookCreated
    | WebhookChanged
    | WebhookDeleted
)
Data = TypeVar("Data")


class _EnvelopeSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    specversion = fields.String(required=True, validate=validate.Equal("1.0"))
    id = fields.String(required=True, validate=validate.Length(1, 255))
    source = fields.String(required=True)
    type = fields.String(required=True)
    time = fields.AwareDateTime(required=True)
    subject = fields.String(load_default=None, allow_none=True)
    data = fields.Dict(required=True)


_ENVELOPE = _EnvelopeSchema()


def envelope_of(event: EventData, *, id: str, source: str, time: datetime, subject: str | None = None) -> Envelope:
    """Put an event into its envelope; absent optional fields are left out of the data."""
    # Events are flat; asdict would copy each of their values, which costs more than everything else here.
    values = ((name, getattr(event, name)) for name in _FIELD_NAMES[event.TYPE])
    data = {name: value for name, value in values if value is not None}
    return Envelope(id=id, source=source, type=event.TYPE, time=time, data=data, subject=subject)


_FIELD_NAMES = {
    kind.TYPE: tuple(field.name for field in dataclasses.fields(kind)) for kind in typing.get_args(EventData)
}


def dump_envelope(envelope: Envelope) -> dict[str, Any]:
    """Dump an envelope as the CloudEvents JSON format (structured mode)."""
    attributes = {
        "specversion": "1.0",
        "id": envelope.id,
        "source": envelope.source,
        "type": envelope.type,
        "time": envelope.time.isoformat(),
        "datacontenttype": "application/json",
        "data": dict(envelope.data),
    }
    return attributes | ({"subject": envelope.subject} if envelope.subject else {})


def load_envelope(body: object) -> Envelope:
    """Read a CloudEvents JSON object.

    Raises:
        InvalidMessage: an attribute is missing or of the wrong form.
    """
    try:
        loaded = _ENVELOPE.load(body)  # type: ignore[arg-type]
    except ValidationError as fault:
        raise InvalidMessage(f"not a CloudEvents 1.0 message: {fault.messages}") from fault
    loaded.pop("specversion")
    return Envelope(**loaded | {"time": _utc(loaded["time"])})


def _utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError as fault:
        raise InvalidMessage("not a CloudEvents 1.0 message: its time is outside the calendar") from fault


def load_data(kind: type[Data], data: Mapping[str, Any]) -> Data:
    """Read an envelope's data as one of the types above; unknown fields are passed over.

    Raises:
        InvalidMessage: a field that the type needs is missing.
    """
    known = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    try:
        return kind(**{name: value for name, value in data.items() if name in known})
    except TypeError as fault:
        raise InvalidMessage(f"not a {kind.__name__}: {fault}") from fault
