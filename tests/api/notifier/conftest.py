from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from shared.config import Secret
from shared.messaging.topology import declare_topology
from tests.support.notifier import Notifier, make_settings
from tests.support.ports import deserted_port
from tests.support.serving import serving
from tests.support.visibility import EVERYTHING, NOBODY, AuthAnswers, subject

NotifierFactory = Callable[..., Notifier]


@pytest.fixture
def broker(tmp_path: Path) -> Secret:
    """A broker in a file, with the topology declared."""
    url = Secret(f"sqlite:///{tmp_path / 'broker.db'}")
    declare_topology(url)
    return url


@pytest.fixture
def broker_away() -> Secret:
    """The address of a RabbitMQ that does not run."""
    return Secret(f"amqp://portus:hunter2@127.0.0.1:{deserted_port()}/")


@pytest.fixture
def make_notifier(tmp_path: Path) -> Iterator[NotifierFactory]:
    """A function ``(broker_url, *, migrated=True, **settings) -> Notifier``."""
    with ExitStack() as started:

        def make(broker_url: Secret, *, migrated: bool = True, **settings: Any) -> Notifier:
            notifier = Notifier.start(make_settings(tmp_path, broker_url, **settings), migrated=migrated)
            started.callback(notifier.close)
            return notifier

        yield make


@pytest.fixture
def auth() -> AuthAnswers:
    """An ``auth`` that knows an administrator, an auditor, a robot and Jane, and shows strangers nothing."""
    return AuthAnswers(
        {
            "Bearer administrator": {**EVERYTHING, "subject": subject("root", administrator=True)},
            "Bearer auditor": {**EVERYTHING, "subject": subject("ada", auditor=True)},
            "Bearer robot": {**EVERYTHING, "subject": {**subject("ci"), "kind": "robot"}},
            "Bearer jane": {**NOBODY, "namespaces": ["jane"], "subject": subject("jane")},
            None: NOBODY,
        }
    )


@pytest.fixture
def auth_url(auth: AuthAnswers) -> Iterator[str]:
    with serving(auth.app()) as url:
        yield url


@pytest.fixture
def notifier(make_notifier: NotifierFactory, broker: Secret) -> Notifier:
    """A notifier in front of a broker in a file."""
    return make_notifier(broker)


@pytest.fixture
def asked(make_notifier: NotifierFactory, broker: Secret, auth_url: str) -> Notifier:
    """A notifier that can ask who is calling."""
    return make_notifier(broker, auth_url=auth_url)
