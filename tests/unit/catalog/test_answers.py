import hashlib
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime

import pytest
from requests.structures import CaseInsensitiveDict

from services.catalog.clients.answers import Answer, check_digest
from services.catalog.usecases.registry import InvalidAnswer
from shared.oci.media_types import DOCKER_SCHEMA1_SIGNED
from shared.oci.names import Digest

RECEIVED = datetime(2026, 11, 23, 12, tzinfo=UTC)
BODY = b'{"schemaVersion": 2}'


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_bytes_are_those_of_their_digest(algorithm: str) -> None:
    check_digest(BODY, Digest(f"{algorithm}:{hashlib.new(algorithm, BODY).hexdigest()}"))


def test_other_bytes_are_refused() -> None:
    with pytest.raises(InvalidAnswer):
        check_digest(BODY + b" ", Digest(f"sha256:{hashlib.sha256(BODY).hexdigest()}"))


def signed(payload: bytes, **protected: object) -> bytes:
    """Sign a schema 1 manifest as libtrust lays it out: before its last bytes, described by length and tail."""
    fields = {"formatLength": len(payload) - 2, "formatTail": urlsafe_b64encode(payload[-2:]).decode().rstrip("=")}
    header = urlsafe_b64encode(json.dumps(fields | protected).encode()).decode().rstrip("=")
    return payload[:-2] + b', "signatures": [{"protected": "' + header.encode() + b'"}]' + payload[-2:]


def test_the_digest_of_a_signed_schema_1_manifest_is_that_of_what_is_signed() -> None:
    payload = b'{"schemaVersion": 1,\n   "name": "app"\n}'

    check_digest(
        signed(payload), Digest(f"sha256:{hashlib.sha256(payload).hexdigest()}"), media_type=DOCKER_SCHEMA1_SIGNED
    )


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b"no", b'{"signatures": []}', signed(b"{  }", formatLength="x"), signed(b"{  }", formatTail=1)],
)
def test_a_schema_1_manifest_without_a_readable_signature_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidAnswer):
        check_digest(body, Digest("sha256:" + "0" * 64), media_type=DOCKER_SCHEMA1_SIGNED)


@pytest.mark.parametrize(
    ("date", "sent_at"),
    [
        pytest.param("Mon, 23 Nov 2026 08:22:29 GMT", datetime(2026, 11, 23, 8, 22, 29, tzinfo=UTC), id="said"),
        pytest.param("yesterday", RECEIVED, id="not readable"),
        pytest.param(None, RECEIVED, id="not said"),
    ],
)
def test_the_time_of_an_answer_is_the_servers_where_it_says_so(date: str | None, sent_at: datetime) -> None:
    headers = CaseInsensitiveDict({"Date": date} if date else {})

    assert Answer(headers, b"").sent_at(otherwise=RECEIVED) == sent_at
