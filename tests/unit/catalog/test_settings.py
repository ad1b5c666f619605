"""A scanner and the garbage collector in the environment."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.catalog.settings import ScannerSettings, load_settings
from shared.config import SettingsError


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PORTUS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PORTUS_INTERNAL_SECRET", "a-secret-of-the-peers")
    monkeypatch.setenv("PORTUS_SERVICE_ACCOUNT_SECRET", "a-secret-of-the-account")
    monkeypatch.setenv("PORTUS_REGISTRY_URL", "http://registry:5000")


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> ScannerSettings | None:
    for name, value in variables.items():
        monkeypatch.setenv(f"PORTUS_SCANNER_{name}", value)
    return load_settings().scanner


def test_without_an_address_nothing_is_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, AUTHORIZATION="Bearer secret") is None


def test_an_address_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    scanner = load(monkeypatch, URL="http://trivy:8080")

    assert scanner is not None
    assert (scanner.url, scanner.registry_url, scanner.concurrency) == ("http://trivy:8080", "http://registry:5000", 2)
    assert (scanner.time_limit, scanner.period) == (timedelta(minutes=15), timedelta(days=1))
    assert not scanner.authorization


def test_what_the_scanner_needs_is_passed_on_and_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    scanner = load(monkeypatch, URL="http://trivy", AUTHORIZATION="Bearer s3cret", REGISTRY_URL="https://inside")

    assert scanner is not None
    assert (scanner.authorization.reveal(), scanner.registry_url) == ("Bearer s3cret", "https://inside")
    assert "s3cret" not in repr(scanner)


@pytest.mark.parametrize(
    ("name", "value"),
    [("URL", "trivy:8080"), ("URL", "ftp://trivy"), ("CONCURRENCY", "0"), ("TIMEOUT_S", "9"), ("RESCAN_HOURS", "0")],
)
def test_what_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"PORTUS_SCANNER_{name}"):
        load(monkeypatch, **{"URL": "http://trivy", name: value})


def load_garbage_collector(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Any:
    for name, value in variables.items():
        monkeypatch.setenv(f"PORTUS_DELETE_GARBAGE_COLLECTOR_{name}", value)
    return load_settings().garbage_collector


@pytest.mark.parametrize(
    ("variables", "terms"),
    [
        ({}, None),
        ({"ENABLED": "false", "KEEP_LATEST": "3"}, None),
        ({"OLDER_THAN": "1", "KEEP_LATEST": "3", "TAG": "^ci"}, None),
        ({"ENABLED": "true"}, {"older_than_days": 30, "unpulled_days": 30, "keep_newest": 5}),
        (
            {"ENABLED": "true", "OLDER_THAN": "7", "KEEP_LATEST": "0", "TAG": "^ci-|-rc"},
            {"older_than_days": 7, "unpulled_days": 7, "keep_newest": 0, "tag_pattern": "^ci-|-rc"},
        ),
        (
            {"ENABLED": "true", "OLDER_THAN": "0", "TAG": ""},
            {"older_than_days": 0, "unpulled_days": 0, "keep_newest": 5},
        ),
    ],
)
def test_what_portus_s_garbage_collector_says(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], terms: dict[str, Any] | None
) -> None:
    assert load_garbage_collector(monkeypatch, **variables) == terms


@pytest.mark.parametrize("enabled", ["true", "false"])
@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("OLDER_THAN", "-1", "greater than or equal to 0"),
        ("OLDER_THAN", "a month", "integer"),
        ("OLDER_THAN", "36501", "36500"),
        ("KEEP_LATEST", "-1", "greater than or equal to 0"),
        ("KEEP_LATEST", "all", "integer"),
        ("KEEP_LATEST", "100001", "100000"),
        ("TAG", "(ci", "is no regular expression"),
        ("TAG", "*-rc", "is no regular expression"),
    ],
)
def test_a_bad_value_of_the_garbage_collector_is_named(
    monkeypatch: pytest.MonkeyPatch, enabled: str, name: str, value: str, why: str
) -> None:
    """Also while it is off: who switches it on finds it ready."""
    with pytest.raises(SettingsError, match=f"PORTUS_DELETE_GARBAGE_COLLECTOR_{name}\\b.*{why}"):
        load_garbage_collector(monkeypatch, ENABLED=enabled, **{name: value})


def test_the_garbage_collector_is_on_or_off(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="PORTUS_DELETE_GARBAGE_COLLECTOR_ENABLED"):
        load_garbage_collector(monkeypatch, ENABLED="perhaps")
