"""What was read, where it came from, and what the old Portus called it."""

from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from environs import Env
from marshmallow.validate import Range

from shared.config import SettingsError, read_effective, secret, secret_url
from shared.environment import EffectiveSetting, Source, unknown_names
from shared.old_names import OLD_NAMES

OLD = {old.old: old.new for old in OLD_NAMES}


class Policy(StrEnum):
    TEAMS = "allow-teams"
    NOBODY = "admin-only"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in {*OLD, *OLD.values()}:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def ttl(env: Env) -> Any:
    return env.int("PORTUS_TOKEN_TTL_S", 900, validate=Range(60, 3600))


def effective(env: Env) -> Any:
    return (
        ttl(env),
        env.enum("PORTUS_PUSH_POLICY", Policy.TEAMS.value, enum=Policy, by_value=True),
        env.bool("PORTUS_FIRST_USER_ADMIN", True),
        secret(env, "PORTUS_TEST_SECRET"),
        secret_url(env, "PORTUS_TEST_URL", "sqlite:///x"),
    )


def test_every_value_says_where_it_comes_from(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "policy").write_text("admin-only\n")
    environment.setenv("PORTUS_TOKEN_TTL_S", "600")
    environment.setenv("PORTUS_PUSH_POLICY_FILE", str(tmp_path / "policy"))
    environment.setenv("PORTUS_TEST_SECRET", "hunter2-hunter2-hunter2")

    _, shown = read_effective(effective)

    assert shown == (
        EffectiveSetting("PORTUS_FIRST_USER_ADMIN", True, Source.DEFAULT),
        EffectiveSetting("PORTUS_PUSH_POLICY", "admin-only", Source.FILE),
        EffectiveSetting("PORTUS_TEST_SECRET", "***", Source.ENVIRONMENT),
        EffectiveSetting("PORTUS_TEST_URL", "***", Source.DEFAULT),
        EffectiveSetting("PORTUS_TOKEN_TTL_S", 600, Source.ENVIRONMENT),
    )


def test_an_old_name_is_understood(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PORTUS_REGISTRY_JWT_EXPIRATION_TIME_VALUE", "15")

    value, (shown,) = read_effective(ttl)

    assert value == 900
    old = "PORTUS_REGISTRY_JWT_EXPIRATION_TIME_VALUE"
    assert shown == EffectiveSetting("PORTUS_TOKEN_TTL_S", 900, Source.ENVIRONMENT, old)


def test_an_old_name_may_be_a_file_too(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a-password-of-the-old-portus\n")
    environment.setenv("PORTUS_PASSWORD_FILE", str(tmp_path / "password"))

    value, (shown,) = read_effective(lambda env: secret(env, "PORTUS_SERVICE_ACCOUNT_SECRET"))

    assert value.reveal() == "a-password-of-the-old-portus"
    assert shown == EffectiveSetting("PORTUS_SERVICE_ACCOUNT_SECRET", "***", Source.FILE, "PORTUS_PASSWORD")


def test_an_old_value_is_checked_like_a_new_one(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PORTUS_REGISTRY_JWT_EXPIRATION_TIME_VALUE", "61")

    with pytest.raises(SettingsError, match="PORTUS_TOKEN_TTL_S"):
        read_effective(ttl)


@pytest.mark.parametrize("minutes", ["", "soon", "1.5", "-1"])
def test_minutes_that_are_none_are_told_under_the_old_name(environment: pytest.MonkeyPatch, minutes: str) -> None:
    environment.setenv("PORTUS_REGISTRY_JWT_EXPIRATION_TIME_VALUE", minutes)

    with pytest.raises(SettingsError, match="PORTUS_REGISTRY_JWT_EXPIRATION_TIME_VALUE: Must be a whole number"):
        read_effective(ttl)


def test_both_names_may_say_the_same(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PORTUS_REGISTRY_JWT_EXPIRATION_TIME_VALUE", "10")
    environment.setenv("PORTUS_TOKEN_TTL_S", "600")

    assert read_effective(ttl)[0] == 600


@pytest.mark.parametrize(
    ("old", "values"),
    [
        ("PORTUS_REGISTRY_JWT_EXPIRATION_TIME_VALUE", ("10", "900")),
        ("PORTUS_MACHINE_FQDN_VALUE", ("old.example.org", "new.example.org")),
        ("PORTUS_FIRST_USER_ADMIN_ENABLED", ("true", "false")),
        ("PORTUS_USER_PERMISSION_PUSH_IMAGES_POLICY", ("admin-only", "allow-teams")),
        ("PORTUS_PASSWORD", ("a-password-of-the-old-portus", "a-password-of-the-new-portus")),
        ("PORTUS_INIT_REGISTRY_HOSTNAME", ("old.example.org:5000", "new.example.org:5000")),
        ("PORTUS_PUMA_WORKERS", ("4", "2")),
        ("PORTUS_PUMA_MAX_THREADS", ("4", "8")),
    ],
)
def test_two_names_that_differ_are_refused(environment: pytest.MonkeyPatch, old: str, values: tuple[str, str]) -> None:
    environment.setenv(old, values[0])
    environment.setenv(OLD[old], values[1])

    with pytest.raises(SettingsError, match=f"{OLD[old]}: {old}, its old name, says otherwise") as fault:
        read_effective(lambda env: env.str(OLD[old]))

    assert not any(value in str(fault.value) for value in values if "password" in value)


def test_every_old_name_reaches_the_new_one(environment: pytest.MonkeyPatch) -> None:
    for old, new in OLD.items():
        environment.setenv(old, "7")
        value, _ = read_effective(lambda env, new=new: env.str(new))  # type: ignore[misc]
        assert value in {"7", "420"}


def test_an_unknown_name_is_told_with_the_one_that_it_is_most_like() -> None:
    known = {"PORTUS_AUTH_PORT", "PORTUS_AUTH_DATABASE_URL"}
    given = {
        "PORTUS_AUTH_PORT": "1",
        "PORTUS_AUTH_DATABASE_URL_FILE": "x",
        "PORTUS_AUTH_DATABSE_URL": "x",
        "PORTUS_AUTH_PROT_FILE": "x",
        "PORTUS_AUTHOR": "x",
        "PATH": "x",
    }

    assert list(unknown_names("PORTUS_AUTH_", known, given)) == [
        ("PORTUS_AUTH_DATABSE_URL", "PORTUS_AUTH_DATABASE_URL"),
        ("PORTUS_AUTH_PROT_FILE", "PORTUS_AUTH_PORT"),
    ]
