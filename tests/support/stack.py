"""The whole house on one machine, started with the product's own ``portus up``.

Both shapes are the same processes; what differs is where they keep data and messages.
"""

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.clients import ApiClient, Skopeo
from tests.support.processes import Process, descendants
from tests.support.waiting import wait_until

ADMIN = ("admin", "admin-password-of-the-tests")
PASSWORD = "a-password-of-the-tests"
READY_WITHIN_S = 90
SERVICES = ("WEB", "AUTH", "CATALOG", "NOTIFIER", "REGISTRY")


@dataclass
class Stack:
    """A running installation with a folder of its own.

    Args:
        shape: ``embedded`` (SQLite, no servers) or ``servers`` (PostgreSQL and RabbitMQ).
        folder: everything it writes goes here.
        ports: a free port per name of ``SERVICES``.
        settings: further ``PORTUS_*`` variables.
    """

    shape: str
    folder: Path
    ports: Mapping[str, int]
    settings: Mapping[str, str] = field(default_factory=dict)
    process: Process | None = None

    @property
    def registry(self) -> str:
        return f"localhost:{self.ports['REGISTRY']}"

    @property
    def log(self) -> Path:
        return self.folder / "portus-up.log"

    @property
    def notifications_secret(self) -> str:
        return self.environment()["PORTUS_NOTIFICATIONS_SECRET"]

    def url(self, service: str) -> str:
        return f"http://localhost:{self.ports[service.upper()]}"

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTUS_")}
        return {
            **kept,
            "PYTHONUNBUFFERED": "1",
            "PORTUS_DATA_DIR": str(self.folder / "data"),
            "PORTUS_ADMIN_USERNAME": ADMIN[0],
            "PORTUS_ADMIN_PASSWORD": ADMIN[1],
            "PORTUS_NOTIFICATIONS_SECRET": "a-secret-between-registry-and-notifier",
            "PORTUS_DELETE_ENABLED": "true",
            **{f"PORTUS_{name}_PORT": str(port) for name, port in self.ports.items()},
            **self.settings,
        }

    def start(self) -> "Stack":
        self.process = Process([sys.executable, "-m", "cli", "up"], log=self.log, env=self.environment())
        wait_until(self._is_ready, what=lambda: f"portus up is ready\n{self.output()}", timeout_s=READY_WITHIN_S)
        return self

    def stop(self) -> None:
        if self.process:
            self.process.stop(timeout_s=60)

    def output(self) -> str:
        return self.log.read_text()[-8000:]

    def logs(self) -> str:
        """Return what all processes have logged."""
        return "\n".join(path.read_text() for path in sorted((self.folder / "data" / "logs").glob("*")))

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.status is None, f"portus up has ended:\n{self.output()}"
        return "Portus is ready" in self.log.read_text()

    def skopeo(self, user: str | None = None) -> Skopeo:
        return Skopeo(self.registry, credentials_of(user))

    def api(self, service: str, user: str | None = None) -> ApiClient:
        return ApiClient(self.url(service), credentials_of(user))

    def processes(self, *words: str) -> list[int]:
        """Return the ids of this stack's processes whose command line holds all the words."""
        assert self.process is not None
        return [pid for pid, line in descendants(self.process.pid) if all(word in line for word in words)]


def credentials_of(user: str | None) -> tuple[str, str] | None:
    if user is None:
        return None
    return ADMIN if user == "admin" else (user, PASSWORD)


def new_name(prefix: str) -> str:
    """Return a name that no other test uses."""
    return f"{prefix}-{secrets.token_hex(4)}"
