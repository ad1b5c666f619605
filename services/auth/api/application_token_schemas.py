"""The bodies of application tokens; field names are those of the Portus API."""

from typing import Any

from marshmallow import Schema, fields, post_load, pre_dump, validate

from services.auth.api.fields import Input, flat, moment, seconds, take_lifetime, text
from services.auth.api.grant_schemas import actions_field
from services.auth.api.schemas import UserRefOutput, shown_namespace, stored_namespace
from services.auth.domain.application_tokens import MAX_NARROWED_NAMESPACES, MAX_TOKEN_NAME_LENGTH, NewToken
from services.auth.domain.namespaces import MAX_NAMESPACE_NAME_LENGTH
from services.auth.storage.application_tokens import TokenView
from services.auth.usecases.application_tokens import MadeToken

_STRINGS = {"type": ["array", "null"], "items": {"type": "string"}}


def _actions(token: Any) -> list[str] | None:
    return None if token.actions is None else sorted(token.actions)


def _namespaces(token: TokenView) -> list[str] | None:
    return None if token.namespaces is None else [shown_namespace(name) for name in sorted(token.namespaces)]


class TokenOutput(Schema):
    """An application token, without its secret."""

    id = fields.Integer()
    application = fields.String(attribute="name")
    user = fields.Nested(UserRefOutput)
    actions = fields.Function(_actions, metadata={**_STRINGS, "description": "null: all that its owner may do."})
    namespaces = fields.Function(_namespaces, metadata={**_STRINGS, "description": "null: wherever its owner may."})
    created_by = fields.String()
    expires_at = fields.AwareDateTime(allow_none=True)
    expired = fields.Boolean()
    last_used_at = fields.AwareDateTime(allow_none=True)
    last_used_address = fields.String(allow_none=True)
    created_at = fields.AwareDateTime()


class MadeTokenOutput(TokenOutput):
    """A new application token; ``plain_token`` is never shown again."""

    plain_token = fields.String()

    @pre_dump
    def put_together(self, made: MadeToken, **_options: Any) -> Any:
        """Put the secret beside the rest."""
        return flat(made.token, plain_token=made.secret.reveal())


class NewTokenInput(Input):
    """An application token to be made."""

    name = text(shortest=1, longest=MAX_TOKEN_NAME_LENGTH, required=True, data_key="application")
    expires_at = moment(allow_none=True)
    ttl_s = seconds(metadata={"description": "How long it is to be good, in seconds, instead of expires_at."})
    actions = actions_field(allow_none=True)
    namespaces = fields.List(
        text(longest=MAX_NAMESPACE_NAME_LENGTH), allow_none=True, validate=validate.Length(1, MAX_NARROWED_NAMESPACES)
    )

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> NewToken:
        """Put the values together."""
        names, actions = values.pop("namespaces", None), values.pop("actions", None)
        return NewToken(
            values["name"],
            take_lifetime(values),
            actions=None if actions is None else frozenset(map(str, actions)),
            namespaces=None if names is None else frozenset(map(stored_namespace, names)),
        )
