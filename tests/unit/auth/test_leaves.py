"""A leaf: what its certificate says, how its key is kept, and how it is published."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from services.auth.signing.algorithms import Algorithm, algorithm_of
from services.auth.signing.authority import Authority, load_authority
from services.auth.signing.leaves import Leaf, SigningLeaf, libtrust_fingerprint, load_leaf, mint_leaf, public_jwk
from services.auth.storage.leaves import StoredLeaf
from tests.support.authorities import KEYS, make_ca

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TTL = timedelta(days=7)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return load_authority(make_ca(now=NOW).write(tmp_path))


def mint(authority: Authority, *, algorithm: Algorithm = Algorithm.ES256, at_once: bool = False) -> StoredLeaf:
    return mint_leaf(authority, algorithm=algorithm, ttl=TTL, now=NOW, at_once=at_once)


def signing(authority: Authority, algorithm: Algorithm = Algorithm.ES256) -> SigningLeaf:
    leaf = load_leaf(authority, mint(authority, algorithm=algorithm))
    assert isinstance(leaf, SigningLeaf)
    return leaf


def certificate_of(leaf: Leaf) -> x509.Certificate:
    return x509.load_der_x509_certificate(base64.b64decode(leaf.x5c[0]))


def test_it_signs_tokens_and_nothing_else(authority: Authority) -> None:
    certificate = certificate_of(signing(authority))

    certificate.verify_directly_issued_by(authority.certificate)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert constraints.ca is False
    assert (usage.digital_signature, usage.key_cert_sign) == (True, False)
    assert certificate.not_valid_after_utc == NOW + TTL


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-2048"])
def test_a_ca_of_each_kind_signs_leaves_of_each_kind(tmp_path: Path, kind: str, algorithm: Algorithm) -> None:
    authority = load_authority(make_ca(kind=kind, now=NOW).write(tmp_path))

    leaf = signing(authority, algorithm)

    certificate_of(leaf).verify_directly_issued_by(authority.certificate)
    assert leaf.algorithm is algorithm
    strong = hashes.SHA384 if kind == "P-384" else hashes.SHA256
    assert isinstance(certificate_of(leaf).signature_hash_algorithm, strong)


def test_it_names_its_issuers_key_as_the_issuer_does(tmp_path: Path) -> None:
    """Go and OpenSSL derive the identifier in ways of their own, and a strict verifier compares."""
    theirs = make_ca("theirs", now=NOW)
    identifier = x509.SubjectKeyIdentifier(b"\x01" * 20)
    builder = x509.CertificateBuilder(theirs.certificate.issuer, theirs.certificate.subject, theirs.key.public_key())
    certificate = (
        builder.serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + TTL)
        .add_extension(identifier, critical=False)
        .sign(theirs.key, hashes.SHA256())
    )

    leaf = signing(Authority(certificate, theirs.key))

    named = certificate_of(leaf).extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert named.key_identifier == identifier.digest


def test_it_brings_the_certificates_up_to_the_root(tmp_path: Path) -> None:
    root = make_ca("root", now=NOW)
    issuing = make_ca("issuing", under=root, now=NOW)

    leaf = signing(load_authority(issuing.write(tmp_path)))

    _, carried = (x509.load_der_x509_certificate(base64.b64decode(one)) for one in leaf.x5c)
    assert carried == issuing.certificate


def test_a_stored_leaf_signs_with_its_ca_only(authority: Authority, tmp_path: Path) -> None:
    other = load_authority(make_ca(now=NOW).write(tmp_path / "other"))
    stored = mint(authority)

    assert isinstance(load_leaf(authority, stored), SigningLeaf)
    verifying = load_leaf(other, stored)
    assert not isinstance(verifying, SigningLeaf)
    assert verifying.public_key == load_leaf(authority, stored).public_key


def test_a_private_key_encrypted_by_somebody_else_is_not_taken(authority: Authority, tmp_path: Path) -> None:
    other = load_authority(make_ca(now=NOW).write(tmp_path / "other"))
    stored = mint(authority)
    forged = StoredLeaf(**{name: getattr(stored, name) for name in stored.__slots__} | {"authority": other.fingerprint})

    with pytest.raises(InvalidToken):
        load_leaf(other, forged)


def test_it_waits_unless_it_is_to_sign_at_once(authority: Authority) -> None:
    waiting, hurried = (load_leaf(authority, mint(authority, at_once=at_once)) for at_once in (False, True))

    assert waiting.signs_at == NOW + timedelta(minutes=2)
    assert hurried.signs_at == NOW


def test_secrets_are_not_printed(authority: Authority) -> None:
    stored = mint(authority)

    assert stored.private_key not in repr(stored)
    assert "key=" not in repr(authority)
    assert "key=" not in repr(load_leaf(authority, stored))


def test_the_kid_has_the_form_of_libtrust() -> None:
    kid = libtrust_fingerprint(generate_private_key(SECP256R1()).public_key())

    groups = kid.split(":")
    assert [len(group) for group in groups] == [4] * 12
    assert set("".join(groups)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def test_coordinates_are_padded(authority: Authority) -> None:
    """One key in 128 has a coordinate that begins with a zero byte; here is one."""
    while True:
        leaf = signing(authority)
        assert isinstance(leaf.public_key, EllipticCurvePublicKey)
        numbers = leaf.public_key.public_numbers()
        if min(numbers.x, numbers.y) < 1 << 248:
            break

    jwk = public_jwk(leaf)

    assert (len(str(jwk["x"])), len(str(jwk["y"]))) == (43, 43)


def test_an_rsa_key_has_the_form_of_its_own(authority: Authority) -> None:
    """RFC 7518 §6.3.1: modulus and exponent, without zeros in front."""
    leaf = signing(authority, Algorithm.RS256)
    assert isinstance(leaf.public_key, RSAPublicKey)

    jwk = public_jwk(leaf)

    assert (jwk["kty"], jwk["alg"], jwk["use"], jwk["e"]) == ("RSA", "RS256", "sig", "AQAB")
    modulus = base64.urlsafe_b64decode(f"{jwk['n']}==")
    assert int.from_bytes(modulus, "big") == leaf.public_key.public_numbers().n
    assert modulus[0] != 0
    assert not {"d", "p", "q"} & jwk.keys()


@pytest.mark.parametrize("algorithm", Algorithm)
def test_the_published_key_verifies_what_the_leaf_signs(authority: Authority, algorithm: Algorithm) -> None:
    leaf = signing(authority, algorithm)

    token = jwt.encode({"sub": "jane"}, leaf.key, algorithm=algorithm.value)

    assert jwt.decode(token, jwt.PyJWK(dict(public_jwk(leaf))), algorithms=[algorithm.value]) == {"sub": "jane"}


@pytest.mark.parametrize("make", [KEYS["P-384"], KEYS["Ed25519"]], ids=["P-384", "Ed25519"])
def test_a_key_of_another_kind_signs_no_token(make: Callable[[], Any]) -> None:
    with pytest.raises(TypeError):
        algorithm_of(make().public_key())
