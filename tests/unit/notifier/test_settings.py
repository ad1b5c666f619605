from ipaddress import ip_network
from pathlib import Path

import pytest

from services.notifier.settings import load_settings
from shared.config import SettingsError


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PORTUS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PORTUS_NOTIFICATIONS_SECRET", "a-secret-of-the-registry")
    monkeypatch.setenv("PORTUS_INTERNAL_SECRET", "a-secret-of-the-peers")
    monkeypatch.delenv("PORTUS_BROKER_URL", raising=False)


def test_on_one_machine_there_is_no_spool(tmp_path: Path) -> None:
    settings = load_settings()

    assert settings.broker_url.reveal() == f"sqlite:///{tmp_path}/broker.db"
    assert settings.spool_url is None


def test_in_front_of_rabbitmq_there_is_a_spool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PORTUS_BROKER_URL", "amqp://portus:secret@rabbitmq:5672/portus")

    spool_url = load_settings().spool_url

    assert spool_url is not None
    assert spool_url.reveal() == f"sqlite:///{tmp_path}/spool.db"


def test_no_secret_is_printed() -> None:
    assert "a-secret-of-the-registry" not in repr(load_settings())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTUS_NOTIFICATIONS_SECRET", "short"),
        ("PORTUS_BROKER_URL", "redis://localhost"),
        ("PORTUS_SPOOL_MAX_EVENTS", "0"),
        ("PORTUS_MAX_ENVELOPE_BYTES", "many"),
        ("PORTUS_LOG_LEVEL", "LOUD"),
        ("PORTUS_AUTH_URL", "auth:8081"),
        ("PORTUS_INTERNAL_SECRET", "short"),
        ("PORTUS_EVENTS_KEEP_DAYS", "0"),
        ("PORTUS_EVENTS_MAX", "999"),
        ("PORTUS_NOTIFIER_PORT", "99999"),
        ("PORTUS_WEBHOOK_ALLOWED_NETWORKS", "10.0.0.0/8,everywhere"),
        ("PORTUS_WEBHOOK_ALLOWED_NETWORKS", "10.0.0.1/8"),
        ("PORTUS_WEBHOOK_TIMEOUT_S", "0"),
        ("PORTUS_WEBHOOK_MAX_ATTEMPTS", "0"),
        ("PORTUS_WEBHOOK_THREADS", "0"),
        ("PORTUS_WEBHOOK_DELIVERIES_KEEP_DAYS", "0"),
        ("PORTUS_WEBHOOK_CA_BUNDLE", "/nowhere.pem"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=name):
        load_settings()


def test_webhooks_reach_public_addresses_only_unless_networks_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().webhooks.allowed_networks == ()

    monkeypatch.setenv("PORTUS_WEBHOOK_ALLOWED_NETWORKS", "10.0.0.0/8, fd00::/8,")

    assert load_settings().webhooks.allowed_networks == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
