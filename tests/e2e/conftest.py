"""One running installation per shape, and the people who use it.

Of every test that takes ``stack`` there are two: one on SQLite with no servers, one on PostgreSQL
and RabbitMQ. Both are started by ``portus up`` and stopped at the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.docker_engine import Docker, docker_engine
from tests.support.parts import require_program
from tests.support.ports import free_port
from tests.support.postgresql import create_database
from tests.support.rabbitmq import create_vhost
from tests.support.shared_servers import shared_server
from tests.support.stack import PASSWORD, SERVICES, Stack, new_name

SHAPES = ("embedded", "servers")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one shape on one worker: each would start an installation of its own."""
    for item in items:
        shape = getattr(item, "callspec", None) and item.callspec.params.get("shape")  # type: ignore[attr-defined]
        if shape:
            item.add_marker(pytest.mark.xdist_group(f"e2e-{shape}"))


@dataclass(frozen=True)
class World:
    """A team with one person per role, its private namespace, a protected and a public one, and a stranger."""

    stack: Stack
    private: str
    protected: str
    public: str
    owner: str
    contributor: str
    viewer: str
    stranger: str


@pytest.fixture(scope="session", params=SHAPES)
def shape(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def stack(shape: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp(f"stack-{shape}")
    stack = make_stack(shape, folder)
    try:
        yield stack.start()
    finally:
        stack.stop()


def make_stack(shape: str, folder: Path, **settings: str) -> Stack:
    """Return an installation that is not started yet, on free ports, in a folder of its own."""
    require_program("docker-registry", "registry", package="docker-registry")
    servers = server_settings() if shape == "servers" else {}
    # The receivers of webhooks are tests on this machine.
    own = {"PORTUS_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}
    return Stack(shape, folder, {name: free_port() for name in SERVICES}, {**servers, **own, **settings})


def server_settings() -> dict[str, str]:
    """Return the addresses of three fresh databases and a fresh broker on the run's private servers."""
    postgresql, rabbitmq = shared_server("postgresql"), shared_server("rabbitmq")
    databases = {
        f"PORTUS_{name}_DATABASE_URL": create_database(postgresql["url"]) for name in ("AUTH", "CATALOG", "NOTIFIER")
    }
    return {**databases, "PORTUS_BROKER_URL": f"{rabbitmq['amqp_url']}/{create_vhost(rabbitmq['management_url'])}"}


@pytest.fixture(scope="session")
def world(stack: Stack) -> World:
    return populate(stack)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    with docker_engine(tmp_path_factory.mktemp("docker")) as docker:
        yield docker


@pytest.fixture
def docker(engine: Docker, tmp_path: Path) -> Docker:
    return engine.as_someone(tmp_path / "docker-config")


def populate(stack: Stack) -> World:
    """Create people, a team and three namespaces through the API, as an administrator's script would."""
    admin = stack.api("auth", "admin")
    people = {role: new_name(role) for role in ("owner", "contributor", "viewer", "stranger")}
    for name in people.values():
        admin.post("/api/v1/users", {"user": {"username": name, "email": f"{name}@example.org", "password": PASSWORD}})
    owner = stack.api("auth", people["owner"])
    team = owner.post("/api/v1/teams", {"name": new_name("team")})
    for role in ("contributor", "viewer"):
        owner.post(f"/api/v1/teams/{team['id']}/members", {"user": people[role], "role": role})
    names = {visibility: new_name(visibility) for visibility in ("private", "protected", "public")}
    for visibility, name in names.items():
        namespace = owner.post("/api/v1/namespaces", {"name": name, "team": team["name"]})
        owner.put(f"/api/v1/namespaces/{namespace['id']}", {"namespace": {"visibility": visibility}})
    return World(stack, **names, **people)
