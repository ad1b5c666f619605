"""``deploy/setup.sh``, as Docker Compose and the example for Kubernetes run it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.support.authorities import make_ca, pem

A_DAY_MS = 24 * 60 * 60 * 1000


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    return run_setup(tmp_path)


def run_setup(tmp_path: Path) -> Path:
    """Run the script and return the folder that it fills."""
    folder = tmp_path / "secrets"
    environment = {
        "PATH": os.environ["PATH"],
        "SECRETS": str(folder),
        "CA": str(tmp_path / "ca"),
        "ROOT": str(ROOT),
        "PYTHON": sys.executable,
        "PORTUS_WEB_URL": "http://localhost:8080",
        "PORTUS_REGISTRY_SERVICE": "portus-registry",
        "PORTUS_ADMIN_USERNAME": "admin",
        "PORTUS_INTERNAL_SECRET": "a-secret-of-the-tests",
        "PORTUS_SERVICE_ACCOUNT_SECRET": "a-secret-of-the-tests",
    }
    script = ["sh", str(ROOT / "deploy" / "setup.sh")]
    done = subprocess.run(script, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_registry_trusts_our_ca(secrets: Path, tmp_path: Path) -> None:
    assert (secrets / "registry" / "ca.crt").read_bytes() == (tmp_path / "ca" / "ca.crt").read_bytes()


def test_the_registry_trusts_nothing_above_a_ca_of_the_operator(tmp_path: Path) -> None:
    """What stands above may have signed every server certificate of the house."""
    issuing = make_ca("issuing", under=make_ca("root"))
    issuing.write(tmp_path / "ca")

    secrets = run_setup(tmp_path)

    assert (secrets / "registry" / "ca.crt").read_bytes() == pem(issuing.certificate)


def test_a_consumer_may_hold_messages_through_an_outage_of_a_day(secrets: Path) -> None:
    """By itself RabbitMQ takes its messages away after half an hour, and counts that as a failure of theirs."""
    lines = (secrets / "rabbitmq" / "50-portus.conf").read_text().splitlines()

    assert f"consumer_timeout = {A_DAY_MS}" in lines
