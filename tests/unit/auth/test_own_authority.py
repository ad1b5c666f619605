"""A CA that the operator brings: what is accepted, and what is refused in one plain line."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.auth.signing.authority import AuthorityError, authority_fault, load_authority
from services.auth.signing.certificates import MAX_CERTIFICATES, key_usage
from services.auth.signing.new_authority import create_authority
from tests.support.authorities import Ca, make_ca, pem

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TLS = ("tls.crt", "tls.key")


def ca(*arguments: object, **options: object) -> Ca:
    return make_ca(*arguments, now=NOW, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-2048"])
def test_a_key_of_each_kind_is_accepted(tmp_path: Path, kind: str) -> None:
    ca(kind=kind).write(tmp_path)

    assert authority_fault(tmp_path, now=NOW) is None


@pytest.mark.parametrize("path_length", [None, 0, 3])
def test_it_need_not_be_allowed_to_sign_further_cas(tmp_path: Path, path_length: int | None) -> None:
    ca(path_length=path_length).write(tmp_path)

    assert authority_fault(tmp_path, now=NOW) is None


def test_a_certificate_that_says_nothing_of_usage_is_accepted(tmp_path: Path) -> None:
    """As `openssl req -x509` makes it."""
    ca(usage=None).write(tmp_path)

    assert authority_fault(tmp_path, now=NOW) is None


def test_the_names_of_a_kubernetes_tls_secret_are_understood(tmp_path: Path) -> None:
    """cert-manager puts the issuer's certificate beside it as ca.crt."""
    root = ca("root")
    issuing = ca("issuing", under=root)
    issuing.write(tmp_path, names=TLS, crt=pem(issuing.certificate))
    (tmp_path / "ca.crt").write_bytes(pem(root.certificate))

    authority = load_authority(tmp_path)

    assert authority.certificate == issuing.certificate
    assert create_authority(tmp_path, now=NOW) is False


def test_two_pairs_are_one_too_many(tmp_path: Path) -> None:
    ca().write(tmp_path)
    ca().write(tmp_path, names=TLS)

    with pytest.raises(AuthorityError, match=r"ca\.key and tls\.key: take one of them away"):
        load_authority(tmp_path)


def test_what_stands_between_leaf_and_root_goes_along(tmp_path: Path) -> None:
    root = ca("root")
    middle = ca("middle", under=root)
    issuing = ca("issuing", under=middle, path_length=0)

    assert load_authority(root.write(tmp_path / "root")).intermediates == ()
    assert load_authority(issuing.write(tmp_path / "all")).intermediates == (issuing.certificate, middle.certificate)
    alone = issuing.write(tmp_path / "alone", crt=pem(issuing.certificate))
    assert load_authority(alone).intermediates == (issuing.certificate,)


def test_it_ends_with_the_first_of_its_certificates(tmp_path: Path) -> None:
    root = ca("root", days=(-1, 10))
    issuing = ca("issuing", under=root, days=(-1, 100))

    assert load_authority(issuing.write(tmp_path)).expires_at == root.certificate.not_valid_after_utc


def _chain(length: int) -> Ca:
    chain = ca("0")
    for number in range(1, length):
        chain = ca(str(number), under=chain)
    return chain


def _too_short() -> Ca:
    root = ca("root", path_length=0)
    return ca("issuing", under=root)


def _strangers() -> Ca:
    return Ca((own := ca()).certificate, own.key, (ca("somebody else").certificate,))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda: ca(is_ca=False), "certificate 1 is not a CA", id="not a CA"),
        pytest.param(
            lambda: ca(usage=key_usage(certificates=False)), "keyUsage lacks keyCertSign", id="no keyCertSign"
        ),
        pytest.param(lambda: ca(days=(-9, -1)), r"has expired \(2026-11-22 12:00 UTC\): renew it", id="expired"),
        pytest.param(lambda: ca(days=(1, 9)), "is not valid before 2026-11-24 12:00 UTC", id="not yet valid"),
        pytest.param(lambda: Ca(ca().certificate, ca().key), "do not belong together", id="a key that does not fit"),
        pytest.param(lambda: ca(kind="RSA-1024"), "RSA key of 1024 bits: it needs 2048", id="RSA too short"),
        pytest.param(lambda: ca(kind="P-521"), "take P-256, P-384 or RSA", id="another curve"),
        pytest.param(lambda: ca(kind="Ed25519"), "take P-256, P-384 or RSA", id="another kind of key"),
        pytest.param(_strangers, "certificate 2 is not the issuer of the one before", id="not its issuer"),
        pytest.param(
            _too_short, r"certificate 2 allows 0 CAs below it \(pathLenConstraint\)", id="pathLen of a parent"
        ),
        pytest.param(lambda: ca(under=ca(is_ca=False)), "certificate 2 is not a CA", id="a parent is no CA"),
        pytest.param(lambda: ca(under=ca("r", days=(-9, -1))), "has expired", id="a parent has expired"),
        pytest.param(lambda: _chain(MAX_CERTIFICATES + 1), "holds 6 certificates: 5 at most", id="too many"),
    ],
)
def test_what_a_registry_would_refuse_is_refused(tmp_path: Path, make: Callable[[], Ca], words: str) -> None:
    make().write(tmp_path)

    fault = authority_fault(tmp_path, now=NOW) or ""

    assert re.search(words, fault), fault
    assert str(tmp_path) in fault
    assert "\n" not in fault


def test_as_many_certificates_as_are_allowed(tmp_path: Path) -> None:
    _chain(MAX_CERTIFICATES).write(tmp_path)

    assert authority_fault(tmp_path, now=NOW) is None


def test_an_encrypted_key_is_refused(tmp_path: Path) -> None:
    own = ca()
    own.write(tmp_path, key=own.pem_key(passphrase=b"secret"))

    with pytest.raises(AuthorityError, match="is encrypted: store the key without a passphrase"):
        load_authority(tmp_path)


def test_no_key_is_made_for_a_certificate_of_somebody_else(tmp_path: Path) -> None:
    ca().write(tmp_path)
    (tmp_path / "ca.key").unlink()

    with pytest.raises(AuthorityError, match=r"ca\.key is missing"):
        create_authority(tmp_path, now=NOW)

    assert [path.name for path in tmp_path.iterdir()] == ["ca.crt"]


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-2048"])
def test_keys_are_derived_from_each_kind(tmp_path: Path, kind: str) -> None:
    one, other = (load_authority(ca(kind=kind).write(tmp_path / name)) for name in ("one", "other"))

    assert one.derive_key("a") == one.derive_key("a")
    assert len({one.derive_key("a"), one.derive_key("b"), other.derive_key("a")}) == 3
