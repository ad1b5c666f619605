"""Which variables look as if they held a secret, and which only sound like it."""

import pytest

from services.catalog.domain.secret_names import list_secret_names


@pytest.mark.parametrize(
    "variable",
    [
        "DB_PASSWORD=x",
        "password=x",
        "AWS_SECRET_ACCESS_KEY=x",
        "APIKEY=x",
        "SIGNING_KEY=x",
        "SSHKEY=x",
        "GITHUB_TOKEN=x",
        "HTTP_AUTH=x",
        "DATABASE_URL=postgresql://app:harbour@db/app",
    ],
)
def test_what_looks_secret_is_named(variable: str) -> None:
    assert list_secret_names([variable]) == [variable.partition("=")[0]]


@pytest.mark.parametrize(
    "variable",
    [
        "MONKEY=banana",
        "HOTKEY=ctrl-x",
        "DB_PASSWORD_FILE=/run/secrets/db",
        "TOKEN_PATH=/run/token",
        "PWD=/",
        "AUTHOR=olga",
        "TOKEN=",
        "DATABASE_URL=postgresql://db/app",
    ],
)
def test_what_only_sounds_like_it_is_not(variable: str) -> None:
    assert list_secret_names([variable]) == []
