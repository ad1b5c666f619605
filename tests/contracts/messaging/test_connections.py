"""How brokers are reached, and what happens when the way is cut."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server
from threading import Thread
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.config import Secret, SettingsError, read_settings
from shared.messaging.connections import describe_broker, load_broker_url, open_connection
from shared.messaging.publisher import Publisher
from shared.messaging.topology import declare_topology
from tests.support.messages import Collector, consuming, make_envelope, publish
from tests.support.proxy import CuttingProxy
from tests.support.waiting import wait_until


def through(proxy: CuttingProxy, url: Secret) -> Secret:
    parts = urlsplit(url.reveal())
    return Secret(url.reveal().replace(f":{parts.port}", f":{proxy.port}"))


def broker_port(url: Secret) -> int:
    port = urlsplit(url.reveal()).port
    assert port
    return port


def test_a_connection_that_died_idle_costs_no_publisher_an_error(rabbitmq_url: Secret) -> None:
    declare_topology(rabbitmq_url)
    collector = Collector()
    with CuttingProxy(broker_port(rabbitmq_url)) as proxy, consuming(rabbitmq_url, collector):
        publisher = Publisher(through(proxy, rabbitmq_url), timeout_s=10)
        publisher.publish([make_envelope("before")])

        proxy.cut()
        publisher.publish([make_envelope("after")])

        wait_until(lambda: collector.ids == ["before", "after"], what="both arrived")
        publisher.close()


def test_a_consumer_connects_again(rabbitmq_url: Secret) -> None:
    declare_topology(rabbitmq_url)
    collector = Collector()
    with (
        CuttingProxy(broker_port(rabbitmq_url)) as proxy,
        consuming(through(proxy, rabbitmq_url), collector),
    ):
        publish(rabbitmq_url, [make_envelope("before")])
        wait_until(lambda: "before" in collector.ids, what="the first event arrives")

        proxy.cut()
        publish(rabbitmq_url, [make_envelope("after")])

        wait_until(lambda: "after" in collector.ids, what="the second event arrives")


def test_tls_with_a_certificate_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(write_self_signed(tmp_path))
    with create_server(("127.0.0.1", 0)) as plain, context.wrap_socket(plain, server_side=True) as server:
        Thread(target=accept_once, args=(server,), daemon=True).start()

        with pytest.raises(ssl.SSLCertVerificationError):
            open_connection(Secret(f"amqps://portus:secret@localhost:{plain_port(server)}/"), timeout_s=10)


def plain_port(server: ssl.SSLSocket) -> int:
    port: int = server.getsockname()[1]
    return port


def accept_once(server: ssl.SSLSocket) -> None:
    try:
        server.accept()
    except OSError:
        return


def write_self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = folder / "server.pem"
    path.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("amqp://portus:hunter2@rabbitmq:5673/house", "rabbitmq:5673/house"),
        ("amqp://portus:hunter2@rabbitmq/", "rabbitmq:5672/"),
        ("sqlite:////var/lib/portus/broker.db", "/var/lib/portus/broker.db"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert describe_broker(Secret(url)) == shown


@pytest.mark.parametrize(
    "url", ["", "redis://localhost", "amqp://", "amqp://rabbitmq:port/", "sqlite:///", "/var/lib/broker.db"], ids=repr
)
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PORTUS_BROKER_URL", url)

    with pytest.raises(SettingsError, match=r"PORTUS_BROKER_URL: must be sqlite:///<path> or amqp://"):
        read_settings(load_broker_url)


def test_without_an_address_the_broker_is_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PORTUS_BROKER_URL", raising=False)
    monkeypatch.setenv("PORTUS_DATA_DIR", str(tmp_path))

    assert read_settings(load_broker_url).reveal() == f"sqlite:///{tmp_path}/broker.db"
