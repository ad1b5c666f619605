"""What the portal asks of `auth`: sessions and the first administrator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests
from marshmallow import EXCLUDE, Schema, fields, post_load

from services.web.clients.errors import PeerAway
from services.web.clients.peer import Peer
from shared.api.peers import PEER_HEADER
from shared.config import Secret

DEFAULT_RETRY_AFTER_S = 60
"""Waiting time told when `auth` slows a sign-in down without saying for how long."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in."""

    username: str
    display_name: str
    admin: bool
    auditor: bool
    namespace: str | None
    """Name of the personal namespace."""


@dataclass(frozen=True, slots=True)
class Session:
    """What `auth` gives for a name and a password, or for a refresh token."""

    access_token: Secret
    expires_in_s: int
    refresh_token: Secret
    person: Person


@dataclass(frozen=True, slots=True)
class Setup:
    """What those may do who have not signed in: become the first administrator, make an account."""

    needs_administrator: bool
    signup: bool


@dataclass(frozen=True, slots=True)
class SignInDenied:
    """`auth` did not let somebody in; with a time when it was asked too often."""

    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class SetupDenied:
    """`auth` did not make a first administrator.

    Args:
        faults: sentences by field; empty when the form was not the reason.
        over: people exist already.
        switched_off: this installation makes administrators by command only.
    """

    faults: Mapping[str, Sequence[str]]
    over: bool = False
    switched_off: bool = False


class _PersonSchema(Schema):
    username = fields.String(required=True)
    display_name = fields.String(allow_none=True, load_default=None)
    admin = fields.Boolean(load_default=False)
    auditor = fields.Boolean(load_default=False)
    namespace = fields.Dict(allow_none=True, load_default=None)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> Person:
        namespace = data["namespace"] or {}
        return Person(
            username=data["username"],
            display_name=data["display_name"] or data["username"],
            admin=data["admin"],
            auditor=data["auditor"],
            namespace=namespace.get("name"),
        )


class _SessionSchema(Schema):
    access_token = fields.String(required=True)
    expires_in = fields.Integer(required=True)
    refresh_token = fields.String(required=True)
    user = fields.Nested(_PersonSchema(unknown=EXCLUDE), required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> Session:
        return Session(
            access_token=Secret(data["access_token"]),
            expires_in_s=data["expires_in"],
            refresh_token=Secret(data["refresh_token"]),
            person=data["user"],
        )


class _SetupSchema(Schema):
    needs_administrator = fields.Boolean(required=True)
    signup = fields.Boolean(load_default=False)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> Setup:
        return Setup(**data)


class AuthClient:
    """Calls `auth`.

    Args:
        peer: how it is reached.
        internal_secret: proves that it is the portal which names the client's address.
    """

    def __init__(self, peer: Peer, internal_secret: Secret) -> None:
        self._peer = peer
        self._internal_secret = internal_secret

    def get_setup(self) -> Setup:
        """Return what those may do who have not signed in."""
        response = self._peer.get("/api/v1/setup", access_token=None)
        setup: Setup = self._peer.load(_SetupSchema(), response)
        return setup

    def sign_up(self, account: Mapping[str, str], *, address: str) -> SignInDenied | None:
        """Make somebody's own account; ``None`` when it is done, otherwise how long to wait before asking again.

        Args:
            account: ``username``, ``email``, ``password``, ``display_name``.
            address: the browser's.

        Raises:
            RequestRefused: with what is wrong with which field.
            NotAllowed, NotFound: this installation does not let people sign up.
        """
        body = {name: value for name, value in account.items() if value}
        response = self._peer.post("/api/v1/users/signup", body, headers=self._forwarded(address))
        if response.status_code == 429:
            return SignInDenied(retry_after_s=_retry_after_s(response))
        self._peer.checked(response)
        return None

    def sign_in(self, username: str, password: Secret, *, address: str, browser: str = "") -> Session | SignInDenied:
        """Open a session.

        Args:
            address: the browser's, so that `auth` slows down the one who guesses, not the portal.
            browser: what it calls itself, by which its owner will know the session again.
        """
        body = {"username": username, "password": password.reveal()}
        headers = self._forwarded(address) | ({"User-Agent": browser} if browser else {})
        response = self._peer.post("/api/v1/sessions", body, headers=headers)
        if response.status_code == 429:
            return SignInDenied(retry_after_s=_retry_after_s(response))
        if response.status_code in (400, 401, 422):
            return SignInDenied()
        return self._session(response)

    def refresh(self, refresh_token: Secret) -> Session | None:
        """Get a new access token; ``None`` when the session is over."""
        response = self._peer.post("/api/v1/sessions/refresh", {"refresh_token": refresh_token.reveal()})
        return None if response.status_code in (400, 401, 422) else self._session(response)

    def revoke(self, refresh_token: Secret) -> bool:
        """End a session and tell whether `auth` did; one that is over already is as good."""
        try:
            return self._peer.post("/api/v1/sessions/revoke", {"refresh_token": refresh_token.reveal()}).ok
        except PeerAway:
            return False

    def create_administrator(self, fields_by_name: Mapping[str, str], *, address: str) -> SetupDenied | None:
        """Make the first administrator; ``None`` when it is done.

        Args:
            fields_by_name: ``username``, ``email``, ``password``, ``display_name``.
            address: the browser's.
        """
        # The portal signs them in with their password, and has nobody to show a token to.
        body = {"user": {name: value for name, value in fields_by_name.items() if value} | {"token": False}}
        response = self._peer.post("/api/v1/users/bootstrap", body, headers=self._forwarded(address))
        match response.status_code:
            case 400 | 422 if faults := _faults(response):
                return SetupDenied(faults=faults)
            case 400 | 403:
                return SetupDenied(faults={}, over=True)
            case 405:
                return SetupDenied(faults={}, switched_off=True)
        self._peer.checked(response)
        return None

    def _session(self, response: requests.Response) -> Session:
        session: Session = self._peer.load(_SessionSchema(), self._peer.checked(response))
        return session

    def _forwarded(self, address: str) -> dict[str, str]:
        return {PEER_HEADER: self._internal_secret.reveal(), "X-Forwarded-For": address}


def _retry_after_s(response: requests.Response) -> int:
    value = response.headers.get("Retry-After", "")
    return int(value) if value.isascii() and value.isdigit() else DEFAULT_RETRY_AFTER_S


def _faults(response: requests.Response) -> Mapping[str, Sequence[str]]:
    """Read ``errors`` of a problem; none when the form is not at fault."""
    errors = response.json().get("errors") or {}
    return {name: [faults] if isinstance(faults, str) else list(map(str, faults)) for name, faults in errors.items()}
