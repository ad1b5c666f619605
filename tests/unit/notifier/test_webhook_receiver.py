"""A receiver is asked where it may be, for a limited time, and for a limited answer."""

import socket
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_network
from pathlib import Path

import pytest
from werkzeug import Response

from services.notifier.clients.webhook_receiver import MAX_BODY_KEPT_BYTES, MAX_READ_BYTES, Receiver, resolve_host
from services.notifier.domain.webhook_requests import Request
from tests.support.authorities import make_ca, write_server_certificate
from tests.support.ports import free_port
from tests.support.receivers import receiving, talking

LOOPBACK = [ip_network("127.0.0.0/8")]


def request(url: str, method: str = "POST") -> Request:
    return Request(method, url, [("Content-Type", "application/json"), ("X-Token", "t")], b'{"a": 1}')


def sender(timeout_s: float = 30, *, resolve: Callable[[str, int], Sequence[str]] = resolve_host) -> Receiver:
    return Receiver(LOOPBACK, timeout_s, resolve=resolve)


def test_a_request_arrives_as_it_is() -> None:
    with receiving() as receiver:
        answer = sender().send(request(f"{receiver.url}/hook/a?b=c"))

    (got,) = receiver.received
    assert (got.method, got.path, got.body) == ("POST", "/hook/a?b=c", b'{"a": 1}')
    assert (got.headers["content-type"], got.headers["x-token"]) == ("application/json", "t")
    assert got.headers["host"] == receiver.url.removeprefix("http://")
    assert (answer.status, answer.fault, answer.body, answer.is_good) == (200, None, "thanks", True)
    assert ("Content-Length", "6") in answer.headers


def test_a_get_brings_the_event_too() -> None:
    with receiving() as receiver:
        sender().send(request(receiver.url, "GET"))

    assert (receiver.received[0].method, receiver.received[0].body) == ("GET", b'{"a": 1}')


@pytest.mark.parametrize("status", [199, 300, 404, 500])
def test_only_2xx_is_a_success(status: int) -> None:
    answer = f"HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n".encode()

    def say(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    with talking(say) as url:
        got = sender().send(request(url))

    assert not got.is_good
    assert str(status) in (got.fault or "") or got.status == 0


def test_a_redirect_is_not_followed() -> None:
    with receiving() as other, receiving(lambda _: Response(status=302, headers={"Location": other.url})) as receiver:
        answer = sender().send(request(receiver.url))

    assert (answer.status, answer.is_good) == (302, False)
    assert "not followed" in (answer.fault or "")
    assert other.received == []


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[::ffff:169.254.169.254]", "10.1.2.3", "[::1]", "0.0.0.0", "2852039166", "[fd00:ec2::254]"],
)
def test_an_address_that_is_not_public_is_not_connected_to(host: str) -> None:
    answer = sender().send(request(f"http://{host}/latest/meta-data/"))

    assert (answer.status, answer.is_good) == (0, False)
    assert "PORTUS_WEBHOOK_ALLOWED_NETWORKS" in (answer.fault or "")


def test_this_machine_is_reached_only_where_that_is_allowed() -> None:
    with receiving() as receiver:
        answer = Receiver([], 30).send(request(receiver.url))

    assert answer.status == 0
    assert receiver.received == []


def test_a_name_is_resolved_once_and_what_was_checked_is_connected_to() -> None:
    """DNS rebinding: a name that means another address at the next look."""
    answers = [["127.0.0.1"], ["169.254.169.254"]]

    with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "rebinding.example")
        first = sender(resolve=lambda _host, _port: answers.pop(0)).send(request(url))

    assert first.status == 200
    assert len(answers) == 1
    assert receiver.received[0].headers["host"].startswith("rebinding.example:")


def test_of_several_addresses_only_those_that_may_be_are_tried() -> None:
    with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "mixed.example")
        answer = sender(resolve=lambda _host, _port: ["169.254.169.254", "127.0.0.1"]).send(request(url))

    assert answer.status == 200


def test_a_name_that_means_nothing_is_a_fault() -> None:
    assert "cannot be resolved" in (sender().send(request("http://nothing.invalid/")).fault or "")


def test_nobody_there_is_a_fault() -> None:
    answer = sender().send(request(f"http://127.0.0.1:{free_port()}/"))

    assert (answer.status, answer.fault) == (0, "It refuses the connection.")


def test_an_answer_is_kept_in_part() -> None:
    with receiving(
        lambda _: Response(b"x" * 10_000_000, headers={f"X-{n}": "y" * 2000 for n in range(60)})
    ) as receiver:
        answer = sender().send(request(receiver.url))

    assert answer.is_good
    assert len(answer.body) == MAX_BODY_KEPT_BYTES
    assert len(answer.headers) == 50
    assert max(len(value) for _, value in answer.headers) == 1024


def test_an_answer_without_an_end_ends_here() -> None:
    def say(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with talking(say) as url:
        answer = sender().send(request(url))

    assert (answer.is_good, len(answer.body)) == (True, MAX_BODY_KEPT_BYTES)


def drip(beginning: bytes) -> Callable[[socket.socket], None]:
    def say(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(beginning)
        while True:
            connection.sendall(b"x")
            time.sleep(0.1)

    return say


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nX-A: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_byte_now_and_then_does_not_prolong_it(beginning: bytes) -> None:
    with talking(drip(beginning)) as url:
        answer = sender(timeout_s=0.5).send(request(url))

    assert (answer.status, answer.fault) == (0, "No answer within 0.5 seconds.")


def test_silence_has_an_end() -> None:
    with talking(lambda connection: time.sleep(5)) as url:
        assert sender(timeout_s=0.3).send(request(url)).status == 0


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 200 + b"\r\n"])
def test_whoever_does_not_speak_http_is_a_fault(said: bytes) -> None:
    def say(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(said)

    with talking(say) as url:
        answer = sender().send(request(url))

    assert answer.status == 0
    assert "broken off" in (answer.fault or "")


def test_what_no_database_takes_is_replaced() -> None:
    with receiving(lambda _: Response(b"a\x00\xff", 200)) as receiver:
        assert sender().send(request(receiver.url)).body == "a\ufffd\ufffd"


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as receiver:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
        assert sender().send(request(receiver.url)).status == 200


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    """The certificate of a CA of the test's own; what it signed for ``localhost`` lies beside it."""
    own = make_ca("ours")
    write_server_certificate(own, tmp_path / "tls")
    return own.write(tmp_path / "ours") / "ca.crt"


def test_a_certificate_that_nobody_believes_is_a_fault(ca: Path) -> None:
    with receiving(tls=ca.parents[1] / "tls") as receiver:
        answer = sender().send(request(receiver.url))

    assert "not believed" in (answer.fault or "")
    assert receiver.received == []


def test_a_ca_of_ones_own_is_believed(ca: Path) -> None:
    with receiving(tls=ca.parents[1] / "tls") as receiver:
        answer = Receiver(LOOPBACK, 30, ca).send(request(receiver.url))

    assert (answer.status, answer.body) == (200, "thanks")


def test_a_certificate_for_another_name_is_not_believed(ca: Path) -> None:
    """The name counts, and not the address that it was resolved to."""
    with receiving(tls=ca.parents[1] / "tls") as receiver:
        url = receiver.url.replace("localhost", "other.example")
        answer = Receiver(LOOPBACK, 30, ca, lambda _host, _port: ["127.0.0.1"]).send(request(url))

    assert "not believed" in (answer.fault or "")


@pytest.mark.parametrize("length", ["-5", "-ffffffff", "zz", ""])
def test_a_chunk_of_an_impossible_length_is_a_failed_attempt(length: str) -> None:
    def say(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length}\r\n".encode())

    with talking(say) as url:
        answer = sender().send(request(url))

    assert not answer.is_good
    assert answer.fault


def test_an_answer_that_does_not_end_is_not_read_to_its_end() -> None:
    """A chunk of the length -1 is all that follows, to the library that reads it."""
    sent = 0

    def say(connection: socket.socket) -> None:
        nonlocal sent
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")
        try:
            while sent < 50 * MAX_READ_BYTES:
                connection.sendall(b"x" * 65536)
                sent += 65536
        except OSError:
            return

    with talking(say) as url:
        answer = sender().send(request(url))

    assert (answer.status, answer.is_good) == (0, False)
    assert sent < 50 * MAX_READ_BYTES
