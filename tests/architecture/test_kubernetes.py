"""The Kubernetes manifests, built by the real kustomize and checked by the strict offline validator."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.tree import ROOT, documented_variables

Document = Mapping[str, Any]

_BIN = Path(sys.executable).parent
_FOREIGN = {"POSTGRES_PASSWORD", "PGDATA", "OTEL_TRACES_EXPORTER"}


@dataclass(frozen=True)
class Built:
    """What kustomize makes of one folder."""

    path: Path
    documents: list[Document]

    def pods(self) -> Iterator[tuple[str, Document]]:
        """Yield (name of the workload, its pod)."""
        for document in self.documents:
            if "template" in document.get("spec", {}):
                yield document["metadata"]["name"], document["spec"]["template"]["spec"]

    def containers(self, *, init: bool = True) -> Iterator[tuple[str, Document]]:
        """Yield (name for messages, container)."""
        for name, pod in self.pods():
            for container in [*pod["containers"], *(pod.get("initContainers", []) if init else [])]:
                yield f"{name}/{container['name']}", container


@pytest.fixture(scope="module", params=["base", "overlays/example"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("k8s")
    # A copy, because the example makes secrets, which do not belong into the tree.
    shutil.copytree(ROOT / "k8s", folder / "k8s", ignore=shutil.ignore_patterns("secrets"))
    for name in ("deploy", "services", "shared"):
        (folder / name).symlink_to(ROOT / name)
    source = folder / "k8s" / request.param
    if (source / "make-secrets").exists():
        subprocess.run([source / "make-secrets"], env={**os.environ, "PYTHON": sys.executable}, check=True)
    done = subprocess.run([_BIN / "kubectl", "kustomize", source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path = folder / "built.yaml"
    path.write_text(done.stdout)
    return Built(path, list(yaml.safe_load_all(done.stdout)))


def test_validator_accepts_every_document(built: Built) -> None:
    done = subprocess.run(
        [_BIN / "kubernetes-validate", "--strict", "--quiet", built.path], capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_container_that_stays_is_probed(built: Built) -> None:
    probes = ("readinessProbe", "livenessProbe")

    assert [name for name, c in built.containers(init=False) if not all(probe in c for probe in probes)] == []


def test_no_container_runs_as_root(built: Built) -> None:
    contexts = {name: pod["securityContext"] for name, pod in built.pods()}

    assert [name for name, context in contexts.items() if not (context["runAsNonRoot"] and context["runAsUser"])] == []


def test_every_container_is_restricted(built: Built) -> None:
    def is_restricted(container: Document) -> bool:
        context = container["securityContext"]
        return bool(
            context["readOnlyRootFilesystem"]
            and context["allowPrivilegeEscalation"] is False
            and context["capabilities"] == {"drop": ["ALL"]}
        )

    assert [name for name, container in built.containers() if not is_restricted(container)] == []


def test_every_container_has_bounded_memory(built: Built) -> None:
    assert [name for name, c in built.containers() if "memory" not in c["resources"].get("limits", {})] == []


def test_no_pod_takes_variables_from_services(built: Built) -> None:
    """A Service of the name `portus-auth` would set PORTUS_AUTH_PORT to an address."""
    assert [name for name, pod in built.pods() if pod.get("enableServiceLinks") is not False] == []


def test_every_variable_is_a_known_one(built: Built) -> None:
    direct = {entry["name"] for _, container in built.containers() for entry in container.get("env", [])}
    maps = [document["data"] for document in built.documents if document["kind"] == "ConfigMap"]
    given = {name.removesuffix("_FILE") for name in direct.union(*maps)}

    assert given - documented_variables() - _FOREIGN == set()


def test_every_service_leads_to_a_workload(built: Built) -> None:
    labels = [d["spec"]["template"]["metadata"]["labels"] for d in built.documents if "template" in d.get("spec", {})]
    services = [document for document in built.documents if document["kind"] == "Service"]

    def leads_somewhere(service: Document) -> bool:
        return any(service["spec"]["selector"].items() <= label.items() for label in labels)

    assert [service["metadata"]["name"] for service in services if not leads_somewhere(service)] == []


def test_only_the_registry_gets_bodies_of_any_size_and_as_they_come(built: Built) -> None:
    """A body that trickles in must not occupy one of a service's few threads."""
    trusting = {"proxy-body-size": "0", "proxy-request-buffering": "off"}

    assert {
        service
        for annotations, _, service in routes(built)
        if any(annotations.get(name) == value for name, value in trusting.items())
    } <= {"registry"}


def test_what_is_for_monitoring_is_refused_outside(built: Built) -> None:
    refused = {path.rstrip("$") for annotations, path, _ in routes(built) if annotations.get("denylist-source-range")}

    assert refused == ({"/metrics", "/readyz"} if routes(built) else set())


def test_cert_manager_fills_the_secret_that_auth_mounts() -> None:
    """With a CA whose key `auth` can use, under a root that signs nothing else."""
    documents = list(yaml.safe_load_all((ROOT / "k8s" / "cert-manager.yaml").read_text()))
    certificates = {one["spec"]["secretName"]: one["spec"] for one in documents if one["kind"] == "Certificate"}
    issuers = {one["metadata"]["name"]: one["spec"] for one in documents if one["kind"] == "Issuer"}
    mounted = yaml.safe_load_all((ROOT / "k8s" / "base" / "auth.yaml").read_text())
    volumes = [volume for one in mounted if one["kind"] == "Deployment" for volume in volumes_of(one)]

    assert {volume["secret"]["secretName"] for volume in volumes if volume["name"] == "ca"} <= certificates.keys()
    root = issuers[certificates["portus-ca"]["issuerRef"]["name"]]["ca"]["secretName"]
    assert [name for name, spec in certificates.items() if spec["isCA"]] == [root, "portus-ca"]
    assert {(spec["privateKey"]["algorithm"], spec["privateKey"]["size"]) for spec in certificates.values()} == {
        ("ECDSA", 256)
    }


def volumes_of(deployment: Document) -> list[Document]:
    return list(deployment["spec"]["template"]["spec"]["volumes"])


def routes(built: Built) -> list[tuple[Mapping[str, str], str, str]]:
    """Return (ingress-nginx's annotations, path, service) of every path that is published."""
    return [
        (
            {name.rpartition("/")[2]: value for name, value in document["metadata"]["annotations"].items()},
            path["path"],
            path["backend"]["service"]["name"],
        )
        for document in built.documents
        if document["kind"] == "Ingress"
        for rule in document["spec"]["rules"]
        for path in rule["http"]["paths"]
    ]
