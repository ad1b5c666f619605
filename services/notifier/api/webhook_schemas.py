"""What stands in requests and answers about webhooks."""

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from services.notifier.domain.webhooks import (
    DEFAULT_HAPPENINGS,
    MAX_GLOBS,
    MAX_URL_LENGTH,
    ContentType,
    Happening,
    Method,
)
from services.notifier.storage.deliveries import Outcome
from services.notifier.usecases.webhook_rights import MAX_NAMESPACE_ID
from shared.api.lists import PRINTABLE
from shared.config import Secret

_LONGEST = 255
# RFC 7617 §2: it would end the name.
_COLONLESS = validate.Regexp(r"[^:\x00-\x1f\x7f\ud800-\udfff]*\Z", error="must hold no colon and no control characters")


def _said(description: str) -> dict[str, Any]:
    return {"description": description}


def _word(*, shortest: int = 0, longest: int = _LONGEST, **options: Any) -> fields.String:
    return fields.String(validate=[validate.Length(shortest, longest), PRINTABLE], **options)


def _choice(kind: Any, **options: Any) -> fields.String:
    return fields.String(validate=validate.OneOf([member.value for member in kind]), **options)


def _globs(what: str, **options: Any) -> fields.Field[Any]:
    glob = _word(shortest=1)
    text = f"Only {what} that one of these covers: * stands for any run of characters, ? for one. Empty: all."
    return fields.List(glob, validate=validate.Length(max=MAX_GLOBS), metadata=_said(text), **options)


class WebhookValues(Schema):
    """What can be said of a webhook."""

    name = _word(shortest=1)
    url = fields.String(
        validate=[validate.Length(max=MAX_URL_LENGTH), PRINTABLE],
        metadata=_said("http or https; without a scheme it gets http://."),
    )
    request_method = _choice(Method)
    content_type = _choice(ContentType, metadata=_said("As a form: payload=<the event as JSON>."))
    username = fields.String(
        validate=[validate.Length(max=_LONGEST), _COLONLESS],
        metadata=_said("Sent with the password (Basic), when there are both."),
    )
    password = _word(load_only=True, allow_none=True, metadata=_said("Never shown. Null or empty: none."))
    secret = _word(
        load_only=True,
        allow_none=True,
        metadata=_said("Signs each request (Standard Webhooks): whsec_<Base64>, or any text. Never shown."),
    )
    enabled = fields.Boolean()
    events = fields.List(
        _choice(Happening), validate=validate.Length(1, len(Happening)), metadata=_said("What it is told of.")
    )
    repositories = _globs("repositories (full names)")
    tags = _globs("tags")

    @post_load
    def hide(self, values: dict[str, Any], **_options: Any) -> dict[str, Any]:
        """Give what is secret its type, and name each event once."""
        for name in ("password", "secret"):
            if values.get(name):
                values[name] = Secret(values[name])
        if "events" in values:
            values["events"] = list(dict.fromkeys(values["events"]))
        return values


class NewWebhookInput(WebhookValues):
    """A webhook to be made; it is told of nothing until it is enabled."""

    namespace_id = fields.Integer(
        required=True,
        allow_none=True,
        validate=validate.Range(0, MAX_NAMESPACE_ID),
        metadata=_said("Null: the whole installation, for administrators."),
    )
    name = _word(shortest=1, required=True)
    url = fields.String(
        required=True,
        validate=[validate.Length(max=MAX_URL_LENGTH), PRINTABLE],
        metadata=_said("http or https; without a scheme it gets http://."),
    )
    request_method = _choice(Method, load_default=Method.POST.value)
    content_type = _choice(
        ContentType,
        load_default=ContentType.JSON.value,
        metadata=_said("As a form: payload=<the event as JSON>."),
    )
    enabled = fields.Boolean(load_default=False)
    events = fields.List(
        _choice(Happening),
        load_default=lambda: [happening.value for happening in DEFAULT_HAPPENINGS],
        validate=validate.Length(1, len(Happening)),
        metadata=_said("What it is told of."),
    )
    repositories = _globs("repositories (full names)", load_default=list)
    tags = _globs("tags", load_default=list)


class EnabledInput(Schema):
    """Whether a webhook is told of anything."""

    enabled = fields.Boolean(required=True)


class HeaderInput(Schema):
    """A header that is sent with every request."""

    name = _word(shortest=1, longest=128, required=True)
    value = _word(shortest=1, longest=4096, required=True)


class HeaderSchema(Schema):
    """A header that is sent with every request."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    value = fields.String(required=True, metadata=_said("*** for those who may not change the webhook."))


class WebhookSchema(Schema):
    """A webhook; password and secret are never shown."""

    id = fields.Integer(required=True)
    namespace_id = fields.Integer(required=True, allow_none=True, metadata=_said("Null: the whole installation."))
    namespace = fields.String(
        required=True, allow_none=True, metadata=_said("Null: the whole installation. Empty: the global namespace.")
    )
    name = fields.String(required=True)
    url = fields.String(
        required=True, metadata=_said("Without its query, which may hold a secret, for those who may not change it.")
    )
    request_method = fields.String(required=True)
    content_type = fields.String(required=True)
    username = fields.String(required=True)
    has_password = fields.Boolean(required=True)
    has_secret = fields.Boolean(required=True)
    enabled = fields.Boolean(required=True)
    events = fields.List(fields.String(), required=True)
    repositories = fields.List(fields.String(), required=True)
    tags = fields.List(fields.String(), required=True)
    created_by = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)
    paused = fields.String(
        required=True,
        allow_none=True,
        metadata=_said(
            "Why it rests, and what to do: its namespace went to another team, and a change with an address takes it"
            " over. Password, secret and headers of the team before are gone, and of the address only the origin is"
            " shown. Null: it does not rest."
        ),
    )
    updatable = fields.Boolean(required=True, metadata=_said("Whether the caller may change it."))
    destroyable = fields.Boolean(required=True, metadata=_said("Whether the caller may delete it."))


class WholeWebhookSchema(WebhookSchema):
    """A webhook with its headers."""

    headers = fields.List(fields.Nested(HeaderSchema), required=True)


class DeliverySchema(Schema):
    """An event that a webhook was told of, or is to be."""

    id = fields.Integer(required=True)
    uuid = fields.String(required=True, metadata=_said("The webhook-id of every request that was sent for it."))
    webhook_id = fields.Integer(required=True)
    event_source = fields.String(required=True)
    event_id = fields.String(required=True)
    event_type = fields.String(required=True)
    repository = fields.String(required=True, allow_none=True, metadata=_said("Full name. Null: it is a test."))
    tag = fields.String(required=True, allow_none=True)
    outcome = _choice(Outcome, required=True)
    status = fields.Integer(
        required=True, allow_none=True, metadata=_said("Of HTTP; 0: nobody answered. Null: not sent yet.")
    )
    fault = fields.String(required=True, allow_none=True, metadata=_said("What went wrong the last time."))
    attempts = fields.Integer(required=True)
    next_try_at = fields.AwareDateTime(required=True, allow_none=True, metadata=_said("Null: it is done."))
    created_at = fields.AwareDateTime(required=True)
    attempted_at = fields.AwareDateTime(required=True, allow_none=True, metadata=_said("The last time."))


class WholeDeliverySchema(DeliverySchema):
    """A delivery with what was sent and answered the last time, as far as it is kept."""

    request_headers = fields.Raw(
        required=True, metadata=_said("Pairs; *** for what may be secret. Null: not sent yet."), allow_none=True
    )
    request_body = fields.String(required=True, metadata=_said("The event as JSON."))
    response_headers = fields.Raw(
        required=True, allow_none=True, metadata=_said("Pairs. Null: no answer, or not for the caller.")
    )
    response_body = fields.String(
        required=True,
        allow_none=True,
        metadata=_said("The first 16 KiB, for those who may change the webhook; null for others."),
    )
