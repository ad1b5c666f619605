"""Tags that are made of a digest, and what a referrer is."""

import pytest

from services.catalog.domain.referrers import Kind, ReferrerTag, find_referrer_tag, kind_of
from shared.oci.names import Tag
from tests.support.catalog import digest_of

SUBJECT = digest_of("subject")
NAME = SUBJECT.replace(":", "-")


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [("", None), (".sig", Kind.SIGNATURE), (".att", Kind.ATTESTATION), (".sbom", Kind.SBOM)],
)
def test_a_tag_that_is_made_of_a_digest_says_what_it_is_about(suffix: str, kind: Kind | None) -> None:
    assert find_referrer_tag(Tag(NAME + suffix)) == ReferrerTag(SUBJECT, kind)


@pytest.mark.parametrize(
    "tag", ["latest", "sha256-abc", NAME + ".zip", NAME[:-1], f"v{NAME}", NAME.upper(), NAME + "0"]
)
def test_any_other_tag_is_a_tag(tag: str) -> None:
    assert find_referrer_tag(Tag(tag)) is None


@pytest.mark.parametrize(
    ("artifact_type", "kind"),
    [
        ("application/vnd.dev.cosign.artifact.sig.v1+json", Kind.SIGNATURE),
        ("application/vnd.cncf.notary.signature", Kind.SIGNATURE),
        ("application/vnd.dev.sigstore.bundle.v0.3+json", Kind.SIGNATURE),
        ("application/vnd.in-toto+json", Kind.ATTESTATION),
        ("application/spdx+json", Kind.SBOM),
        ("application/vnd.cyclonedx+json", Kind.SBOM),
        ("application/vnd.example.config", Kind.OTHER),
        (None, Kind.OTHER),
    ],
)
def test_a_type_says_what_it_is(artifact_type: str | None, kind: Kind) -> None:
    assert kind_of(artifact_type) is kind
