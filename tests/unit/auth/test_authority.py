"""The CA's files: made once, whole, never overwritten."""

import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from services.auth.signing.authority import AuthorityError, authority_fault, load_authority
from services.auth.signing.new_authority import create_authority

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_authority(tmp_path / "ca", now=NOW)
    return tmp_path / "ca"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_only_the_owner_may_read_the_key(folder: Path) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}

    assert modes == {"ca.crt": 0o644, "ca.key": 0o600}


def test_a_second_time_changes_nothing(folder: Path) -> None:
    before = contents(folder)

    assert create_authority(folder, now=NOW) is False
    assert contents(folder) == before


def test_a_lost_certificate_is_made_anew_for_the_same_key(folder: Path) -> None:
    """So does a process that was killed between the two files."""
    key = (folder / "ca.key").read_bytes()
    (folder / "ca.crt").unlink()

    assert create_authority(folder, now=NOW) is True

    assert (folder / "ca.key").read_bytes() == key
    assert load_authority(folder)


def _create(folder: Path) -> None:
    create_authority(folder, now=NOW)


def test_several_processes_at_once_make_one_ca(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as processes:
        processes.map(_create, [tmp_path / "ca"] * 16)

    assert sorted(contents(tmp_path / "ca")) == ["ca.crt", "ca.key"]
    assert load_authority(tmp_path / "ca")


def test_the_ca_may_sign_leaves_and_no_further_ca(folder: Path) -> None:
    certificate = load_authority(folder).certificate

    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    assert (usage.key_cert_sign, usage.digital_signature, usage.crl_sign) == (True, False, False)
    assert certificate.not_valid_after_utc - NOW == timedelta(days=3650)
    assert certificate.not_valid_before_utc < NOW


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        pytest.param("ca.key", None, "is missing", id="no key"),
        pytest.param("ca.crt", None, "is missing", id="no certificate"),
        pytest.param("ca.key", b"nonsense", "cannot be read", id="a broken key"),
        pytest.param("ca.crt", b"nonsense", "cannot be read", id="a broken certificate"),
    ],
)
def test_unusable_files_are_told_with_what_to_do(folder: Path, name: str, content: bytes | None, words: str) -> None:
    path = folder / name
    path.unlink() if content is None else path.write_bytes(content)

    with pytest.raises(AuthorityError, match=words) as fault:
        load_authority(folder)

    assert "init-ca" in str(fault.value)
    assert str(folder) in str(fault.value)


def test_files_of_two_cas_are_told_apart(folder: Path, tmp_path: Path) -> None:
    create_authority(tmp_path / "other", now=NOW)
    (folder / "ca.crt").write_bytes((tmp_path / "other" / "ca.crt").read_bytes())

    with pytest.raises(AuthorityError, match="do not belong together"):
        load_authority(folder)


def test_readiness_tells_a_missing_and_an_expired_ca(folder: Path, tmp_path: Path) -> None:
    assert authority_fault(folder, now=NOW) is None
    assert "missing" in (authority_fault(tmp_path / "none", now=NOW) or "")
    assert "expired" in (authority_fault(folder, now=NOW + timedelta(days=3651)) or "")
