"""An ``auth`` service for tests: settings, a cheap password hash, people to sign in."""

import base64
import dataclasses
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.auth.api.services import Services
from services.auth.app import create_app, migrations_of
from services.auth.domain.actors import Actor, Origin
from services.auth.domain.application_tokens import TokenRules
from services.auth.domain.decisions import Policy
from services.auth.domain.management import Rules, Switches
from services.auth.domain.namespaces import Visibility
from services.auth.domain.subjects import Subject, person
from services.auth.domain.teams import Role
from services.auth.settings import Settings
from services.auth.signing.algorithms import Algorithm
from services.auth.signing.new_authority import create_authority
from services.auth.storage.namespaces import NamespaceView
from services.auth.storage.teams import TeamView
from services.auth.storage.users import UserView
from services.auth.usecases.change_namespace import NamespaceChange, change_namespace
from services.auth.usecases.create_namespace import create_namespace
from services.auth.usecases.members import add_member
from services.auth.usecases.people import NewPerson, create_user
from services.auth.usecases.teams import create_team
from shared.api.serving import ServingSettings
from shared.clock import utc_now
from shared.config import Secret
from shared.database import Database
from tests.support.templates import start_migrated

PASSWORD = "correct horse battery"
INTERNAL_SECRET = "internal-secret-of-the-tests"
SERVICE_ACCOUNT_SECRET = "service-secret-of-the-tests"
SERVICE = "portus-registry"
ORIGIN = Origin("192.0.2.77", "request-of-the-tests")
ROOT = Actor(person(0, "root", administrator=True), ORIGIN)
"""Makes what tests need; stands for no account."""


def make_settings(folder: Path, database_url: str, **changes: Any) -> Settings:
    """Return settings whose CA lies in a folder."""
    settings = Settings(
        database_url=Secret(database_url),
        broker_url=Secret(f"sqlite:///{folder / 'broker.db'}"),
        # Nobody listens there; a test that needs the catalog names its own.
        catalog_url="http://127.0.0.1:9",
        ca_dir=folder / "ca",
        token_algorithm=Algorithm.ES256,
        leaf_ttl=timedelta(days=7),
        issuer="portus",
        registry_service=SERVICE,
        registry_url="http://localhost:9",
        registry_ca_bundle=None,
        registry_host="registry.example.org",
        web_url="https://portus.example.org",
        token_ttl_s=900,
        access_token_ttl_s=300,
        session_ttl=timedelta(days=14),
        service_account_secret=Secret(SERVICE_ACCOUNT_SECRET),
        internal_secret=Secret(INTERNAL_SECRET),
        policy=Policy(),
        switches=Switches(),
        signup=False,
        first_user_admin=True,
        audit_keep_months=0,
        refresh_token_ttl=timedelta(days=30),
        explain_refusals=True,
        decisions_keep_days=30,
        expired_grants_kept=timedelta(days=30),
        outage_grace=timedelta(minutes=5),
        registry_tokens_only=False,
        application_tokens=TokenRules(),
        trusted_proxies=0,
        log_level="INFO",
        serving=ServingSettings("127.0.0.1:0", workers=1, threads=8),
    )
    return dataclasses.replace(settings, **changes)


class CountingHasher(PasswordHasher):
    """The real hash with the least work, and a count of checks."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.checks = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
        self.checks += 1
        return super().verify(hash, password)


class TestClock:
    """A clock that a test moves."""

    __test__ = False

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or utc_now()

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass
class AuthService:
    """A running application on a database of its own, with builders for what is in it."""

    app: Flask
    clock: TestClock
    hasher: CountingHasher
    services: Services
    _teams: dict[int, TeamView] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.services.database

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def make_user(self, username: str = "jane", *, password: str = PASSWORD, **fields: Any) -> UserView:
        new = NewPerson(username, Secret(password), fields.pop("email", f"{username}@example.org"), **fields)
        return create_user(ROOT, new, database=self.database, clock=self.clock, passwords=self.services.passwords)

    def make_team(self, name: str = "team", *, owner: UserView, **members: Role) -> TeamView:
        """Make a team; further members are given as ``username=role``."""
        team = create_team(
            actor_of(owner),
            name=name,
            description="",
            owner_id=None,
            rules=Rules(),
            database=self.database,
            clock=self.clock,
        )
        for username, role in members.items():
            add_member(ROOT, team.id, username=username, role=role, database=self.database, clock=self.clock)
        return team

    def make_namespace(
        self, name: str = "team-a", *, team: TeamView, visibility: Visibility = Visibility.PRIVATE
    ) -> NamespaceView:
        namespace = create_namespace(
            ROOT, name=name, team=team.name, description="", rules=Rules(), database=self.database, clock=self.clock
        )
        change = NamespaceChange(visibility=visibility)
        return change_namespace(ROOT, namespace.id, change, rules=Rules(), database=self.database, clock=self.clock)

    def write_notes(self) -> None:
        """Write what the requests have noted, as the background thread would."""
        assert self.services.background.flush()

    def set_global_visibility(self, visibility: Visibility) -> None:
        change = NamespaceChange(visibility=visibility)
        change_namespace(
            ROOT, self.global_namespace_id, change, rules=Rules(), database=self.database, clock=self.clock
        )

    @property
    def global_namespace_id(self) -> int:
        return 1

    def get_token(self, *scopes: str, user: str | None = None, **options: Any) -> TestResponse:
        """Ask a token as docker would."""
        query = [("service", options.pop("service", SERVICE)), *(("scope", scope) for scope in scopes)]
        more = options.pop("query", {}).items()
        return self.client.get(
            "/v2/token", query_string=[*query, *more], headers=basic(user, options.pop("password", PASSWORD)), **options
        )

    def access(self, *scopes: str, user: str | None = None, **options: Any) -> list[str] | None:
        """Return what a token for the scopes holds, as ``type:name:actions``; ``None`` without the claim.

        Nothing, when it was refused with the reason.
        """
        response = self.get_token(*scopes, user=user, **options)
        if is_explained(response):
            return []
        assert response.status_code == 200, response.get_data(as_text=True)
        return access_of(response.get_json()["token"])

    def call(self, method: str, path: str, *, user: str | None = None, **options: Any) -> TestResponse:
        """Call the API with Basic credentials."""
        headers = {**basic(user, options.pop("password", PASSWORD)), **options.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **options)


def basic(user: str | None, password: str = PASSWORD) -> dict[str, str]:
    """Return the header of Basic credentials; none for an anonymous caller."""
    if user is None:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def is_explained(response: TestResponse) -> bool:
    """Tell whether a token was refused, and the person told why."""
    return response.status_code == 401 and "/explain/" in response.get_data(as_text=True)


def claims_of(token: str) -> dict[str, Any]:
    """Read a token without verifying it: who verifies is a test of its own."""
    return dict(jwt.decode(token, options={"verify_signature": False}))


def access_of(token: str) -> list[str] | None:
    """Return a token's access claim as scopes."""
    claim = claims_of(token).get("access")
    return None if claim is None else [f"{e['type']}:{e['name']}:{','.join(e['actions'])}" for e in claim]


def subject_of(user: UserView) -> Subject:
    return person(user.id, user.username, administrator=user.admin)


def actor_of(user: UserView) -> Actor:
    return Actor(subject_of(user), ORIGIN)


AuthFactory = Callable[..., AuthService]


def auth_factory(folder: Path, database_url: str, stack: ExitStack) -> AuthFactory:
    """Return a function ``(**settings) -> AuthService``; all on one database."""

    def build(*, clock: TestClock | None = None, **changes: Any) -> AuthService:
        settings = make_settings(folder, database_url, **changes)
        create_authority(settings.ca_dir, now=datetime.now(UTC))
        start_migrated(database_url, migrations_of)
        clock, hasher = clock or TestClock(), CountingHasher()
        # Notes are written when a test says so: see AuthService.write_notes.
        app = create_app(settings, clock=clock, hasher=hasher, gather_s=3600)
        services: Services = app.extensions["portus-auth"]
        stack.callback(services.database.dispose)
        stack.callback(services.background.close)
        migrations_of(services.database).upgrade()
        return AuthService(app, clock, hasher, services)

    return build


def assert_problem(response: TestResponse, status: int, *words: str) -> Mapping[str, Any]:
    """Assert that a response is a problem of that status whose text holds the words."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.content_type == "application/problem+json"
    text = response.get_data(as_text=True)
    assert all(word in text for word in words), text
    body: Mapping[str, Any] = response.get_json(force=True)
    assert body["status"] == status
    return body


def audit_entries_of(auth: AuthService, target_type: str, *, user: str = "admin") -> list[dict[str, Any]]:
    """Return the entries of the audit trail about one kind of thing, the oldest first."""
    query = {"target_type": target_type, "sort_attr": "id", "sort_order": "asc"}
    entries: list[dict[str, Any]] = auth.call("GET", "/api/v1/audit", user=user, query_string=query).get_json()
    return entries
