"""The rules of webhooks: addresses, headers, what is told, how it is signed, when it is tried again."""

import base64
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from services.notifier.domain.addresses import may_reach
from services.notifier.domain.retries import find_pause
from services.notifier.domain.webhook_requests import build_headers, encode_body, mask_headers, secret_fault, sign
from services.notifier.domain.webhooks import Happening, InvalidWebhook, Selection, check_header, check_url, origin_of
from services.notifier.storage.sealing import Seal, Unsealable
from shared.config import Secret

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("example.org", "http://example.org"),
        (" example.org:8080/hook?a=b ", "http://example.org:8080/hook?a=b"),
        ("example.org/?next=https://other", "http://example.org/?next=https://other"),
        ("https://example.org/hook", "https://example.org/hook"),
        ("HTTP://example.org", "HTTP://example.org"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
    ],
)
def test_170_an_address_without_a_scheme_gets_http(given: str, kept: str) -> None:
    assert check_url(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "  ",
        "ftp://example.org",
        "file:///etc/passwd",
        "gopher://example.org",
        "javascript:alert(1)",
        "mailto:jane@example.org",
        "http://",
        "http:///path",
        "http://user:password@example.org",
        "user@example.org",
        "http://example.org:port",
        "http://example.org:0",
        "http://example.org:99999",
        "http://example.org#part",
        "http://example.org/a b",
        "http://example.org/\r\nHost: other",
        "http://exämple.org",
        "http://[::1",
        "http://example.org\\@other.org",
        "http://" + "a" * 2048,
    ],
)
def test_170_anything_else_is_refused(given: str) -> None:
    with pytest.raises(InvalidWebhook) as fault:
        check_url(given)

    assert list(fault.value.errors) == ["url"]


def test_the_default_port_is_the_same_origin() -> None:
    assert origin_of("https://example.org/a") == origin_of("HTTPS://example.org:443/b")
    assert origin_of("https://example.org") != origin_of("http://example.org")


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-Token", "a b"), ("Authorization", "Bearer x"), ("content-type", "text/plain"), ("x!", "~")],
)
def test_a_header_may_be_whatever_is_http(name: str, value: str) -> None:
    check_header(name, value)


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("", "x", "name"),
        ("a b", "x", "name"),
        ("a:", "x", "name"),
        ("ä", "x", "name"),
        ("a\n", "x", "name"),
        ("HOST", "x", "name"),
        ("Content-Length", "1", "name"),
        ("transfer-encoding", "chunked", "name"),
        ("Connection", "keep-alive", "name"),
        ("webhook-signature", "v1,x", "name"),
        ("Proxy-Authorization", "x", "name"),
        ("X-A", "", "value"),
        ("X-A", " x", "value"),
        ("X-A", "x\r\nHost: y", "value"),
        ("X-A", "ä", "value"),
    ],
)
def test_a_header_that_is_not_http_or_not_theirs_is_refused(name: str, value: str, field: str) -> None:
    with pytest.raises(InvalidWebhook) as fault:
        check_header(name, value)

    assert list(fault.value.errors) == [field]


PUSH, DELETE = frozenset({Happening.PUSH}), frozenset({Happening.DELETE})


@pytest.mark.parametrize(
    ("selection", "told"),
    [
        (Selection(None, PUSH), True),
        (Selection("team", PUSH), True),
        (Selection("team", DELETE), False),
        (Selection("", PUSH), False),
        (Selection("te", PUSH), False),
        (Selection("team", PUSH, repositories=["team/*"]), True),
        (Selection("team", PUSH, repositories=["team/web", "team/a?p"]), True),
        (Selection("team", PUSH, repositories=["app"]), False),
        (Selection("team", PUSH, tags=["v*"]), True),
        (Selection("team", PUSH, tags=["V*"]), False),
        (Selection("team", PUSH, repositories=["team/*"], tags=["latest"]), False),
    ],
    ids=str,
)
def test_what_a_webhook_is_told_of(selection: Selection, told: bool) -> None:
    assert selection.covers(Happening.PUSH, namespace="team", repository="team/app", tag="v1") is told


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1"])
def test_public_addresses_may_be_reached(address: str) -> None:
    assert may_reach(address, [])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "0.0.0.0",
        "::",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "169.254.170.2",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "224.0.0.1",
        "ff02::1",
        "ff0e::1",
        "240.0.0.1",
        "255.255.255.255",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::169.254.169.254",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
        "64:ff9b:1::a9fe:a9fe",
        "::ffff:0:127.0.0.1",
        "2001:0:7f00:1::",
        "fec0::1",
        "3fff::1",
        "192.0.0.1",
        "192.0.0.192",
        "168.63.129.16",
        "::ffff:168.63.129.16",
        "198.18.0.1",
    ],
)
def test_all_others_may_not_unless_they_are_allowed(address: str) -> None:
    assert not may_reach(address, [])
    assert not may_reach(address, [ip_network("198.51.100.0/24")])


@pytest.mark.parametrize(
    ("address", "network"),
    [("127.0.0.1", "127.0.0.0/8"), ("::ffff:10.1.2.3", "10.0.0.0/8"), ("fd00::1", "fd00::/8"), ("::1", "::1/128")],
)
def test_what_is_allowed_may_be_reached(address: str, network: str) -> None:
    assert may_reach(address, [ip_network(network)])


def test_a_signature_is_the_one_of_standard_webhooks() -> None:
    """The example of the specification's own libraries."""
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        b'{"test": 2432232314}',
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_any_other_text_is_its_own_key() -> None:
    encoded = "whsec_" + base64.b64encode(b"correct horse battery").decode()

    assert sign("correct horse battery", "i", "1", b"x") == sign(encoded, "i", "1", b"x")


@pytest.mark.parametrize(
    ("secret", "is_good"),
    [
        ("correct horse battery", True),
        ("short", False),
        ("x" * 129, False),
        ("tab\tin the middle of it", False),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", True),
        ("whsec_not base64 at all!", False),
        ("whsec_c2hvcnQ=c2hvcnQ=", False),
    ],
)
def test_a_secret_is_long_enough(secret: str, is_good: bool) -> None:
    assert (secret_fault(secret) is None) is is_good


def test_a_form_is_really_encoded() -> None:
    assert encode_body('{"a": "b&c"}', "application/x-www-form-urlencoded") == b"payload=%7B%22a%22%3A+%22b%26c%22%7D"
    assert encode_body('{"a": "b&c"}', "application/json") == b'{"a": "b&c"}'


def headers(**changes: object) -> dict[str, str]:
    options = {
        "id": "a",
        "now": NOW,
        "content_type": "application/json",
        "user_agent": "portus",
        "credentials": None,
        "secret": None,
        "custom": [],
    }
    return dict(build_headers(b"{}", **{**options, **changes}))  # type: ignore[arg-type]


def test_without_a_secret_nothing_is_signed() -> None:
    assert headers() == {
        "Content-Type": "application/json",
        "User-Agent": "portus",
        "webhook-id": "a",
        "webhook-timestamp": "1795435200",
    }


def test_custom_headers_take_the_place_of_ours() -> None:
    found = headers(custom=[("content-type", "text/plain"), ("authorization", "Bearer x")], credentials=("a", "b"))

    assert (found["content-type"], found["authorization"]) == ("text/plain", "Bearer x")
    assert "Content-Type" not in found
    assert "Authorization" not in found


def test_what_may_be_secret_is_masked() -> None:
    custom = [("X-Token", "t"), ("User-Agent", "u")]
    sent = build_headers(
        b"{}",
        id="a",
        now=NOW,
        content_type="application/json",
        user_agent="portus",
        credentials=("jane", "hunter2"),
        secret="correct horse battery",
        custom=custom,
    )

    kept = dict(mask_headers(sent, custom))

    assert {name for name, value in kept.items() if value == "***"} == {"Authorization", "X-Token", "User-Agent"}
    assert kept["webhook-id"] == "a"


def test_pauses_grow_to_a_limit_and_end() -> None:
    pauses = [find_pause(attempt, max_attempts=8) for attempt in range(1, 9)]

    assert pauses[:4] == [timedelta(seconds=one) for one in (10, 50, 250, 1250)]
    assert pauses[4:] == [timedelta(seconds=6250), timedelta(hours=2), timedelta(hours=2), None]
    assert find_pause(1, max_attempts=1) is None


def test_what_is_sealed_opens_under_the_same_key_only() -> None:
    sealed = Seal(Secret("a-secret-among-peers")).close(Secret("hunter2"))

    assert "hunter2" not in sealed
    assert Seal(Secret("a-secret-among-peers")).open(sealed).reveal() == "hunter2"
    with pytest.raises(Unsealable):
        Seal(Secret("another-secret-of-peers")).open(sealed)
