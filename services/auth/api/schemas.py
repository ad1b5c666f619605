"""The bodies of accounts and sessions; field names are those of the Portus API."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.auth.api.fields import Dated, Input, text
from services.auth.api.services import services
from services.auth.domain.accounts import (
    MAX_DISPLAY_NAME_LENGTH,
    MAX_EMAIL_LENGTH,
    MAX_PASSWORD_LENGTH,
    MAX_USERNAME_LENGTH,
)
from services.auth.domain.namespaces import GLOBAL_NAMESPACE
from services.auth.storage.users import UserView
from services.auth.usecases.sessions import SignedIn

_MAX_TOKEN_LENGTH = 256
_STRING = {"type": "string"}


def _access_token(signed_in: SignedIn) -> str:
    return signed_in.access_token.token.reveal()


def _refresh_token(signed_in: SignedIn) -> str:
    return signed_in.refresh_token.reveal()


def _personal_namespace_id(user: UserView) -> int | None:
    return user.namespace.id if user.namespace else None


def shown_namespace(name: str) -> str:
    """Return how a namespace is called in answers: the global one goes by the registry's host."""
    return name or services().settings.registry_host


def stored_namespace(name: str) -> str:
    """Return the name under which a namespace is kept that a request calls so."""
    return GLOBAL_NAMESPACE if name == services().settings.registry_host else name


class UserRefOutput(Schema):
    """A person, as far as others mention them."""

    id = fields.Integer()
    username = fields.String()


class RegistryRefOutput(Schema):
    """A registry, as far as others mention it."""

    id = fields.Integer()
    name = fields.String()


class NamespaceRefOutput(Schema):
    """A namespace, as far as others mention it."""

    id = fields.Integer()
    name = fields.String()


class UserOutput(Dated):
    """A person's account."""

    id = fields.Integer()
    username = fields.String()
    email = fields.String(allow_none=True)
    display_name = fields.String(allow_none=True)
    admin = fields.Boolean()
    auditor = fields.Boolean()
    bot = fields.Boolean()
    enabled = fields.Boolean()
    namespace_id = fields.Function(_personal_namespace_id, metadata={"type": ["integer", "null"]})
    namespace = fields.Nested(NamespaceRefOutput, allow_none=True)
    current_sign_in_at = fields.AwareDateTime(allow_none=True)
    last_sign_in_at = fields.AwareDateTime(allow_none=True)
    locked_at = fields.Function(
        lambda _account: None,
        metadata={"type": "null", "description": "Always null, for clients of Portus: no account is ever locked."},
    )


class NewUserInput(Input):
    """An account to be made; the flat form or ``{"user": {…}}``."""

    wrapper = "user"

    username = text(longest=MAX_USERNAME_LENGTH, required=True)
    email = fields.Email(required=True, validate=validate.Length(max=MAX_EMAIL_LENGTH))
    password = text(longest=MAX_PASSWORD_LENGTH, required=True)
    display_name = text(longest=MAX_DISPLAY_NAME_LENGTH, load_default=None, allow_none=True)


class NewAccountInput(NewUserInput):
    """An account that an administrator makes: a person's, or a bot's, which has no password."""

    email = fields.Email(validate=validate.Length(max=MAX_EMAIL_LENGTH))
    password = text(longest=MAX_PASSWORD_LENGTH)
    administrator = fields.Boolean(data_key="admin", load_default=False)
    auditor = fields.Boolean(load_default=False)
    bot = fields.Boolean(load_default=False)

    @validates_schema
    def check_kind(self, values: dict[str, Any], **_options: Any) -> None:
        """Ask people for an address and a password, and bots for no password."""
        if values.get("bot"):
            faults = {"password": ["a bot has none: make an application token for it"]} if "password" in values else {}
        else:
            missing = [name for name in ("email", "password") if name not in values]
            faults = {name: ["Missing data for required field."] for name in missing}
        if faults:
            raise ValidationError(faults)


class UserChangeInput(Input):
    """What is to be different about an account; the flat form or ``{"user": {…}}``."""

    wrapper = "user"

    username = text(longest=MAX_USERNAME_LENGTH)
    email = fields.Email(validate=validate.Length(max=MAX_EMAIL_LENGTH))
    password = text(longest=MAX_PASSWORD_LENGTH)
    display_name = text(longest=MAX_DISPLAY_NAME_LENGTH)
    administrator = fields.Boolean(data_key="admin")
    auditor = fields.Boolean()
    enabled = fields.Boolean()


class BootstrapInput(NewUserInput):
    """The first administrator; the flat form or ``{"user": {…}}``."""

    token = fields.Boolean(
        load_default=True, metadata={"description": "Whether an application token called `bootstrap` comes along."}
    )


class SetupOutput(Schema):
    """How accounts come to be here without an administrator."""

    needs_administrator = fields.Boolean()
    signup = fields.Boolean(metadata={"description": "Whether people make their own accounts."})


class SignInInput(Input):
    """A name and a password; neither is checked against any rule, only against what is stored."""

    username = fields.String(required=True, validate=validate.Length(max=1024))
    password = fields.String(required=True, validate=validate.Length(max=1024))


class RefreshTokenInput(Input):
    """A refresh token."""

    refresh_token = fields.String(required=True, validate=validate.Length(max=_MAX_TOKEN_LENGTH))


class OwnSessionOutput(Schema):
    """A session, as its person sees it."""

    id = fields.String()
    address = fields.String()
    user_agent = fields.String()
    created_at = fields.AwareDateTime()
    last_used_at = fields.AwareDateTime()
    current = fields.Boolean()


class ProfileInput(Input):
    """What a person may change about their own account; the flat form or ``{"user": {…}}``."""

    wrapper = "user"

    email = fields.Email(validate=validate.Length(max=MAX_EMAIL_LENGTH))
    display_name = text(longest=MAX_DISPLAY_NAME_LENGTH)
    enabled = fields.Boolean(
        validate=validate.Equal(False, error="nobody enables their own account: an administrator does"),
        metadata={"description": "`false` disables the account and ends every session and login of it."},
    )


class OwnPasswordInput(Input):
    """The password that a person has, and the one that they want."""

    current_password = fields.String(required=True, validate=validate.Length(max=1024))
    password = text(longest=MAX_PASSWORD_LENGTH, required=True)


class SessionOutput(Schema):
    """What a client keeps of a session."""

    access_token = fields.Function(_access_token, metadata=_STRING)
    token_type = fields.Constant("Bearer")
    expires_in = fields.Integer(attribute="access_token.expires_in_s")
    refresh_token = fields.Function(_refresh_token, metadata=_STRING)
    user = fields.Nested(UserOutput)
