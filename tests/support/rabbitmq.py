"""A private RabbitMQ node: own name, own ports, own port mapper, own data folder."""

import os
import uuid
from pathlib import Path

import requests

from tests.support.parts import require_program
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.waiting import wait_until

_USER, _PASSWORD = "portus", "portus-test"

_CONFIGURATION = f"""\
listeners.tcp.default = 127.0.0.1:{{amqp}}
management.tcp.ip = 127.0.0.1
management.tcp.port = {{management}}
management_agent.disable_metrics_collector = true
default_user = {_USER}
default_pass = {_PASSWORD}
default_user_tags.administrator = true
vm_memory_high_watermark.absolute = 1GB
consumer_timeout = 86400000
disk_free_limit.absolute = 50MB
log.file.level = warning
"""


class RabbitmqNode:
    """One node under a test's control. Its management plugin makes virtual hosts in 20 ms.

    Args:
        folder: holds everything it writes; made at the first start, kept over restarts.
    """

    def __init__(self, folder: Path) -> None:
        self._epmd_program = require_program("epmd", package="erlang-base")
        self._program = find_server()
        self._folder = folder
        self._ports = {name: free_port() for name in ("amqp", "management", "distribution", "epmd")}
        self._epmd: Process | None = None
        self._server: Process | None = None

    @property
    def management_url(self) -> str:
        """Its HTTP API, with name and password."""
        return f"http://{_USER}:{_PASSWORD}@127.0.0.1:{self._ports['management']}/api"

    @property
    def amqp_url(self) -> str:
        """Its AMQP address, without a virtual host."""
        return f"amqp://{_USER}:{_PASSWORD}@127.0.0.1:{self._ports['amqp']}"

    def start(self) -> None:
        """Run the node on the data it has and wait until it takes clients (about 8 s)."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "rabbitmq.conf").write_text(_CONFIGURATION.format(**self._ports))
        (self._folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
        environment = self._environment()
        if self._epmd is None:
            mapper = [self._epmd_program, "-port", str(self._ports["epmd"]), "-address", "127.0.0.1"]
            self._epmd = Process(mapper, log=self._folder / "epmd.log", env=environment)
        self._server = Process([self._program], log=self._folder / "log", env=environment, folder=self._folder)
        wait_until(self._answers, what="RabbitMQ answers", timeout_s=90)

    def kill(self) -> None:
        """Kill the node with -9."""
        self._running.kill()

    def pause(self) -> None:
        """Freeze the node: connections stay open, nothing is answered."""
        self._running.pause()

    def resume(self) -> None:
        """Let a frozen node go on."""
        self._running.resume()

    def restart(self) -> None:
        """Start again on the same data, after having killed what still ran."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """End the node and its port mapper at once: the data are not wanted any more."""
        for process in (self._server, self._epmd):
            if process:
                process.kill()

    @property
    def _running(self) -> Process:
        assert self._server is not None, "the node has not been started"
        return self._server

    def _answers(self) -> bool:
        if self._running.status is not None:
            raise RuntimeError(f"RabbitMQ ended:\n{self._running.output()[-2000:]}")
        try:
            # The management plugin listens a moment before the broker does.
            check = f"health/checks/port-listener/{self._ports['amqp']}"
            return requests.get(f"{self.management_url}/{check}", timeout=2).ok
        except requests.RequestException:
            return False

    def _environment(self) -> dict[str, str]:
        folder = self._folder
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            # The Erlang cookie is kept in the home folder.
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self._ports["epmd"]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"portus-test-{self._ports['amqp']}@localhost",
            "RABBITMQ_DIST_PORT": str(self._ports["distribution"]),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "logs"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "no-such-file"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            # The start script then becomes the node instead of being its parent, and dies with us.
            "RABBITMQ_ALLOW_INPUT": "true",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-noinput -kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none"
            ),
        }


def create_vhost(management_url: str) -> str:
    """Make an empty virtual host and return its name; the maker may do anything in it."""
    name = f"test-{uuid.uuid4().hex}"
    requests.put(f"{management_url}/vhosts/{name}", timeout=30).raise_for_status()
    return name


def delete_vhost(management_url: str, name: str) -> None:
    """Remove a virtual host with all its queues; close its connections."""
    requests.delete(f"{management_url}/vhosts/{name}", timeout=30).raise_for_status()


def find_server() -> str:
    """Return the path of the program that runs a node."""
    # The program on the PATH changes to another user and folder; the one that it calls may be run by
    # anybody, so that one is wanted.
    found = Path(require_program("rabbitmq-server", package="rabbitmq-server"))
    behind = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    return str(behind if behind.exists() else found)
