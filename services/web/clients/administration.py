"""What the portal asks of `auth` for administrators and auditors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import requests
from marshmallow import fields, pre_load

from services.web.clients.errors import NotFound
from services.web.clients.peer import Part, Peer
from services.web.clients.schemas import Made, Moment, Text, Texts
from services.web.clients.sessions import Visitor
from shared.api.paging import Page, PageRequest


@dataclass(frozen=True, slots=True)
class Account:
    """An account, as administrators see it."""

    id: int
    username: str
    display_name: str | None
    email: str | None
    admin: bool
    auditor: bool
    bot: bool
    enabled: bool
    created_at: datetime | None
    last_sign_in_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccountDeletion:
    """What goes with an account, and what has to be decided before."""

    namespace: str | None
    """The personal one."""
    repositories: int | None
    tags: int | None
    tokens: int
    sessions: int
    grants: int
    teams_count: int
    ownerless_teams: Sequence[str]
    choices: Sequence[str]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that somebody did."""

    id: int
    at: datetime | None
    action: str
    actor: str
    address: str
    target_type: str
    target: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A token request and how it was decided."""

    id: str
    at: datetime | None
    username: str
    verdict: str
    action: str
    repository: str
    reason: str
    address: str
    client: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting in force."""

    name: str
    value: Any
    source: str
    old_name: str | None


class _AccountSchema(Made):
    makes = Account
    id = fields.Integer(required=True)
    username = fields.String(required=True)
    display_name, email = Text(), Text()
    admin = fields.Boolean(load_default=False)
    auditor = fields.Boolean(load_default=False)
    bot = fields.Boolean(load_default=False)
    enabled = fields.Boolean(load_default=True)
    created_at, last_sign_in_at = Moment(), Moment()


class _DeletionSchema(Made):
    makes = AccountDeletion
    namespace = Text()
    repositories = fields.Integer(allow_none=True, load_default=None)
    tags = fields.Integer(allow_none=True, load_default=None)
    tokens = fields.Integer(load_default=0)
    sessions = fields.Integer(load_default=0)
    grants = fields.Integer(load_default=0)
    teams_count = fields.Integer(load_default=0)
    ownerless_teams, choices = Texts(), Texts()

    @pre_load
    def flatten(self, data: Mapping[str, Any], **_: object) -> dict[str, Any]:
        """Bring what is nested to one level."""
        images, belongings = data.get("images") or {}, data.get("belongings") or {}
        return {
            **data,
            "namespace": (data.get("namespace") or {}).get("name"),
            "repositories": images.get("repositories"),
            "tags": images.get("tags"),
            "tokens": belongings.get("application_tokens", 0),
            "sessions": belongings.get("sessions", 0),
            "grants": belongings.get("grants", 0),
            "ownerless_teams": [_name(team) for team in data.get("ownerless_teams") or ()],
        }


class _AuditSchema(Made):
    makes = AuditEntry
    id = fields.Integer(required=True)
    at = Moment()
    action = fields.String(required=True)
    actor = fields.String(load_default="")
    address = fields.String(load_default="")
    target_type = fields.String(load_default="")
    target = fields.String(load_default="")
    before = fields.Dict(keys=fields.String(), load_default=dict)
    after = fields.Dict(keys=fields.String(), load_default=dict)

    @pre_load
    def flatten(self, data: Mapping[str, Any], **_: object) -> dict[str, Any]:
        """Take the name out of the target."""
        return {**data, "target": _name(data.get("target") or {})}


class _DecisionSchema(Made):
    makes = DecisionRow
    id = fields.String(required=True)
    at = Moment()
    username = fields.String(load_default="")
    verdict = fields.String(required=True)
    action = fields.String(load_default="")
    repository = fields.String(load_default="")
    reason = fields.String(load_default="")
    address = fields.String(load_default="")
    client = fields.String(load_default="")

    @pre_load
    def flatten(self, data: Mapping[str, Any], **_: object) -> dict[str, Any]:
        """Take the name out of the subject."""
        return {**data, "username": (data.get("subject") or {}).get("username") or ""}


class _SettingSchema(Made):
    makes = Setting
    name = fields.String(required=True)
    value = fields.Raw(allow_none=True, load_default=None)
    source = fields.String(load_default="")
    old_name = Text()


def _name(thing: object) -> str:
    return str(thing.get("name") or thing.get("id") or "") if isinstance(thing, Mapping) else str(thing)


class AdministrationClient:
    """Asks `auth`, as the visitor; it refuses those who are neither administrator nor auditor."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def list_people(self, visitor: Visitor, page: PageRequest, *, q: str = "") -> Page[Account]:
        """Return one page of the accounts, by name."""
        params = {"q": q, "sort_attr": "username"}
        return self._peer.page(
            "/api/v1/users", _AccountSchema(many=True), page, access_token=visitor.access_token, params=params
        )

    def get_person(self, visitor: Visitor, username: str) -> Account:
        """Return an account by its name.

        Raises:
            NotFound: there is none.
        """
        found: Page[Account] = self._peer.page(
            "/api/v1/users",
            _AccountSchema(many=True),
            PageRequest(per_page=1),
            access_token=visitor.access_token,
            params={"username": username},
        )
        if not found.rows:
            raise NotFound("auth")
        return found.rows[0]

    def create_person(self, visitor: Visitor, values: Mapping[str, Any]) -> None:
        """Make an account.

        Raises:
            RequestRefused: with what is wrong with which field.
        """
        self._peer.change("POST", "/api/v1/users", values, access_token=visitor.access_token)

    def change_person(self, visitor: Visitor, user: int, values: Mapping[str, Any]) -> None:
        """Change an account.

        Raises:
            RequestRefused: as above.
        """
        self._peer.change("PUT", f"/api/v1/users/{user:d}", values, access_token=visitor.access_token)

    def end_sessions(self, visitor: Visitor, user: int) -> None:
        """Sign somebody out everywhere."""
        self._peer.change("DELETE", f"/api/v1/users/{user:d}/sessions", access_token=visitor.access_token)

    def end_session(self, visitor: Visitor, user: int, session: str) -> None:
        """Sign somebody out in one browser."""
        path = f"/api/v1/users/{user:d}/sessions/{quote(session, safe='')}"
        self._peer.change("DELETE", path, access_token=visitor.access_token)

    def preview_deletion(self, visitor: Visitor, user: int) -> AccountDeletion:
        """Return what goes with an account, and what has to be decided."""
        response = self._peer.get(f"/api/v1/users/{user:d}/deletion", access_token=visitor.access_token)
        found: AccountDeletion = self._peer.load(_DeletionSchema(), response)
        return found

    def delete_person(self, visitor: Visitor, user: int, decided: Mapping[str, str]) -> None:
        """Delete an account.

        Args:
            decided: ``new_team`` or ``delete_namespace``, and ``new_owner``, as the preview asks for them.

        Raises:
            RequestRefused: as above.
        """
        self._peer.change("DELETE", f"/api/v1/users/{user:d}", access_token=visitor.access_token, params=decided)

    def list_audit(self, visitor: Visitor, after: str, filters: Mapping[str, str]) -> Part:
        """Return a part of what was done, newest first."""
        params = {**filters, "sort_attr": "id", "sort_order": "desc"}
        path = "/api/v1/audit"
        return self._peer.walk(path, _AuditSchema(many=True), after, access_token=visitor.access_token, params=params)

    def fetch_audit_file(self, visitor: Visitor, form: str, filters: Mapping[str, str]) -> requests.Response:
        """Return all of what was done as a file.

        Args:
            form: ``csv`` or ``json``.
        """
        given = {name: value for name, value in filters.items() if value}
        return self._peer.get(f"/api/v1/audit.{form}", access_token=visitor.access_token, params=given)

    def list_decisions(self, visitor: Visitor, after: str, filters: Mapping[str, str]) -> Part:
        """Return a part of the token requests, newest first."""
        path = "/api/v1/decisions"
        return self._peer.walk(
            path, _DecisionSchema(many=True), after, access_token=visitor.access_token, params=filters
        )

    def list_settings(self, visitor: Visitor) -> Sequence[Setting]:
        """Return the settings in force."""
        response = self._peer.get("/api/v1/settings", access_token=visitor.access_token)
        settings: Sequence[Setting] = self._peer.load(_SettingSchema(many=True), response)
        return settings
