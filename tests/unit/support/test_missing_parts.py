"""Where a program or a right is missing, a test says so: it skips, or fails with ``CI=true``."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clients import run_client
from tests.support.docker_engine import docker_engine


def run_skopeo(_: Path) -> None:
    run_client("skopeo", "--version")


def start_engine(folder: Path) -> None:
    with docker_engine(folder):
        pass


NEEDS = [
    pytest.param(run_skopeo, "skopeo is not installed .*apt-get install skopeo", id="client"),
    pytest.param(start_engine, "dockerd", id="engine"),
]


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing on the PATH, and not root: dockerd may lie in /usr/sbin, where it is looked for as well."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.mark.parametrize(("need", "reason"), NEEDS)
def test_what_is_missing_skips_the_test(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, need: Callable[[Path], None], reason: str
) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match=reason):
        need(tmp_path)


@pytest.mark.parametrize(("need", "reason"), NEEDS)
def test_what_is_missing_fails_the_test_in_ci(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, need: Callable[[Path], None], reason: str
) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match=reason):
        need(tmp_path)
