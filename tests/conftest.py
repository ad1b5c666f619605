"""Fixtures that every kind of test may use; the real parts behind them live in ``tests/support``."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from playwright.sync_api import Browser
from xdist.remote import Producer
from xdist.scheduler import Scheduling

from shared.config import Secret
from tests.support import ports
from tests.support.chromium import run_chromium
from tests.support.postgresql import create_database, drop_database
from tests.support.rabbitmq import RabbitmqNode, create_vhost, delete_vhost
from tests.support.registry import Registry
from tests.support.scheduling import GroupScheduling
from tests.support.shared_servers import close_run, open_run, shared_server
from tests.support.templates import MigrationsOf, template_of

RegistryFactory = Callable[..., Registry]
FIGURES = "figures"
"""Name of the property under which a benchmark reports what it measured."""

# A generated example may take as long as it likes: no test asserts a time.
settings.register_profile("portus", deadline=None)
settings.load_profile("portus")


def pytest_configure(config: pytest.Config) -> None:
    """Open the test run, in the process that a person started and not in xdist's workers."""
    if not hasattr(config, "workerinput"):
        open_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers that the run shared."""
    if not hasattr(config, "workerinput"):
        close_run()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what the benchmarks measured, whichever worker ran them."""
    figures = [
        text
        for report in terminalreporter.getreports("passed")
        for name, text in report.user_properties
        if name == FIGURES
    ]
    if figures:
        terminalreporter.section("what was measured")
        for text in figures:
            terminalreporter.write_line(str(text))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Keep tests that share something slow on one worker."""
    return GroupScheduling(config, log)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of a process, whichever folder they are in; every test has a profile of its own."""
    with run_chromium() as browser:
        yield browser


@pytest.fixture
def show_figures(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """A function that keeps a benchmark's figures for the end of the run."""
    return lambda text: record_property(FIGURES, text)


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A function that returns another free port at each call."""
    return ports.free_port


@pytest.fixture
def database_migrations() -> MigrationsOf | None:
    """Which service's tables a fresh PostgreSQL database begins with; none, unless a folder says something else.

    To make a database takes long there, and to make it twice, empty and as a copy, twice as long.
    """
    return None


@pytest.fixture
def postgresql_url(database_migrations: MigrationsOf | None) -> Iterator[str]:
    """A fresh database in the run's private PostgreSQL cluster."""
    maintenance_url = shared_server("postgresql")["url"]
    url = create_database(maintenance_url, template=template_of(maintenance_url, database_migrations))
    yield url
    drop_database(maintenance_url, url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database, once in SQLite and once in PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def rabbitmq_url() -> Iterator[Secret]:
    """A fresh virtual host in the run's private RabbitMQ node."""
    server = shared_server("rabbitmq")
    vhost = create_vhost(server["management_url"])
    yield Secret(f"{server['amqp_url']}/{vhost}")
    delete_vhost(server["management_url"], vhost)


@pytest.fixture(params=["sqlite", "amqp"])
def broker_url(request: pytest.FixtureRequest, tmp_path: Path) -> Secret:
    """A fresh empty broker, once on our SQLite transport and once on RabbitMQ."""
    if request.param == "sqlite":
        return Secret(f"sqlite:///{tmp_path / 'broker.db'}")
    url: Secret = request.getfixturevalue("rabbitmq_url")
    return url


@pytest.fixture
def broker_of_database(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Secret:
    """The broker that goes with the database: without servers, or RabbitMQ."""
    if database_url.startswith("sqlite"):
        return Secret(f"sqlite:///{tmp_path / 'broker.db'}")
    url: Secret = request.getfixturevalue("rabbitmq_url")
    return url


@pytest.fixture
def rabbitmq_node(tmp_path: Path) -> Iterator[RabbitmqNode]:
    """A started RabbitMQ node of the test's own, to be killed, frozen and restarted."""
    node = RabbitmqNode(tmp_path / "rabbitmq")
    try:
        node.start()
        yield node
    finally:
        node.stop()


@pytest.fixture
def registry_factory(tmp_path: Path) -> Iterator[RegistryFactory]:
    """A function ``(config={}, *, port=None) -> Registry`` that starts a registry of its own."""
    with ExitStack() as started:

        def start(config: Mapping[str, Any] | None = None, *, port: int | None = None) -> Registry:
            port = port or ports.free_port()
            registry = Registry(tmp_path / f"registry-{port}", config or {}, port=port)
            started.callback(registry.stop)
            registry.start()
            return registry

        yield start
