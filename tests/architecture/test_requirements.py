"""The compiled pins belong together, and to pyproject.toml."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT, SERVICES

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)


@pytest.mark.parametrize("extra", [*SERVICES, "dev"])
def test_pins_satisfy_the_project(extra: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [Requirement(line) for line in project["optional-dependencies"][extra]]
    pins = read_pins(extra)

    # The extra `dev` names the others as "portus[…]"; that is no package.
    unmet = [str(need) for need in wanted if need.name != "portus" and pins.get(_name(need), "0") not in need.specifier]

    assert unmet == [], "run `make lock`"


def test_all_environments_hold_the_same_versions() -> None:
    versions: dict[str, set[str]] = {}
    for extra in (*SERVICES, "dev"):
        for name, version in read_pins(extra).items():
            versions.setdefault(name, set()).add(version)

    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize("extra", [*SERVICES, "dev"])
def test_every_pin_has_a_hash(extra: str) -> None:
    text = (ROOT / f"requirements/{extra}.txt").read_text()

    # A logical line goes on after a backslash.
    pinned = [line for line in text.replace("\\\n", " ").splitlines() if _PIN.match(line)]

    assert [line for line in pinned if "--hash=sha256:" not in line] == []


def read_pins(extra: str) -> dict[str, str]:
    text = (ROOT / f"requirements/{extra}.txt").read_text()
    return {canonicalize_name(name): version for name, version in _PIN.findall(text)}


def _name(requirement: Requirement) -> str:
    return canonicalize_name(requirement.name)
