"""docs/operations.md knows every variable, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import ROOT, documented_variables

_VARIABLE = re.compile(r"PORTUS_[A-Z0-9]+(?:_[A-Z0-9]+)*")


def test_every_variable_that_is_read_is_documented() -> None:
    assert read_variables() - documented_variables() == set()


def test_every_documented_variable_is_read() -> None:
    assert documented_variables() - read_variables() == set()


def read_variables() -> set[str]:
    """Return the names of variables that stand as whole strings in the code."""
    sources = [path for folder in ("shared", "services", "cli") for path in (ROOT / folder).rglob("*.py")]
    return {name for path in sources for name in _strings(path) if _VARIABLE.fullmatch(name)}


def _strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
