"""The Dockerfile, as far as it can be judged without a registry to pull its base from."""

import subprocess
import sys
from pathlib import Path

from tests.architecture.tree import ROOT

_DOCKERFILE = ROOT / "Dockerfile"


def test_linter_accepts_the_dockerfile() -> None:
    done = subprocess.run([Path(sys.executable).parent / "hadolint", _DOCKERFILE], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout


def test_image_takes_only_shared_code_and_one_service() -> None:
    copied = [line.split()[1] for line in _DOCKERFILE.read_text().splitlines() if line.startswith("COPY ")]

    assert [source for source in copied if not source.startswith("--from")] == [
        "requirements/${SERVICE}.txt",
        "shared/",
        "services/__init__.py",
        "services/${SERVICE}/",
    ]


def test_image_does_not_run_as_root() -> None:
    users = [line.split()[1] for line in _DOCKERFILE.read_text().splitlines() if line.startswith("USER ")]

    assert users == ["10001:10001"]
