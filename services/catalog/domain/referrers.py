"""What is about a manifest: signatures, attestations, bills of materials, and whatever else refers to it.

A registry before distribution-spec 1.1 does not know of them, so clients keep them under tags that are
made of the digest. Source: distribution-spec "Referrers Tag Schema"; cosign "Signature Spec" (``.sig``,
``.att``, ``.sbom``).
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from shared.oci.names import Digest, Tag

_TAG = re.compile(r"sha256-(?P<hex>[0-9a-f]{64})(?P<suffix>\.sig|\.att|\.sbom)?")


class Kind(StrEnum):
    """What a referrer is, as far as its name or its type tells."""

    SIGNATURE = "signature"
    ATTESTATION = "attestation"
    SBOM = "sbom"
    OTHER = "other"


_KINDS = {".sig": Kind.SIGNATURE, ".att": Kind.ATTESTATION, ".sbom": Kind.SBOM}
_WORDS = (
    ("signature", Kind.SIGNATURE),
    ("cosign.artifact.sig", Kind.SIGNATURE),
    ("sigstore.bundle", Kind.SIGNATURE),
    ("in-toto", Kind.ATTESTATION),
    ("attestation", Kind.ATTESTATION),
    ("spdx", Kind.SBOM),
    ("cyclonedx", Kind.SBOM),
    ("sbom", Kind.SBOM),
)


@dataclass(frozen=True, slots=True)
class ReferrerTag:
    """A tag that is made of a digest."""

    subject: Digest
    kind: Kind | None
    """``None``: the tag of an index that lists referrers."""


def find_referrer_tag(tag: Tag) -> ReferrerTag | None:
    """Read a tag that is made of a digest; any other is none."""
    found = _TAG.fullmatch(tag)
    if found is None:
        return None
    return ReferrerTag(Digest(f"sha256:{found['hex']}"), _KINDS[found["suffix"]] if found["suffix"] else None)


def kind_of(artifact_type: str | None) -> Kind:
    """Tell what a referrer of some type is."""
    said = (artifact_type or "").lower()
    return next((kind for word, kind in _WORDS if word in said), Kind.OTHER)
