"""Where events go while the broker is away, and when a registry is turned away."""

from pathlib import Path

from shared.config import Secret
from shared.messaging.topology import CATALOG_NOTIFICATIONS, QueueSpec, declare_topology
from tests.api.notifier.conftest import NotifierFactory
from tests.support.messages import count_messages, make_envelopes, publish
from tests.support.notifier import Notifier
from tests.support.registry_events import make_event

SPOOL = "notifier.spool"


def spooled(notifier: Notifier) -> int:
    assert notifier.settings.spool_url is not None
    return count_messages(notifier.settings.spool_url, SPOOL)


def test_while_the_broker_is_away_events_go_to_the_spool(make_notifier: NotifierFactory, broker_away: Secret) -> None:
    notifier = make_notifier(broker_away)
    before = notifier.count("spooled")

    answers = [notifier.post_events(make_event(f"event-{number}")) for number in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert spooled(notifier) == 3
    assert notifier.count("spooled") == before + 3


def test_what_is_not_understood_goes_there_too(make_notifier: NotifierFactory, broker_away: Secret) -> None:
    notifier = make_notifier(broker_away)

    assert notifier.post(b"nonsense").status_code == 202
    assert spooled(notifier) == 1


def test_the_length_of_the_spool_is_measured(make_notifier: NotifierFactory, broker_away: Secret) -> None:
    notifier = make_notifier(broker_away)
    notifier.post_events(make_event("1"), make_event("2"))

    page = notifier.client.get("/metrics").text

    assert f'portus_notifier_waiting_events{{queue="{SPOOL}"}} 2.0' in page


def test_a_full_spool_turns_the_registry_away(make_notifier: NotifierFactory, broker_away: Secret) -> None:
    notifier = make_notifier(broker_away, spool_max_events=2)
    for number in range(2):
        notifier.post_events(make_event(f"event-{number}"))

    answer = notifier.post_events(make_event("one-too-many"))

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.json
    assert "Send them again" in answer.json["detail"]
    assert "hunter2" not in answer.text


def test_without_spool_a_broker_that_takes_none_turns_the_registry_away(
    make_notifier: NotifierFactory, tmp_path: Path
) -> None:
    notifier = make_notifier(Secret(f"sqlite:///{tmp_path / 'undeclared.db'}"))

    answer = notifier.post_events(make_event())

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"


def test_an_envelope_that_is_stored_in_part_is_refused_and_comes_again(
    make_notifier: NotifierFactory, tmp_path: Path
) -> None:
    """One queue has room and the other has none; what was stored is recognized when it comes again."""
    url = Secret(f"sqlite:///{tmp_path / 'small.db'}")
    full = QueueSpec(CATALOG_NOTIFICATIONS.name, CATALOG_NOTIFICATIONS.binding_keys, max_length=1)
    declare_topology(url)
    declare_topology(url, [full])
    publish(url, make_envelopes(1))
    notifier = make_notifier(url)

    assert notifier.post_events({}).status_code == 202
    assert notifier.post_events({}, make_event()).status_code == 503


def test_nothing_to_store_is_stored_without_a_broker(make_notifier: NotifierFactory, broker_away: Secret) -> None:
    notifier = make_notifier(broker_away)

    assert notifier.post('{"events": []}').status_code == 202
    assert spooled(notifier) == 0
