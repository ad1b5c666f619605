"""What `make check` says also holds in the test suite."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

_BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("ruff", "format", "--check", "."), id="formatted"),
        pytest.param(("ruff", "check", "."), id="linted"),
        pytest.param(("mypy",), id="typed"),
        pytest.param(("lint-imports",), id="layered"),
    ],
)
def test_tree_is(command: tuple[str, ...]) -> None:
    done = subprocess.run([_BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
