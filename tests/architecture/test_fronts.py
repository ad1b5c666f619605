"""What stands in front sends every documented path to the service that answers it."""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.architecture.tree import ROOT

DOCUMENTED = [
    (path, contract.name.partition(".")[0])
    for contract in sorted((ROOT / "docs/contracts").glob("*.openapi.json"))
    for path in json.loads(contract.read_text())["paths"]
]


@pytest.mark.parametrize(("path", "service"), DOCUMENTED)
def test_the_proxy_knows_every_path(path: str, service: str) -> None:
    assert _proxied(path) == service


@pytest.mark.parametrize(("path", "service"), DOCUMENTED)
def test_the_ingress_knows_every_path(path: str, service: str) -> None:
    assert _ingressed(path) == service


def _proxied(path: str) -> str:
    """Choose as nginx does: an exact path, else the first expression that fits, else the longest beginning."""
    text = Path(ROOT / "deploy/proxy.conf").read_text()
    found = re.findall(r"location (=|~)? ?(\S+) \{[^}]*?proxy_pass \$(\w+);", text, re.DOTALL)
    exact = [service for kind, place, service in found if kind == "=" and place == path]
    fitting = [service for kind, place, service in found if kind == "~" and re.search(place, path)]
    beginnings = [(len(place), service) for kind, place, service in found if not kind and path.startswith(place)]
    return str([*exact, *fitting, *(service for _, service in sorted(beginnings, reverse=True))][0])


def _ingressed(path: str) -> str:
    """Choose as an Ingress does: an exact path, else the longest beginning, component by component."""
    documents = list(yaml.safe_load_all((ROOT / "k8s/overlays/example/ingress.yaml").read_text()))
    rules = [
        (rule["pathType"] == "Exact", rule["path"].rstrip("/"), rule["backend"]["service"]["name"])
        for document in documents
        for host in document["spec"]["rules"]
        for rule in host["http"]["paths"]
    ]
    fitting = [
        (exact, len(place), service)
        for exact, place, service in rules
        if path == place or (not exact and path.startswith(f"{place}/"))
    ]
    return str(max(fitting)[2])
