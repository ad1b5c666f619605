"""What ``auth`` reads from its environment; docs/operations.md describes every variable."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from environs import Env
from marshmallow import ValidationError
from marshmallow.validate import Length, Range

from services.auth.domain.application_tokens import DEFAULT_TOKEN_LIMIT, MAX_TOKEN_LIMIT, TokenRules
from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy
from services.auth.domain.lifetimes import MAX_TTL_S
from services.auth.domain.management import Rules, Switches
from services.auth.signing.access_tokens import AUDIENCE
from services.auth.signing.algorithms import Algorithm
from shared.api.cors import load_portal_url
from shared.api.serving import ServingSettings, load_serving_settings, load_trusted_proxies
from shared.config import Secret, ca_bundle, data_file, http_url, read_effective, read_settings, secret, secret_url
from shared.environment import EffectiveSetting, unknown_names
from shared.messaging.connections import load_broker_url
from shared.observability.logs import load_log_level


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of ``auth``, read once at the edge of the process."""

    database_url: Secret
    """SQLAlchemy URL of the service's own database; may hold a password."""
    broker_url: Secret
    """Where messages go; may hold a password."""
    catalog_url: str
    """Address at which ``catalog`` is asked what lies in a namespace, and to empty it."""
    ca_dir: Path
    """Folder with ``ca.crt`` and ``ca.key``, or ``tls.crt`` and ``tls.key``."""
    token_algorithm: Algorithm
    """What tokens are signed with."""
    leaf_ttl: timedelta
    """Life of a signing leaf; it is renewed when a seventh of it is over."""
    issuer: str
    """``iss`` of every token: the registry's ``auth.token.issuer``."""
    registry_service: str
    """Audience of registry tokens: the registry's ``auth.token.service``."""
    registry_url: str
    """The registry as we reach it, for the health report."""
    registry_ca_bundle: Path | None
    """CAs that are believed about the registry, beside the well-known ones."""
    registry_host: str
    """The registry as people type it; the name under which the global namespace is shown."""
    web_url: str
    """Address of the portal as people type it; its pages may call the API with credentials."""
    token_ttl_s: int
    """Life of a registry token, in seconds, 60 to 3600: clients take less for 60."""
    access_token_ttl_s: int
    """Life of an API access token, in seconds."""
    session_ttl: timedelta
    """Life of a session without use."""
    service_account_secret: Secret
    """Password of the internal account, with which ``catalog`` reads the registry."""
    internal_secret: Secret
    """What peers prove themselves with."""
    policy: Policy
    """Who may push and delete at all."""
    switches: Switches
    """What others than administrators may manage at all."""
    signup: bool
    """Whether people make their own accounts."""
    first_user_admin: bool
    """Whether the first person to come may become administrator."""
    audit_keep_months: int
    """How many whole months of the audit trail are kept besides the present one; 0: all."""
    refresh_token_ttl: timedelta
    """Life of a login to a registry (refresh token) without use."""
    explain_refusals: bool
    """Whether who is refused a token is told why, or gets one that opens nothing."""
    decisions_keep_days: int
    """How many whole days of the records of decisions are kept besides today's."""
    expired_grants_kept: timedelta
    """How long a grant that has ended is kept, for those who ask what it was."""
    outage_grace: timedelta
    """How long tokens are issued to those verified a minute before the database went away; zero: not at all."""
    registry_tokens_only: bool
    """Whether the registry takes application tokens and robots only, and no password."""
    application_tokens: TokenRules
    """How many application tokens a person may have, and for how long each."""
    trusted_proxies: int
    """How many proxies in front may be believed about the client's address."""
    log_level: str
    """A name of the standard library's levels."""
    serving: ServingSettings
    """Address, processes and threads of the server."""
    git: Mapping[str, str] | None = None
    """What this was built from: ``tag``, or ``branch`` and ``commit``."""
    effective: tuple[EffectiveSetting, ...] = ()
    """Every variable that was read, for the administrators to see."""

    @property
    def rules(self) -> Rules:
        """What settles who may manage what."""
        return Rules(self.policy, self.switches)


@dataclass(frozen=True, slots=True)
class AdministratorSettings:
    """Whom ``ensure-admin`` makes."""

    username: str
    """Name of the first administrator."""
    password: Secret
    """Their password."""


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: one line per variable that is missing or wrong.
    """
    settings, effective = read_effective(_build)
    return replace(settings, effective=effective)


def unknown_variables(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the ``PORTUS_AUTH_*`` variables that nobody reads, each with the known one that is most like it."""
    # Peers read it, and all services may have one environment.
    known = {setting.name for setting in settings.effective} | {"PORTUS_AUTH_URL"}
    return unknown_names("PORTUS_AUTH_", known, os.environ)


def load_administrator() -> AdministratorSettings:
    """Read whom ``ensure-admin`` makes.

    Raises:
        SettingsError: one of the two variables is missing.
    """
    return read_settings(
        lambda env: AdministratorSettings(
            env.str("PORTUS_ADMIN_USERNAME", validate=Length(min=1)), secret(env, "PORTUS_ADMIN_PASSWORD", min_length=1)
        )
    )


def _build(env: Env) -> Settings:
    return Settings(
        database_url=secret_url(env, "PORTUS_AUTH_DATABASE_URL", f"sqlite:///{data_file(env, 'auth.db')}"),
        broker_url=load_broker_url(env),
        catalog_url=http_url(env, "PORTUS_CATALOG_URL", "http://localhost:8082"),
        ca_dir=Path(env.str("PORTUS_CA_DIR", str(data_file(env, "ca")))),
        token_algorithm=env.enum("PORTUS_TOKEN_ALGORITHM", Algorithm.ES256, enum=Algorithm, by_value=True),
        # The least leaves two hours of it for signing: see signing.keyring.MARGIN.
        leaf_ttl=timedelta(seconds=env.int("PORTUS_LEAF_TTL_S", 604_800, validate=Range(14_400, 7_776_000)) or 0),
        issuer=env.str("PORTUS_ISSUER", "portus", validate=Length(min=1)),
        registry_service=env.str("PORTUS_REGISTRY_SERVICE", "portus-registry", validate=_is_audience),
        registry_url=http_url(env, "PORTUS_REGISTRY_URL", "http://localhost:5000"),
        registry_ca_bundle=ca_bundle(env, "PORTUS_REGISTRY_CA_BUNDLE"),
        registry_host=env.str("PORTUS_REGISTRY_HOST", "localhost:5000"),
        web_url=load_portal_url(env),
        token_ttl_s=env.int("PORTUS_TOKEN_TTL_S", 900, validate=Range(60, 3600)),
        access_token_ttl_s=env.int("PORTUS_ACCESS_TOKEN_TTL_S", 300, validate=Range(30, 3600)),
        session_ttl=timedelta(seconds=env.int("PORTUS_SESSION_TTL_S", 1_209_600, validate=Range(300, 31_536_000)) or 0),
        service_account_secret=secret(env, "PORTUS_SERVICE_ACCOUNT_SECRET"),
        internal_secret=secret(env, "PORTUS_INTERNAL_SECRET"),
        policy=_policy(env),
        switches=_switches(env),
        signup=env.bool("PORTUS_SIGNUP_ENABLED", False),
        first_user_admin=env.bool("PORTUS_FIRST_USER_ADMIN", True),
        audit_keep_months=env.int("PORTUS_AUDIT_KEEP_MONTHS", 0, validate=Range(0, 1200)),
        refresh_token_ttl=timedelta(
            seconds=env.int("PORTUS_REFRESH_TOKEN_TTL_S", 2_592_000, validate=Range(3600, 31_536_000)) or 0
        ),
        explain_refusals=env.bool("PORTUS_EXPLAIN_REFUSALS", True),
        decisions_keep_days=env.int("PORTUS_DECISIONS_KEEP_DAYS", 30, validate=Range(1, 366)),
        expired_grants_kept=timedelta(
            days=env.int("PORTUS_EXPIRED_GRANTS_KEEP_DAYS", 30, validate=Range(1, 3650)) or 0
        ),
        outage_grace=timedelta(seconds=env.int("PORTUS_OUTAGE_GRACE_S", 300, validate=Range(0, 3600)) or 0),
        registry_tokens_only=env.bool("PORTUS_REGISTRY_TOKENS_ONLY", False),
        application_tokens=_token_rules(env),
        trusted_proxies=load_trusted_proxies(env),
        log_level=load_log_level(env),
        serving=load_serving_settings(env, port_variable="PORTUS_AUTH_PORT", default_port=8081),
        git=_git(env),
    )


def _token_rules(env: Env) -> TokenRules:
    limit = env.int("PORTUS_APPLICATION_TOKEN_LIMIT", DEFAULT_TOKEN_LIMIT, validate=Range(1, MAX_TOKEN_LIMIT))
    max_ttl_s = env.int("PORTUS_APPLICATION_TOKEN_MAX_TTL_S", 0, validate=Range(0, MAX_TTL_S))
    return TokenRules(limit or 0, timedelta(seconds=max_ttl_s) if max_ttl_s else None)


def _policy(env: Env) -> Policy:
    push = env.enum("PORTUS_PUSH_POLICY", PushPolicy.ALLOW_TEAMS, enum=PushPolicy, by_value=True)
    enabled = env.bool("PORTUS_DELETE_ENABLED", False)
    contributors = env.bool("PORTUS_DELETE_CONTRIBUTORS", False)
    if not enabled:
        return Policy(push, DeletePolicy.NOBODY)
    return Policy(push, DeletePolicy.CONTRIBUTORS if contributors else DeletePolicy.OWNERS)


def _switches(env: Env) -> Switches:
    return Switches(
        change_visibility=env.bool("PORTUS_USER_PERMISSION_CHANGE_VISIBILITY_ENABLED", True),
        create_team=env.bool("PORTUS_USER_PERMISSION_CREATE_TEAM_ENABLED", True),
        manage_team=env.bool("PORTUS_USER_PERMISSION_MANAGE_TEAM_ENABLED", True),
        create_namespace=env.bool("PORTUS_USER_PERMISSION_CREATE_NAMESPACE_ENABLED", True),
        manage_namespace=env.bool("PORTUS_USER_PERMISSION_MANAGE_NAMESPACE_ENABLED", True),
        create_webhook=env.bool("PORTUS_USER_PERMISSION_CREATE_WEBHOOK_ENABLED", True),
        manage_webhook=env.bool("PORTUS_USER_PERMISSION_MANAGE_WEBHOOK_ENABLED", True),
    )


def _git(env: Env) -> Mapping[str, str] | None:
    names = ("PORTUS_GIT_TAG", "PORTUS_GIT_BRANCH", "PORTUS_GIT_COMMIT")
    tag, branch, commit = (env.str(name, "") for name in names)
    if tag:
        return {"tag": tag}
    return {"branch": branch, "commit": commit} if branch or commit else None


def _is_audience(value: str) -> None:
    # A registry of that name would make its tokens and ours the same.
    if not value or value == AUDIENCE:
        raise ValidationError(f"must not be empty or {AUDIENCE!r}")
