"""Programs that the tests need and the machine may lack."""

import os
import shutil
from pathlib import Path

import pytest


def require_program(*names: str, package: str, folders: tuple[str, ...] = ()) -> str:
    """Return the path of the first program found.

    Args:
        names: programs that would do, best first.
        package: what brings it, for the message.
        folders: looked into besides the PATH; may hold ``*``.

    Raises:
        Skipped: it is missing; with ``CI=true`` the test fails instead.
    """
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", *_expand(folders)])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    return missing(f"{' or '.join(names)} is not installed (Debian: apt-get install {package}); `make test` brings it")


def missing(reason: str) -> str:
    """Skip the test, or fail it with ``CI=true``: there a missing part must not go unseen."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _expand(folders: tuple[str, ...]) -> list[str]:
    return [str(path) for pattern in folders for path in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)]
