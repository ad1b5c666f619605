"""The notifier, in this process or in its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from signal import SIGTERM
from typing import Any

import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.notifier.app import create_app, prepare_spool
from services.notifier.clients.event_store import Patience
from services.notifier.settings import Settings, WebhookSettings
from services.notifier.storage.schema import migrations
from shared.api.serving import ServingSettings
from shared.config import Secret
from shared.database import Database
from tests.support.processes import Process
from tests.support.templates import start_migrated
from tests.support.visibility import PEER_SECRET
from tests.support.waiting import wait_until

SECRET = "a-secret-between-registry-and-notifier"
PATH = "/v2/webhooks/events"
V1 = "application/vnd.docker.distribution.events.v1+json"


def make_settings(folder: Path, broker_url: Secret, **changes: Any) -> Settings:
    """Return settings with everything in one folder."""
    settings = Settings(
        database_url=Secret(f"sqlite:///{folder / 'notifier.db'}"),
        broker_url=broker_url,
        notifications_secret=Secret(SECRET),
        auth_url="http://127.0.0.1:9",
        internal_secret=Secret(PEER_SECRET),
        events_keep=timedelta(days=30),
        events_max=1_000_000,
        spool_file=folder / "spool.db",
        spool_max_events=1_000,
        max_envelope_bytes=1024 * 1024,
        webhooks=make_webhook_settings(),
        web_url="https://portus.example.org",
        trusted_proxies=0,
        log_level="INFO",
        serving=ServingSettings(bind="127.0.0.1:0", workers=1, threads=4),
    )
    return replace(settings, **changes)


def make_webhook_settings(**changes: Any) -> WebhookSettings:
    """Return settings with which this machine may be told."""
    settings = WebhookSettings(
        allowed_networks=(ip_network("127.0.0.0/8"),),
        timeout_s=10,
        max_attempts=3,
        threads=4,
        keep=timedelta(days=30),
        ca_bundle=None,
    )
    return replace(settings, **changes)


@dataclass
class Notifier:
    """A notifier in this process; ``close`` it."""

    settings: Settings
    database: Database
    app: Flask

    @classmethod
    def start(cls, settings: Settings, *, migrated: bool = True) -> "Notifier":
        database = Database(settings.database_url.reveal())
        if migrated:
            start_migrated(settings.database_url.reveal(), migrations)
            migrations(database).upgrade()
        prepare_spool(settings)
        # A busy machine must not decide what a test sees.
        return cls(settings, database, create_app(settings, database, patience=Patience(broker_s=20, spool_s=20)))

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def post(
        self, body: bytes | str, *, content_type: str = V1, authorization: str = f"Bearer {SECRET}"
    ) -> TestResponse:
        headers = {"Authorization": authorization} if authorization else {}
        return self.client.post(PATH, data=body, content_type=content_type, headers=headers)

    def post_events(self, *events: Mapping[str, Any]) -> TestResponse:
        return self.post(json.dumps({"events": events}))

    def get(self, path: str, *, as_: str | None = "Bearer administrator") -> TestResponse:
        return self.call("GET", path, as_=as_)

    def call(self, method: str, path: str, *, as_: str | None = "Bearer administrator", **options: Any) -> TestResponse:
        """Call the API with an ``Authorization`` header, or without."""
        headers = {"Authorization": as_} if as_ else {}
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **options)

    def count(self, outcome: str) -> float:
        """Return how many events had an outcome, in this process so far."""
        return _sample(self.client.get("/metrics").text, f'portus_notifier_events_total{{outcome="{outcome}"}}')

    def close(self) -> None:
        self.app.extensions["portus.event_store"].close()
        self.database.dispose()


class NotifierProcesses:
    """The notifier as it is run: a server and a worker, started and killed one by one."""

    def __init__(self, folder: Path, broker_url: Secret, *, port: int, **settings: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._folder = folder
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PORTUS_", "PROMETHEUS_"))},
            "PORTUS_DATA_DIR": str(folder),
            "PORTUS_BROKER_URL": broker_url.reveal(),
            "PORTUS_NOTIFICATIONS_SECRET": SECRET,
            "PORTUS_INTERNAL_SECRET": PEER_SECRET,
            "PORTUS_NOTIFIER_PORT": str(port),
            **settings,
        }

    def run(self, *commands: str) -> subprocess.CompletedProcess[str]:
        """Run commands to their end."""
        line = [sys.executable, "-m", "services.notifier", *commands]
        return subprocess.run(line, env=self._environment, capture_output=True, text=True, timeout=60, check=False)

    def serve(self) -> Process:
        """Start the server and wait until it answers."""
        process = self._start("serve")
        wait_until(lambda: self._is_alive(process), what="the notifier answers")
        return process

    def work(self) -> Process:
        """Start the worker and wait until it is at work: before that, whoever stops it kills it."""
        process = self._start("worker")
        wait_until(lambda: process.minds(SIGTERM) or process.status is not None, what="the worker is at work")
        return process

    def post(self, events: Sequence[Mapping[str, Any]]) -> int:
        """Send an envelope and return the status of the answer."""
        headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": V1}
        body = json.dumps({"events": events})
        return requests.post(self.url + PATH, data=body, headers=headers, timeout=30).status_code

    def deliver(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Send an envelope as a registry does: again and again until it is taken."""
        wait_until(lambda: self.post(events) == 202, what="the envelope is taken")

    def _start(self, command: str) -> Process:
        line = [sys.executable, "-m", "services.notifier", command]
        return Process(line, log=self._folder / f"{command}.log", env=self._environment)

    def _is_alive(self, process: Process) -> bool:
        assert process.status is None, process.output()
        try:
            return requests.get(f"{self.url}/healthz", timeout=1).ok
        except requests.RequestException:
            return False


def _sample(page: str, name: str) -> float:
    values = [line.rpartition(" ")[2] for line in page.splitlines() if line.startswith(name + " ")]
    return float(values[0]) if values else 0.0
