"""docker-compose.yml, as the real parser reads it."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.tree import ROOT, SERVICES, documented_variables

Container = Mapping[str, Any]

_JOBS = {"setup", "migrate-auth", "migrate-catalog", "migrate-notifier", "topology", "ensure-admin"}
# What belongs to the containers' own set-up scripts and not to our services.
_FOREIGN = {"SECRETS", "CA", "OWNER", "OTEL_TRACES_EXPORTER", "POSTGRES_PASSWORD_FILE"}


@pytest.fixture(scope="module")
def containers() -> dict[str, Container]:
    command = [str(Path(sys.executable).parent / "docker-compose"), "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    services: dict[str, Container] = json.loads(done.stdout)["services"]
    return services


def test_all_parts_are_there(containers: dict[str, Container]) -> None:
    workers = {"auth-worker", "catalog-worker", "notifier-worker"}

    assert set(containers) == {*SERVICES, *workers, *_JOBS, "postgres", "rabbitmq", "registry", "proxy"}


def test_everything_that_stays_has_a_health_check(containers: dict[str, Container]) -> None:
    # The serving containers of our own images have theirs from the Dockerfile.
    own = {name for name in SERVICES if name in containers}

    assert [
        name for name in containers if name not in _JOBS | own and "test" not in containers[name]["healthcheck"]
    ] == []


def test_root_file_systems_are_read_only(containers: dict[str, Container]) -> None:
    assert [name for name, container in containers.items() if not container.get("read_only")] == []


def test_only_the_proxy_is_reachable_and_only_from_this_machine(containers: dict[str, Container]) -> None:
    published = {name: container["ports"] for name, container in containers.items() if container.get("ports")}

    assert list(published) == ["proxy"]
    assert [port["host_ip"] for port in published["proxy"]] == ["127.0.0.1"]


def test_only_auth_sees_the_key_of_the_ca(containers: dict[str, Container]) -> None:
    sees = {name for name, container in containers.items() if "ca" in volumes_of(container)}

    assert sees == {"auth", "auth-worker", "migrate-auth", "ensure-admin", "setup"}


def test_every_variable_is_a_known_one(containers: dict[str, Container]) -> None:
    given = {
        name.removesuffix("_FILE") for container in containers.values() for name in container.get("environment", {})
    }

    assert given - documented_variables() - {name.removesuffix("_FILE") for name in _FOREIGN} == set()


def test_only_the_registry_gets_bodies_of_any_size_and_as_they_come() -> None:
    """A body that trickles in must not occupy one of a service's few threads."""
    configuration = (ROOT / "deploy/proxy.conf").read_text()
    (registry,) = re.findall(r"location /v2/ \{.*?\}", configuration, re.DOTALL)
    trusting = ["client_max_body_size 0;", "proxy_request_buffering off;", "proxy_buffering off;"]

    assert [line for line in trusting if line not in registry] == []
    assert [line for line in trusting if line in configuration.replace(registry, "")] == []


def volumes_of(container: Container) -> set[str]:
    return {volume["source"] for volume in container.get("volumes", []) if volume["type"] == "volume"}
