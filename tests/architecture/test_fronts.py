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


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/v2/token-service/app/manifests/1.0", "registry"),
        ("/v2/token", "auth"),
        ("/metrics-of/app", "web"),
        ("/api/v1/namespaces/repositories", "auth"),
        ("/api/v1/namespaces/7/repositories/more", "auth"),
        ("/api/v1/namespaces/7/deletion", "auth"),
    ],
)
def test_what_only_looks_like_another_path_goes_its_own_way(path: str, service: str) -> None:
    """Where paths are expressions, one without an end takes what only begins like it."""
    assert (_proxied(path), _ingressed(path)) == (service, service)


def test_every_ingress_of_the_host_reads_paths_as_expressions() -> None:
    """ingress-nginx does so for all as soon as one asks for it, so none may look as if it did not."""
    documents = yaml.safe_load_all((ROOT / "k8s/overlays/example/ingress.yaml").read_text())
    asked = [one["metadata"]["annotations"].get("nginx.ingress.kubernetes.io/use-regex") for one in documents]

    assert set(asked) == {"true"}


def _proxied(path: str) -> str:
    """Choose as nginx does: an exact path, else the first expression that fits, else the longest beginning."""
    text = Path(ROOT / "deploy/proxy.conf").read_text()
    found = re.findall(r"location (=|~)? ?(\S+) \{[^}]*?proxy_pass \$(\w+);", text, re.DOTALL)
    exact = [service for kind, place, service in found if kind == "=" and place == path]
    fitting = [service for kind, place, service in found if kind == "~" and re.search(place, path)]
    beginnings = [(len(place), service) for kind, place, service in found if not kind and path.startswith(place)]
    return str([*exact, *fitting, *(service for _, service in sorted(beginnings, reverse=True))][0])


def _ingressed(path: str) -> str:
    """Choose as ingress-nginx does where expressions are on: all are, and the longest is tried first."""
    documents = list(yaml.safe_load_all((ROOT / "k8s/overlays/example/ingress.yaml").read_text()))
    rules = [
        (len(rule["path"]), rule["path"], rule["backend"]["service"]["name"])
        for document in documents
        for host in document["spec"]["rules"]
        for rule in host["http"]["paths"]
    ]
    fitting = [(length, service) for length, place, service in rules if re.match(place, path, re.IGNORECASE)]
    return str(max(fitting)[1])
