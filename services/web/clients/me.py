"""What the portal asks of `auth` about the person who is signed in: profile, tokens, sessions, logins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import fields

from services.web.clients.peer import Peer
from services.web.clients.schemas import Made, Moment, Text
from services.web.clients.sessions import Visitor
from shared.api.paging import Page, PageRequest
from shared.config import Secret


@dataclass(frozen=True, slots=True)
class Profile:
    """An account, as its owner sees it."""

    id: int
    username: str
    display_name: str | None
    email: str | None
    admin: bool
    auditor: bool
    created_at: datetime | None
    last_sign_in_at: datetime | None


@dataclass(frozen=True, slots=True)
class Token:
    """An application token, without its secret; ``None`` does not narrow it."""

    id: int
    application: str
    actions: Sequence[str] | None
    namespaces: Sequence[str] | None
    expires_at: datetime | None
    expired: bool
    last_used_at: datetime | None
    last_used_address: str | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A session in a browser."""

    id: str
    address: str
    user_agent: str
    current: bool
    created_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Login:
    """What a ``docker login`` left on a machine."""

    id: int
    client_id: str
    address: str
    credential: str
    created_at: datetime | None
    last_used_at: datetime | None
    expires_at: datetime | None


class _ProfileSchema(Made):
    makes = Profile
    id = fields.Integer(required=True)
    username = fields.String(required=True)
    display_name, email = Text(), Text()
    admin = fields.Boolean(load_default=False)
    auditor = fields.Boolean(load_default=False)
    created_at, last_sign_in_at = Moment(), Moment()


class _TokenSchema(Made):
    makes = Token
    id = fields.Integer(required=True)
    application = fields.String(required=True)
    actions = fields.List(fields.String(), allow_none=True, load_default=None)
    namespaces = fields.List(fields.String(), allow_none=True, load_default=None)
    expires_at, last_used_at, created_at = Moment(), Moment(), Moment()
    expired = fields.Boolean(load_default=False)
    last_used_address = Text()


class _SessionSchema(Made):
    makes = BrowserSession
    id = fields.String(required=True)
    address = fields.String(load_default="")
    user_agent = fields.String(load_default="")
    current = fields.Boolean(load_default=False)
    created_at, last_used_at = Moment(), Moment()


class _LoginSchema(Made):
    makes = Login
    id = fields.Integer(required=True)
    client_id = fields.String(load_default="")
    address = fields.String(load_default="")
    credential = fields.String(load_default="")
    created_at, last_used_at, expires_at = Moment(), Moment(), Moment()


class MeClient:
    """Asks `auth` about the visitor's own account."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def get(self, visitor: Visitor) -> Profile:
        """Return the account."""
        response = self._peer.get("/api/v1/users/self", access_token=visitor.access_token)
        profile: Profile = self._peer.load(_ProfileSchema(), response)
        return profile

    def change(self, visitor: Visitor, values: Mapping[str, Any]) -> None:
        """Change name, mail, or whether the account is on.

        Raises:
            RequestRefused: with what is wrong with which field.
        """
        self._peer.change("PUT", "/api/v1/users/self", values, access_token=visitor.access_token)

    def change_password(self, visitor: Visitor, current: Secret, password: Secret) -> None:
        """Change the password; every other session and login ends.

        Raises:
            RequestRefused: as above.
        """
        body = {"current_password": current.reveal(), "password": password.reveal()}
        self._peer.change("PUT", "/api/v1/users/self/password", body, access_token=visitor.access_token)

    def list_tokens(self, visitor: Visitor, page: PageRequest, *, of: int | None = None) -> Page[Token]:
        """Return one page of the application tokens, newest first.

        Args:
            of: somebody else, for administrators and auditors.
        """
        return self._newest(visitor, _path("application_tokens", of), _TokenSchema(many=True), page)

    def create_token(self, visitor: Visitor, values: Mapping[str, Any]) -> Secret:
        """Make an application token and return its secret, which is never shown again.

        Raises:
            RequestRefused: as above.
        """
        response = self._peer.change("POST", "/api/v1/application_tokens", values, access_token=visitor.access_token)
        return Secret(str(response.json()["plain_token"]))

    def revoke_token(self, visitor: Visitor, token: int) -> None:
        """End an application token."""
        self._peer.change("DELETE", f"/api/v1/application_tokens/{token:d}", access_token=visitor.access_token)

    def list_sessions(self, visitor: Visitor, page: PageRequest, *, of: int | None = None) -> Page[BrowserSession]:
        """Return one page of the sessions in browsers; ``of`` as above."""
        path = _path("sessions", of)
        return self._peer.page(path, _SessionSchema(many=True), page, access_token=visitor.access_token)

    def end_session(self, visitor: Visitor, session: str) -> None:
        """End a session."""
        self._peer.change("DELETE", f"/api/v1/sessions/{session}", access_token=visitor.access_token)

    def end_other_sessions(self, visitor: Visitor) -> None:
        """End all sessions but this one."""
        self._peer.change("DELETE", "/api/v1/sessions", access_token=visitor.access_token)

    def list_logins(self, visitor: Visitor, page: PageRequest, *, of: int | None = None) -> Page[Login]:
        """Return one page of the logins of clients, newest first; ``of`` as above."""
        return self._newest(visitor, _path("logins", of), _LoginSchema(many=True), page)

    def end_login(self, visitor: Visitor, login: int) -> None:
        """End the login of a client."""
        self._peer.change("DELETE", f"/api/v1/logins/{login:d}", access_token=visitor.access_token)

    def _newest(self, visitor: Visitor, path: str, schema: Made, page: PageRequest) -> Page[Any]:
        params = {"sort_attr": "id", "sort_order": "desc"}
        return self._peer.page(path, schema, page, access_token=visitor.access_token, params=params)


def _path(what: str, of: int | None) -> str:
    return f"/api/v1/{what}" if of is None else f"/api/v1/users/{of:d}/{what}"
