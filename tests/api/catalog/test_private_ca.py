"""A real registry behind a CA of the operator's own."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.auth.clients.registry import probe_url
from services.catalog.app import new_registry
from services.catalog.settings import Settings, load_settings
from services.catalog.usecases.registry import RegistryUnavailable
from shared.config import SettingsError
from tests.conftest import RegistryFactory
from tests.support.authorities import make_ca, write_server_certificate

VARIABLE = "PORTUS_REGISTRY_CA_BUNDLE"


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    """Certificates of two CAs, of which the second signed the registry's."""
    ours, bundle = make_ca("ours"), tmp_path / "bundle.pem"
    write_server_certificate(ours, tmp_path / "tls")
    other = make_ca("another").write(tmp_path / "another") / "ca.crt"
    bundle.write_bytes(other.read_bytes() + (ours.write(tmp_path / "ours") / "ca.crt").read_bytes())
    return bundle


@pytest.fixture
def url(ca: Path, registry_factory: RegistryFactory) -> str:
    tls = {"certificate": str(ca.parent / "tls/server.crt"), "key": str(ca.parent / "tls/server.key")}
    return registry_factory({"http": {"tls": tls}}).url.replace("http:", "https:")


def test_is_believed_where_the_file_names_it(catalog_settings: Settings, ca: Path, url: str) -> None:
    settings = replace(catalog_settings, registry_url=url, registry_ca_bundle=ca)

    assert list(new_registry(settings).list_repositories()) == []
    assert probe_url(url, ca_bundle=ca).fault is None


@pytest.mark.parametrize("bundle", [None, "another/ca.crt"])
def test_is_not_believed_otherwise_and_the_reason_is_told(
    catalog_settings: Settings, ca: Path, url: str, bundle: str | None
) -> None:
    path = ca.parent / bundle if bundle else None

    with pytest.raises(RegistryUnavailable, match=r"certificate is not believed: .*issuer"):
        list(new_registry(replace(catalog_settings, registry_url=url, registry_ca_bundle=path)).list_repositories())
    assert "certificate is not believed" in (probe_url(url, ca_bundle=path).fault or "")


def test_the_well_known_ones_are_believed_beside_it(
    monkeypatch: pytest.MonkeyPatch, catalog_settings: Settings, ca: Path, url: str
) -> None:
    """A registry may send us to an object store elsewhere."""
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(ca.parent / "ours/ca.crt"))
    settings = replace(catalog_settings, registry_url=url, registry_ca_bundle=ca.parent / "another/ca.crt")

    assert list(new_registry(settings).list_repositories()) == []


def test_is_believed_about_its_own_names_only(catalog_settings: Settings, ca: Path, url: str) -> None:
    elsewhere = url.replace("localhost", "127.0.0.1")
    settings = replace(catalog_settings, registry_url=elsewhere, registry_ca_bundle=ca)

    with pytest.raises(RegistryUnavailable, match="not believed: IP address mismatch"):
        list(new_registry(settings).list_repositories())


class TestVariable:
    """What is read at the start."""

    @pytest.fixture(autouse=True)
    def required(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("PORTUS_INTERNAL_SECRET", "PORTUS_SERVICE_ACCOUNT_SECRET"):
            monkeypatch.setenv(name, "a-secret-of-sixteen-characters")

    def test_names_a_file(self, monkeypatch: pytest.MonkeyPatch, ca: Path) -> None:
        assert load_settings().registry_ca_bundle is None
        monkeypatch.setenv(VARIABLE, str(ca))

        assert load_settings().registry_ca_bundle == ca

    @pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff\x00"])
    def test_of_a_file_that_holds_no_certificates_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
    ) -> None:
        path = tmp_path / "bundle.pem"
        if content is not None:
            path.write_bytes(content)
        monkeypatch.setenv(VARIABLE, str(path))

        with pytest.raises(SettingsError, match=VARIABLE):
            load_settings()
