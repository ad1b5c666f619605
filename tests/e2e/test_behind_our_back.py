"""What is done to the registry past Portus is in the next round's report, and goes when it is put in order.

The classes about tags are in ``tests/storage/catalog/test_rounds.py``; these two need auth, or a
registry's own catalogue, to be what they are.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import World
from tests.e2e.test_first_way import find_repository, find_tags, push, wait_for_tag
from tests.support.backdoor import backdoor, stored_repository
from tests.support.clients import Skopeo
from tests.support.oci_layout import make_image
from tests.support.stack import Stack, new_name
from tests.support.waiting import wait_until


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return make_image(tmp_path / "image", "1.0")


def go_round(stack: Stack) -> None:
    """Let a worker compare the index with the registry now, and wait until it has."""
    admin = stack.api("catalog", "admin")
    asked = admin.post("/api/v1/crawls", {"kind": "round"}, expect=202)
    wait_until(
        lambda: admin.get(f"/api/v1/crawls/{asked['id']}")["finished_at"],
        what=lambda: f"the round has ended\n{stack.logs()[-4000:]}",
        timeout_s=120,
    )


def drift(stack: Stack, kind: str, **about: str) -> list[dict[str, Any]]:
    rows = stack.api("catalog", "admin").get("/api/v1/drift", kind=kind, per_page=100)
    return [row for row in rows if all(row[name] == value for name, value in about.items())]


def run_command(stack: Stack, service: str, *arguments: str) -> str:
    """Run a command of a service as whoever runs the installation would: with its environment."""
    (pid, *_) = stack.processes(f"services.{service}", "serve")
    environment = dict(each.split("=", 1) for each in Path(f"/proc/{pid}/environ").read_text().split("\0") if each)
    command = [sys.executable, "-m", f"services.{service}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def orphan(stack: Stack, image: Path, tmp_path: Path) -> str:
    """A namespace that auth has never heard of, with an image that was pushed past it."""
    name = new_name("orphan")
    with backdoor(stack, tmp_path / "backdoor") as registry:
        pushed = Skopeo(registry.host).push(image, "1.0", f"{name}/app:1.0")
        assert pushed.succeeded, pushed.output
    return name


def test_a_namespace_that_nobody_has_made_is_told_and_goes_to_a_team(world: World, orphan: str, tmp_path: Path) -> None:
    """From the report to the team: round, ``orphans``, ``import-namespaces``, round."""
    stack, repository = world.stack, f"{orphan}/app"

    go_round(stack)

    (row,) = drift(stack, "orphan_namespace", namespace=orphan)
    assert (row["state"], row["cause"], row["repository"]) == ("open", "no_owner", "")
    assert list(find_tags(stack, "admin", repository)) == ["1.0"]
    assert find_repository(stack, world.owner, repository) is None

    lines = run_command(stack, "catalog", "orphans").split()
    assert f"{orphan}," in lines
    plan, team = tmp_path / "plan.csv", stack.api("auth", world.owner).get("/api/v1/teams")[0]["name"]
    plan.write_text(f"{orphan},{team}\n")
    assert "would make 1 namespaces" in run_command(stack, "auth", "import-namespaces", str(plan))
    assert f"{orphan}," in run_command(stack, "catalog", "orphans").split(), "a plan makes nothing"
    assert "made 1 namespaces" in run_command(stack, "auth", "import-namespaces", "--apply", str(plan))

    go_round(stack)

    assert f"{orphan}," not in run_command(stack, "catalog", "orphans").split()
    assert [row["state"] for row in drift(stack, "orphan_namespace", namespace=orphan)] == ["resolved"]
    assert find_repository(stack, world.owner, repository) is not None
    assert find_repository(stack, world.stranger, repository) is None


def test_a_repository_that_the_registrys_catalogue_leaves_out_is_told_and_kept(world: World, image: Path) -> None:
    """2.8 lists the repositories whose folder has a ``_layers``, and serves manifests and tags of those without."""
    stack, name = world.stack, f"{world.private}/{new_name('unlisted')}"
    push(world, image, world.contributor, name)
    wait_for_tag(stack, name, "1.0")
    layers = stored_repository(stack, name) / "_layers"
    layers.rename(layers.with_name("away"))

    go_round(stack)

    (row,) = drift(stack, "unlisted_repository", repository=name)
    assert (row["state"], row["cause"]) == ("open", "catalog_lags")
    assert list(find_tags(stack, "admin", name)) == ["1.0"]
    layers.with_name("away").rename(layers)
    go_round(stack)
    assert [row["state"] for row in drift(stack, "unlisted_repository", repository=name)] == ["resolved"]
