"""docs/operations.md knows every variable, and no other."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from shared.old_names import OLD_NAMES
from shared.version import VERSION
from tests.architecture.tree import ROOT, documented_variables

_VARIABLE = re.compile(r"PORTUS_[A-Z0-9]+(?:_[A-Z0-9]+)*")


def test_every_variable_that_is_read_is_documented() -> None:
    assert read_variables() - documented_variables() == set()


def test_every_documented_variable_is_read() -> None:
    assert documented_variables() - read_variables() == set()


def test_the_table_of_old_names_is_the_one_of_the_code() -> None:
    text = (ROOT / "docs/operations.md").read_text()
    rows = re.findall(r"^\| `(PORTUS_\w+)` \| `(PORTUS_\w+)` \|", text, re.MULTILINE)

    assert rows == [(old.old, old.new) for old in OLD_NAMES]


def test_the_version_is_the_one_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == VERSION


def read_variables() -> set[str]:
    """Return the names of variables that stand as whole strings in the code."""
    sources = [path for folder in ("shared", "services", "cli") for path in (ROOT / folder).rglob("*.py")]
    return {name for path in sources for name in _strings(path) if _VARIABLE.fullmatch(name)}


def _strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
