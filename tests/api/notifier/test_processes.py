"""The notifier as it is run: what survives when it, or its broker, does not."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from services.notifier.storage.dead_letters import list_letters, request_replay
from services.notifier.storage.tables import events, quarantined_events
from shared.api.paging import ListRequest
from shared.clock import utc_now
from shared.config import Secret
from shared.contracts.events import Envelope
from shared.database import Database
from shared.messaging.topology import NOTIFIER_EVENTS, NOTIFIER_QUARANTINE, declare_topology
from tests.support.messages import Collector, consuming, count_messages, make_envelope, publish
from tests.support.notifier import NotifierProcesses
from tests.support.rabbitmq import RabbitmqNode
from tests.support.registry_events import make_event
from tests.support.waiting import wait_until

Port = Callable[[], int]


class Registry:
    """Sends one event after the other and repeats each until it is taken, as a registry does."""

    def __init__(self, notifier: NotifierProcesses) -> None:
        self.taken: list[str] = []
        self._notifier = notifier
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Registry":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            try:
                status = self._notifier.post([make_event(f"event-{number:06}")])
            except requests.RequestException:
                status = 0
            if status == 202:
                self.taken.append(f"event-{number:06}")
                number += 1
            else:
                self._stop.wait(0.02)


def test_a_killed_notifier_loses_nothing_that_was_answered(broker_url: Secret, tmp_path: Path, free_port: Port) -> None:
    notifier = NotifierProcesses(tmp_path, broker_url, port=free_port())
    assert notifier.run("migrate", "topology").returncode == 0
    collector = Collector()

    with consuming(broker_url, collector), Registry(notifier) as registry:
        for kill_after in (50, 100):
            server = notifier.serve()
            wait_until(lambda kill_after=kill_after: len(registry.taken) > kill_after, what="events flow")  # type: ignore[misc]
            server.kill()
    with consuming(broker_url, collector):
        wait_until(lambda: set(registry.taken) <= set(collector.ids), what="all that was answered 202 arrived")


def test_with_the_broker_down_all_the_time_everything_arrives_after_it(
    rabbitmq_node: RabbitmqNode, tmp_path: Path, free_port: Port
) -> None:
    url = Secret(f"{rabbitmq_node.amqp_url}//")
    notifier = NotifierProcesses(tmp_path, url, port=free_port())
    assert notifier.run("migrate", "topology").returncode == 0
    # A quorum queue that is a second old when its node is killed may come back without a leader.
    time.sleep(8)
    rabbitmq_node.kill()
    server, worker = notifier.serve(), notifier.work()
    ids = [f"event-{number}" for number in range(60)]

    for id in ids:
        notifier.deliver([make_event(id)])
    # A spool outlives its writer and its reader.
    server.kill()
    worker.kill()
    server, worker = notifier.serve(), notifier.work()
    rabbitmq_node.start()

    collector = Collector()
    with consuming(url, collector):
        wait_until(lambda: set(collector.ids) >= set(ids), what="all arrived", timeout_s=60)
    wait_until(lambda: waiting(notifier) == 0, what="the spool is empty")
    server.stop()
    assert worker.stop() == 0


def waiting(notifier: NotifierProcesses) -> float:
    page = requests.get(f"{notifier.url}/metrics", timeout=10).text
    return float(page.partition('portus_notifier_waiting_events{queue="notifier.spool"} ')[2].partition("\n")[0])


def test_a_frozen_broker_keeps_no_registry_waiting(
    rabbitmq_node: RabbitmqNode, tmp_path: Path, free_port: Port
) -> None:
    """A registry hangs up after one second unless told otherwise."""
    url = Secret(f"{rabbitmq_node.amqp_url}//")
    notifier = NotifierProcesses(tmp_path, url, port=free_port())
    assert notifier.run("migrate", "topology").returncode == 0
    server = notifier.serve()
    notifier.deliver([make_event("before")])

    rabbitmq_node.pause()
    for number in range(5):
        notifier.deliver([make_event(f"while-{number}")])
    ready = requests.get(f"{notifier.url}/readyz", timeout=30)

    assert ready.status_code == 200
    rabbitmq_node.resume()
    worker = notifier.work()
    collector = Collector()
    with consuming(url, collector):
        wait_until(lambda: {"before", "while-0", "while-4"} <= set(collector.ids), what="all arrived")
    server.stop()
    worker.stop()


def test_the_worker_keeps_what_is_quarantined(broker_url: Secret, tmp_path: Path, free_port: Port) -> None:
    notifier = NotifierProcesses(tmp_path, broker_url, port=free_port())
    assert notifier.run("migrate", "topology").returncode == 0
    server, worker = notifier.serve(), notifier.work()

    notifier.deliver([{"id": "bad"}, make_event()])
    database = Database(f"sqlite:///{tmp_path / 'notifier.db'}")
    reasons = wait_until(lambda: quarantined_reasons(database), what="the event is in the table")
    wait_until(lambda: count_messages(broker_url, NOTIFIER_QUARANTINE.name) == 0, what="the queue is empty")

    assert reasons == ["the event has no target.repository"]
    database.dispose()
    server.stop()
    assert worker.stop() == 0


def test_the_worker_keeps_a_log_of_what_is_told(broker_url: Secret, tmp_path: Path, free_port: Port) -> None:
    notifier = NotifierProcesses(tmp_path, broker_url, port=free_port())
    assert notifier.run("migrate", "topology").returncode == 0
    server, worker = notifier.serve(), notifier.work()

    notifier.deliver([make_event("pushed")])
    told = [make_envelope(type, type=type) for type in ("catalog.tag.pushed.v1", "auth.namespace.created.v1")]
    publish(broker_url, [*told, *told])
    database = Database(f"sqlite:///{tmp_path / 'notifier.db'}")
    wait_until(lambda: len(logged_ids(database)) == 3, what="all three are in the log")
    wait_until(lambda: count_messages(broker_url, NOTIFIER_EVENTS.name) == 0, what="the queue is empty")

    assert logged_ids(database) == {"pushed", "catalog.tag.pushed.v1", "auth.namespace.created.v1"}
    database.dispose()
    server.stop()
    assert worker.stop() == 0


def test_a_dead_letter_can_be_tried_again(broker_url: Secret, tmp_path: Path, free_port: Port) -> None:
    """It goes from its queue into the database, from there back into its queue, and dies once more."""
    notifier = NotifierProcesses(tmp_path, broker_url, port=free_port())
    assert notifier.run("migrate", "topology").returncode == 0
    worker = notifier.work()
    database = Database(f"sqlite:///{tmp_path / 'notifier.db'}")

    publish(broker_url, [make_envelope("x" * 255, type="auth.odd.happened.v1", name="x")])
    publish(broker_url, [Envelope("poison", "x" * 300, "auth.odd.happened.v1", utc_now(), {})])
    first = wait_until(lambda: find_dead(database), what="it is in the database")
    with database.write() as connection:
        request_replay(connection, {}, now=utc_now())
    wait_until(lambda: find_dead(database) not in (None, first), what="it has died again")

    assert logged_ids(database) == {"x" * 255}
    assert first[1:] == ("notifier.events", "InvalidMessage: source is not a word of 1 to 255 printable characters", 1)
    database.dispose()
    assert worker.stop() == 0


def find_dead(database: Database) -> tuple[object, ...] | None:
    """Return the dead letter that is not on its way back: id, queue, reason, deaths."""
    with database.read() as connection:
        rows = list_letters(connection, ListRequest()).rows
    return next(((row.id, row.queue, row.reason, row.deaths) for row in rows if not row.replaying), None)


def logged_ids(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.scalars(select(events.c.id)))


def quarantined_reasons(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.scalars(select(quarantined_events.c.reason)))


def test_counters_of_all_processes_are_on_the_page(tmp_path: Path, free_port: Port) -> None:
    broker = Secret(f"sqlite:///{tmp_path / 'broker.db'}")
    declare_topology(broker)
    notifier = NotifierProcesses(tmp_path, broker, port=free_port(), PORTUS_WORKERS="2")
    server = notifier.serve()
    for number in range(20):
        notifier.deliver([make_event(f"event-{number}")])

    page = requests.get(f"{notifier.url}/metrics", timeout=10).text

    assert 'portus_notifier_events_total{outcome="accepted"} 20.0' in page
    assert 'portus_http_requests_total{method="POST",route="/v2/webhooks/events",status="202"} 20.0' in page
    server.stop()


def test_check_touches_neither_network_nor_disk(tmp_path: Path, free_port: Port) -> None:
    away = Secret(f"amqp://portus:hunter2@127.0.0.1:{free_port()}/")
    notifier = NotifierProcesses(tmp_path / "data", away, port=free_port())

    result = notifier.run("check")

    assert (result.returncode, result.stdout) == (0, "notifier: the settings are in order\n")
    assert not (tmp_path / "data" / "spool.db").exists()


def test_a_broker_that_is_away_fails_the_topology_command_in_one_line(tmp_path: Path, free_port: Port) -> None:
    port = free_port()
    notifier = NotifierProcesses(tmp_path, Secret(f"amqp://portus:hunter2@127.0.0.1:{port}/"), port=free_port())

    result = notifier.run("topology")

    assert result.returncode == 1
    assert f"127.0.0.1:{port}" in result.stderr
    assert "hunter2" not in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["serve", "worker", "topology"])
def test_a_spool_that_cannot_be_made_is_one_clear_line(tmp_path: Path, free_port: Port, command: str) -> None:
    away = Secret(f"amqp://portus:secret@127.0.0.1:{free_port()}/")
    notifier = NotifierProcesses(tmp_path, away, port=free_port(), PORTUS_SPOOL_FILE="/proc/no-such-folder/spool.db")

    result = notifier.run(command)

    assert result.returncode == 2
    assert "PORTUS_SPOOL_FILE: /proc/no-such-folder/spool.db" in result.stderr
    assert "Traceback" not in result.stderr
