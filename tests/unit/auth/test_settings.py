from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from services.auth.domain.application_tokens import TokenRules
from services.auth.domain.decisions import DeletePolicy, Policy, PushPolicy
from services.auth.domain.management import Rules, Switches
from services.auth.settings import Settings, load_administrator, load_settings, unknown_variables
from services.auth.signing.algorithms import Algorithm
from services.auth.signing.keyring import MARGIN
from shared.config import SettingsError


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.setenv("PORTUS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PORTUS_INTERNAL_SECRET", "internal-secret-x")
    monkeypatch.setenv("PORTUS_SERVICE_ACCOUNT_SECRET", "service-secret-xx")
    return monkeypatch


def test_the_defaults_are_those_of_the_document(tmp_path: Path) -> None:
    settings = load_settings()

    assert settings.database_url.reveal() == f"sqlite:///{tmp_path / 'auth.db'}"
    assert settings.broker_url.reveal() == f"sqlite:///{tmp_path / 'broker.db'}"
    assert settings.ca_dir == tmp_path / "ca"
    assert (settings.issuer, settings.registry_service) == ("portus", "portus-registry")
    assert (settings.token_ttl_s, settings.access_token_ttl_s) == (900, 300)
    assert (settings.token_algorithm, settings.leaf_ttl) == (Algorithm.ES256, timedelta(days=7))
    assert settings.session_ttl == timedelta(days=14)
    assert settings.policy == Policy(PushPolicy.ALLOW_TEAMS, DeletePolicy.NOBODY)
    # A string of the same value is equal, and no member.
    assert settings.policy.push is PushPolicy.ALLOW_TEAMS
    assert settings.serving.bind == "127.0.0.1:8081"


@pytest.mark.parametrize(
    ("enabled", "contributors", "policy"),
    [
        ("false", "false", DeletePolicy.NOBODY),
        ("false", "true", DeletePolicy.NOBODY),
        ("true", "false", DeletePolicy.OWNERS),
        ("true", "true", DeletePolicy.CONTRIBUTORS),
    ],
)
def test_contributors_delete_only_where_deleting_is_on(
    environment: pytest.MonkeyPatch, enabled: str, contributors: str, policy: DeletePolicy
) -> None:
    environment.setenv("PORTUS_DELETE_ENABLED", enabled)
    environment.setenv("PORTUS_DELETE_CONTRIBUTORS", contributors)

    assert load_settings().policy.delete is policy


@pytest.mark.parametrize("switch", [field.name for field in fields(Switches)])
def test_every_switch_is_on_until_it_is_switched_off(environment: pytest.MonkeyPatch, switch: str) -> None:
    assert load_settings().rules == Rules()

    environment.setenv(f"PORTUS_USER_PERMISSION_{switch.upper()}_ENABLED", "false")

    assert load_settings().rules == Rules(switches=Switches(**{switch: False}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # Case 35: Portus went on, and granted nothing.
        ("PORTUS_PUSH_POLICY", "everybody"),
        ("PORTUS_TOKEN_ALGORITHM", "HS256"),
        ("PORTUS_LEAF_TTL_S", "14399"),
        ("PORTUS_LEAF_TTL_S", "7776001"),
        ("PORTUS_TOKEN_TTL_S", "59"),
        ("PORTUS_TOKEN_TTL_S", "3601"),
        ("PORTUS_ACCESS_TOKEN_TTL_S", "0"),
        ("PORTUS_SESSION_TTL_S", "never"),
        ("PORTUS_REGISTRY_SERVICE", "portus-api"),
        ("PORTUS_REGISTRY_SERVICE", ""),
        ("PORTUS_ISSUER", ""),
        ("PORTUS_AUDIT_KEEP_MONTHS", "-1"),
        ("PORTUS_AUDIT_KEEP_MONTHS", "1201"),
        ("PORTUS_EXPIRED_GRANTS_KEEP_DAYS", "0"),
        ("PORTUS_EXPIRED_GRANTS_KEEP_DAYS", "3651"),
        ("PORTUS_APPLICATION_TOKEN_LIMIT", "0"),
        ("PORTUS_APPLICATION_TOKEN_LIMIT", "1001"),
        ("PORTUS_APPLICATION_TOKEN_MAX_TTL_S", "-1"),
        ("PORTUS_INTERNAL_SECRET", "short"),
        ("PORTUS_SERVICE_ACCOUNT_SECRET", "short"),
        ("PORTUS_TRUSTED_PROXIES", "-1"),
        ("PORTUS_DELETE_ENABLED", "perhaps"),
        ("PORTUS_AUTH_PORT", "0"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)

    with pytest.raises(SettingsError, match=name):
        load_settings()


def test_application_tokens_have_a_ceiling_where_one_is_set(environment: pytest.MonkeyPatch) -> None:
    assert load_settings().application_tokens == TokenRules(limit=20, max_ttl=None)

    environment.setenv("PORTUS_APPLICATION_TOKEN_LIMIT", "5")
    environment.setenv("PORTUS_APPLICATION_TOKEN_MAX_TTL_S", "86400")

    assert load_settings().application_tokens == TokenRules(limit=5, max_ttl=timedelta(days=1))


def test_the_words_of_the_old_log_levels_are_understood(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PORTUS_LOG_LEVEL", "warn")

    assert load_settings().log_level == "WARNING"


def test_a_variable_of_ours_that_nobody_reads_is_found(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PORTUS_AUTH_DATABASE", "x")
    environment.setenv("PORTUS_AUTH_URL", "http://auth:8081")

    assert list(unknown_variables(load_settings())) == [("PORTUS_AUTH_DATABASE", "PORTUS_AUTH_DATABASE_URL")]


def test_what_it_was_built_from_may_be_told(environment: pytest.MonkeyPatch) -> None:
    assert load_settings().git is None

    environment.setenv("PORTUS_GIT_COMMIT", "abc")
    assert load_settings().git == {"branch": "", "commit": "abc"}
    environment.setenv("PORTUS_GIT_TAG", "v1")
    assert load_settings().git == {"tag": "v1"}


def test_the_shortest_leaf_outlives_the_longest_token_by_far(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PORTUS_LEAF_TTL_S", "14400")
    environment.setenv("PORTUS_TOKEN_TTL_S", "3600")

    settings = load_settings()

    assert settings.leaf_ttl > MARGIN > timedelta(seconds=settings.token_ttl_s)


def test_all_faults_are_told_together(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("PORTUS_INTERNAL_SECRET")
    environment.setenv("PORTUS_PUSH_POLICY", "everybody")
    environment.setenv("PORTUS_SESSION_TTL_S", "x")

    with pytest.raises(SettingsError) as fault:
        load_settings()

    lines = str(fault.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "PORTUS_INTERNAL_SECRET",
        "PORTUS_PUSH_POLICY",
        "PORTUS_SESSION_TTL_S",
    ]


def test_settings_print_no_secret(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PORTUS_AUTH_DATABASE_URL", "postgresql+psycopg://portus:hunter2@db/portus")
    environment.setenv("PORTUS_BROKER_URL", "amqp://portus:hunter3@mq/portus")

    printed = repr(load_settings())

    assert not [word for word in ("hunter2", "hunter3", "internal-secret-x", "service-secret-xx") if word in printed]


def test_every_setting_is_explained() -> None:
    source = Path(__file__).parents[3].joinpath("services/auth/settings.py").read_text()

    body = source[source.index("class Settings") : source.index("class AdministratorSettings")]
    fields = [line.strip() for line in body.splitlines() if line.startswith("    ")]
    for name in Settings.__dataclass_fields__:
        (index,) = [number for number, line in enumerate(fields) if line.startswith(f"{name}:")]
        assert fields[index + 1].startswith('"""'), name


@pytest.mark.parametrize("missing", ["PORTUS_ADMIN_USERNAME", "PORTUS_ADMIN_PASSWORD"])
def test_the_administrator_needs_both_variables(environment: pytest.MonkeyPatch, missing: str) -> None:
    environment.setenv("PORTUS_ADMIN_USERNAME", "admin")
    environment.setenv("PORTUS_ADMIN_PASSWORD", "password")
    assert load_administrator().username == "admin"
    environment.delenv(missing)

    with pytest.raises(SettingsError, match=missing):
        load_administrator()
