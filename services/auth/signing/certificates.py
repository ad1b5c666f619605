"""What the certificates of a CA must say, so that a registry trusts what lies below them.

Source: RFC 5280 §4.2.1.3 (keyUsage), §4.2.1.9 (basicConstraints), §6.1 (paths). Registries check no more
than this, and neither extended key usage nor revocation.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature

Extension = TypeVar("Extension", bound=x509.ExtensionType)

BACKDATED = timedelta(hours=1)
"""Clocks differ: what is made now must be valid at once everywhere."""

MAX_CERTIFICATES = 5
"""Most certificates in the CA's file: all but a root travel in every token."""


def chain_fault(certificates: Sequence[x509.Certificate]) -> str | None:
    """Return why a registry would refuse what the first certificate signs, or ``None``.

    Args:
        certificates: the signing CA, then the issuer of each.
    """
    if len(certificates) > MAX_CERTIFICATES:
        return f"it holds {len(certificates)} certificates: {MAX_CERTIFICATES} at most"
    for position, certificate in enumerate(certificates):
        try:
            fault = _authority_fault(certificate, authorities_below=position)
        except ValueError:
            fault = "has extensions that cannot be read"
        if fault:
            return f"certificate {position + 1} {fault}"
    for position, (lower, upper) in enumerate(pairwise(certificates), start=2):
        if not _is_issued_by(lower, upper):
            return f"certificate {position} is not the issuer of the one before it"
    return None


def is_self_issued(certificate: x509.Certificate) -> bool:
    """Tell a root: a registry has it already, or does not trust it."""
    return certificate.issuer == certificate.subject


def key_usage(*, certificates: bool) -> x509.KeyUsage:
    """Return the one usage that a certificate of ours allows: signing certificates, or tokens."""
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def authority_key_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Return what a certificate below says of its issuer's key: the issuer's own words, if it has any.

    Source: RFC 5280 §4.2.1.1.
    """
    try:
        identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _authority_fault(certificate: x509.Certificate, *, authorities_below: int) -> str | None:
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        return "is not a CA (basicConstraints)"
    usage = _extension(certificate, x509.KeyUsage)
    # RFC 5280 §4.2.1.3: without the extension a key may be used for anything.
    if usage is not None and not usage.key_cert_sign:
        return "may not sign certificates (keyUsage lacks keyCertSign)"
    if constraints.path_length is not None and constraints.path_length < authorities_below:
        return f"allows {constraints.path_length} CAs below it (pathLenConstraint), and there are {authorities_below}"
    return None


def _extension(certificate: x509.Certificate, kind: type[Extension]) -> Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
