"""Settings, icons and cookies."""

import pytest

from services.web.pages.assets import ICONS, MissingAsset, bootstrap_folder, load_icons
from services.web.pages.cookies import SESSION, Cookies
from services.web.settings import Settings, load_settings
from shared.config import SettingsError

SPRITE = bootstrap_folder() / "icons" / "bootstrap-icons.svg"
REQUIRED = {"PORTUS_INTERNAL_SECRET": "an-internal-secret", "PORTUS_WEB_SECRET_KEY": "a-key-that-signs-cookies"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("PORTUS_BIND", "PORTUS_WEB_PORT", "PORTUS_AUTH_URL", "PORTUS_COOKIE_SECURE", *REQUIRED):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def load(environment: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in {**REQUIRED, **variables}.items():
        environment.setenv(name, value)
    return load_settings()


def test_settings_have_the_documented_defaults(environment: pytest.MonkeyPatch) -> None:
    settings = load(environment)

    assert settings.auth_url == "http://localhost:8081"
    assert settings.catalog_url == "http://localhost:8082"
    assert settings.serving.bind == "127.0.0.1:8080"
    assert settings.cookie_secure is False


def test_every_fault_of_the_settings_is_told_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PORTUS_AUTH_URL", "auth:8081")
    environment.setenv("PORTUS_INTERNAL_SECRET", "short")

    with pytest.raises(SettingsError) as raised:
        load_settings()

    assert [line.partition(":")[0] for line in str(raised.value).splitlines()] == [
        "PORTUS_AUTH_URL",
        "PORTUS_INTERNAL_SECRET",
        "PORTUS_WEB_SECRET_KEY",
    ]


def test_printed_settings_hold_no_secret(environment: pytest.MonkeyPatch) -> None:
    printed = repr(load(environment))

    assert not any(secret in printed for secret in REQUIRED.values())


@pytest.mark.parametrize("name", ICONS)
def test_icon_is_in_the_installed_package(name: str) -> None:
    paths = load_icons(SPRITE, [name])[name]

    assert all(path.outline.startswith(("M", "m")) for path in paths)


def test_icon_that_does_not_exist_is_an_error_at_start() -> None:
    with pytest.raises(MissingAsset, match="no-such-icon"):
        load_icons(SPRITE, ["no-such-icon"])


@pytest.mark.parametrize(("secure", "name"), [(False, "portus_session"), (True, "__Host-portus_session")])
def test_secure_cookies_are_bound_to_the_host(secure: bool, name: str) -> None:
    assert Cookies(secure=secure).name(SESSION) == name
