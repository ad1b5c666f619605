"""One artifact: by its tag and by its digest."""

from typing import Any

import pytest

from shared.oci.media_types import OCI_INDEX
from tests.api.web.conftest import Browser
from tests.support.portal_peers import NOW, Peers, digest_of, make_artifact, make_tag

TAG_PAGE = "/r/team/deep/app/-/tags/latest"
EVIL = "<script>alert(1)</script>"


def config(**changes: Any) -> dict[str, Any]:
    return {"env": [], "secret_env": [], "labels": {}, "entrypoint": ["/app"], "user": "65532", **changes}


def show(jane: Browser, peers: Peers, path: str = TAG_PAGE, **changes: Any) -> str:
    artifact = make_artifact(**changes)
    peers.add("team/deep/app", make_tag())
    peers.artifacts = {"latest": artifact, artifact["digest"]: artifact}
    answer = jane.get(path)
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("path", [TAG_PAGE, f"/r/team/deep/app/-/digests/{digest_of('a')}"])
def test_artifact_tells_its_facts_and_layers_under_both_of_its_addresses(
    jane: Browser, peers: Peers, path: str
) -> None:
    page = show(jane, peers, path)

    assert f"<code>{digest_of('a')}</code>" in page
    assert "linux/amd64" in page
    assert "3.8 MiB" in page
    assert '<rect x="75.0" width="25.0" height="4"/>' in page
    assert "RUN make" in page
    assert "docker pull registry.test:5000/team/deep/app:latest" in page or "digests" in path


def test_tag_table_leads_to_the_tag(jane: Browser, peers: Peers) -> None:
    peers.add("team/app", make_tag("1.0"))

    assert 'href="/r/team/app/-/tags/1.0"' in jane.get("/r/team/app").text


def test_index_leads_to_its_platforms(jane: Browser, peers: Peers) -> None:
    child = {
        "digest": digest_of("c"),
        "media_type": None,
        "platform": {"os": "linux", "architecture": "arm", "variant": "v7"},
        "size_bytes": None,
        "is_attestation": False,
        "attests": None,
    }

    page = show(jane, peers, media_type=OCI_INDEX, artifact_type=None, children=[child], layers=[])

    assert "linux/arm/v7" in page
    assert f'href="/r/team/deep/app/-/digests/{digest_of("c")}"' in page


def test_what_looks_secret_is_shown_on_demand_only(jane: Browser, peers: Peers) -> None:
    layer = {
        "digest": digest_of("1"),
        "size_bytes": 5,
        "media_type": None,
        "created_by": "RUN DB_TOKEN=tok7 curl hunter22",
    }
    secrets: dict[str, Any] = {
        "config": config(env=["PATH=/bin", "DB_PASSWORD=hunter22"], secret_env=["DB_PASSWORD"]),
        "annotations": {"org.example.api_key": "k-123456"},
        "layers": [layer],
    }

    hidden = show(jane, peers, **secrets)
    shown = jane.get(f"{TAG_PAGE}?show=secrets").text

    for secret in ("hunter22", "tok7", "k-123456"):
        assert secret not in hidden
        assert secret in shown
    assert "/bin" in hidden
    assert f'href="{TAG_PAGE}?show=secrets"' in hidden


@pytest.mark.parametrize(
    ("value", "is_link"),
    [
        ("https://example.test/source?x=1", True),
        ("javascript:alert(1)", False),
        ("https://example.test@evil.test/", False),
        ('https://example.test/" onmouseover="x', False),
        ("data:text/html,x", False),
    ],
)
def test_only_plain_addresses_of_the_web_become_links(jane: Browser, peers: Peers, value: str, is_link: bool) -> None:
    page = show(jane, peers, annotations={"org.opencontainers.image.source": value})

    assert ('rel="noopener noreferrer nofollow"' in page) is is_link


def test_whatever_comes_from_a_registry_is_escaped(jane: Browser, peers: Peers) -> None:
    layer = {"digest": digest_of("1"), "size_bytes": 5, "media_type": EVIL, "created_by": EVIL}
    page = show(
        jane,
        peers,
        layers=[layer],
        pushed_by=EVIL,
        media_type=EVIL,
        annotations={EVIL: EVIL},
        config=config(env=[f"X={EVIL}"], labels={EVIL: EVIL}, user=EVIL),
    )

    assert EVIL not in page
    assert "&lt;script&gt;alert(1)" in page


def test_referrers_are_named_and_their_absence_takes_nothing_from_the_rest(jane: Browser, peers: Peers) -> None:
    signature = {"digest": digest_of("d"), "kind": "signature", "pushed_at": NOW.isoformat(), "pushed_by": "jane"}
    peers.referrers = [signature]

    page = show(jane, peers, referrers=1)
    peers.away = {"referrers"}
    without = jane.get(TAG_PAGE)

    assert ">Signature<" in page
    assert f"-/digests/{digest_of('d')}" in page
    assert without.status_code == 200
    assert "1 of them could not be fetched now" in without.text
    assert "RUN make" in without.text


def test_raw_manifest_is_shown_on_demand_and_may_be_away(jane: Browser, peers: Peers) -> None:
    without = show(jane, peers)
    raw = jane.get(f"{TAG_PAGE}?show=raw").text
    peers.raw_away = True
    away = jane.get(f"{TAG_PAGE}?show=raw")

    assert "schemaVersion" not in without
    assert "schemaVersion" in raw
    assert "&lt;/pre&gt;&lt;script&gt;" in raw
    assert away.status_code == 200
    assert "does not give it now" in away.text


def test_manifest_that_is_not_known_yet_says_so(jane: Browser, peers: Peers) -> None:
    unknown: dict[str, Any] = {"known": False, "media_type": None, "size_bytes": None, "layers": [], "platform": None}

    assert "could not be read yet" in show(jane, peers, **unknown)


@pytest.mark.parametrize("part", ["tags/none", "tags/-bad", f"digests/{digest_of('e')}", "digests/sha256:x"])
def test_missing_artifact_is_404(jane: Browser, peers: Peers, part: str) -> None:
    peers.add("team/app", make_tag())

    assert jane.get(f"/r/team/app/-/{part}").status_code == 404


def test_artifact_of_a_hidden_repository_is_not_shown(browser: Browser, peers: Peers) -> None:
    peers.add("team/app", make_tag())
    peers.artifacts = {"latest": make_artifact()}

    assert browser.get("/r/team/app/-/tags/latest").status_code == 404
