"""Each image stands alone: its own files and its own pins are all that a service needs."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, SERVICES
from tests.support.locks import locked

_IMPORT_ALL = """
import importlib, pkgutil, services
for found in pkgutil.walk_packages(services.__path__, "services."):
    # Alembic runs the scripts of a schema's history; they are not imported.
    if ".migrations" not in found.name:
        importlib.import_module(found.name)
"""
_SECRETS = {
    "PORTUS_INTERNAL_SECRET": "a-secret-of-the-tests",
    "PORTUS_SERVICE_ACCOUNT_SECRET": "a-secret-of-the-tests",
    "PORTUS_NOTIFICATIONS_SECRET": "a-secret-of-the-tests",
    "PORTUS_WEB_SECRET_KEY": "a-secret-of-the-tests",
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("service", SERVICES)
def test_service_runs_with_its_own_files_and_pins_only(service: str, tmp_path: Path) -> None:
    python = environment_of(service)
    image = copy_image_files(service, tmp_path / "image")

    for arguments in (("-c", _IMPORT_ALL), ("-m", f"services.{service}", "check")):
        run_alone(python, image, *arguments)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("service", [name for name in SERVICES if name != "web"])
def test_service_brings_its_own_schema(service: str, tmp_path: Path) -> None:
    python = environment_of(service)
    image = copy_image_files(service, tmp_path / "image")

    run_alone(python, image, "-m", f"services.{service}", "migrate")

    assert (image / f".portus/{service}.db").exists()


def run_alone(python: Path, image: Path, *arguments: str) -> None:
    """Run Python in the image's folder, with nothing but the variables that are required."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(image), **_SECRETS}
    done = subprocess.run([python, *arguments], cwd=image, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def environment_of(service: str) -> Path:
    """Return the Python of an environment with just that service's pins, made at most once per pins."""
    pins = ROOT / f"requirements/{service}.txt"
    key = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = ROOT / ".cache" / "images" / f"{service}-{key}"
    complete = folder / "complete"
    with locked(folder.with_suffix(".lock")):
        if not complete.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            options = ("-qq", "--no-input", "--require-hashes", "--requirement")
            install = [str(folder / "bin/python"), "-m", "pip", "install", *options, str(pins)]
            subprocess.run(install, check=True)
            complete.touch()
    return folder / "bin/python"


def copy_image_files(service: str, image: Path) -> Path:
    """Copy what the Dockerfile copies."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "shared", image / "shared", ignore=ignored)
    (image / "services").mkdir()
    shutil.copy(ROOT / "services/__init__.py", image / "services")
    shutil.copytree(ROOT / "services" / service, image / "services" / service, ignore=ignored)
    return image
