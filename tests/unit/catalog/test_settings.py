"""A scanner in the environment."""

from datetime import timedelta
from pathlib import Path

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
