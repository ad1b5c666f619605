"""The notifier's worker as it is run: from a message in the broker to a request at a receiver, once."""

from collections import Counter
from pathlib import Path
from threading import Event

from werkzeug import Request, Response

from services.notifier.storage.schema import migrations
from services.notifier.storage.tables import webhooks
from shared.config import Secret
from shared.database import Database
from tests.support.messages import publish
from tests.support.notifier import NotifierProcesses
from tests.support.ports import free_port
from tests.support.receivers import receiving
from tests.support.waiting import wait_until
from tests.support.webhooks import add_webhook, outcomes, tag_event


def start(folder: Path, broker_url: Secret, database_url: str, **settings: str) -> tuple[NotifierProcesses, Database]:
    notifier = NotifierProcesses(
        folder,
        broker_url,
        port=free_port(),
        PORTUS_NOTIFIER_DATABASE_URL=database_url,
        PORTUS_WEBHOOK_ALLOWED_NETWORKS="127.0.0.0/8",
        **settings,
    )
    done = notifier.run("migrate", "topology")
    assert done.returncode == 0, done.stderr
    database = Database(database_url)
    assert migrations(database).fault() is None
    return notifier, database


def test_168_a_message_becomes_one_request(broker_of_database: Secret, database_url: str, tmp_path: Path) -> None:
    """Two workers, and each message twice: the broker promises at least once."""
    notifier, database = start(tmp_path, broker_of_database, database_url)
    with receiving() as receiver:
        add_webhook(database, receiver.url)
        events = [tag_event(f"event-{number:02}") for number in range(20)]
        workers = [notifier.work(), notifier.work()]
        publish(broker_of_database, events)
        publish(broker_of_database, events)
        wait_until(lambda: outcomes(database) == ["delivered"] * 20, what="all are told", timeout_s=60)
        assert [worker.stop() for worker in workers] == [0, 0]

    assert Counter(receiver.events) == Counter(event.id for event in events)
    database.dispose()


def test_a_killed_worker_loses_nothing(broker_of_database: Secret, database_url: str, tmp_path: Path) -> None:
    """What it was sending is sent again under the same id, when its lease has ended; all else at once."""
    notifier, database = start(tmp_path, broker_of_database, database_url)
    reached, let_go = Event(), Event()

    def answer(_request: Request) -> Response:
        if not reached.is_set():
            reached.set()
            let_go.wait(60)
        return Response("thanks")

    with receiving(answer) as receiver, receiving() as other:
        hook = add_webhook(database, receiver.url)
        worker = notifier.work()
        publish(broker_of_database, [tag_event("a")])
        assert reached.wait(30)
        worker.kill()
        let_go.set()
        add_webhook(database, other.url)
        end_lease(database, hook)
        worker = notifier.work()
        publish(broker_of_database, [tag_event("b")])
        wait_until(lambda: outcomes(database) == ["delivered"] * 3, what="all are told", timeout_s=60)
        assert worker.stop() == 0

    assert (receiver.events, other.events) == (["a", "a", "b"], ["b"])
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 2
    database.dispose()


def end_lease(database: Database, hook: int) -> None:
    """Let the time pass that a lease has left."""
    with database.write() as connection:
        connection.execute(webhooks.update().where(webhooks.c.id == hook).values(leased_until=None))
