"""``python -m services.<name> topology``: what an installation runs before everything else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.config import Secret
from shared.messaging.topology import topology_fault
from tests.support.ports import free_port

SERVICES = ("auth", "catalog", "notifier")
SECRETS = ("INTERNAL_SECRET", "SERVICE_ACCOUNT_SECRET", "NOTIFICATIONS_SECRET")


def run_topology(service: str, broker_url: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    settings = {f"PORTUS_{name}": "a-secret-of-the-tests" for name in SECRETS}
    environment = {**os.environ, **settings, "PORTUS_DATA_DIR": str(folder), "PORTUS_BROKER_URL": broker_url}
    command = [sys.executable, "-m", f"services.{service}", "topology"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("service", SERVICES)
def test_a_broker_that_is_away_is_one_clear_line(service: str, tmp_path: Path) -> None:
    done = run_topology(service, f"amqp://portus:hunter2hunter2@127.0.0.1:{free_port()}/", tmp_path)

    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "127.0.0.1" in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_an_address_that_is_none_is_refused(service: str, tmp_path: Path) -> None:
    done = run_topology(service, "rabbit:5672", tmp_path)

    assert done.returncode == 2
    assert "PORTUS_BROKER_URL" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_any_service_declares_all_queues(service: str, broker_url: Secret, tmp_path: Path) -> None:
    done = run_topology(service, broker_url.reveal(), tmp_path)

    assert done.returncode == 0, done.stderr
    assert topology_fault(broker_url) is None
