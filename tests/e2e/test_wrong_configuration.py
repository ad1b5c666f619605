"""Two mistakes that a newcomer makes end in a log line that says what to change."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RegistryFactory
from tests.e2e.conftest import World
from tests.support.clients import Skopeo
from tests.support.oci_layout import make_image
from tests.support.stack import PASSWORD
from tests.support.waiting import wait_until


def auth_section(world: World, **changes: str) -> dict[str, Any]:
    token = {
        "realm": f"{world.stack.url('auth')}/v2/token",
        "service": "portus-registry",
        "issuer": "portus",
        "rootcertbundle": str(world.stack.folder / "data" / "ca" / "ca.crt"),
    }
    return {"auth": {"token": {**token, **changes}}}


def notifications_section(world: World, secret: str) -> dict[str, Any]:
    endpoint = {
        "name": "portus",
        "url": f"{world.stack.url('notifier')}/v2/webhooks/events",
        "headers": {"Authorization": [f"Bearer {secret}"]},
        "timeout": "1s",
        "threshold": 3,
        "backoff": "1s",
    }
    return {"notifications": {"endpoints": [endpoint]}}


def log_line(world: World, *words: str) -> str:
    def look() -> str | None:
        lines = world.stack.logs().splitlines()
        return next((line for line in lines if all(word in line for word in words)), None)

    return wait_until(look, what=lambda: f"a log line with {words}\n{world.stack.logs()[-3000:]}")


def test_a_wrong_service_name(world: World, registry_factory: RegistryFactory, tmp_path: Path) -> None:
    """Case 40, of what names a registry here: Portus went by its host, we go by its service name."""
    registry = registry_factory(auth_section(world, service="my-registry"))
    skopeo = Skopeo(registry.host, (world.contributor, PASSWORD))

    outcome = skopeo.push(make_image(tmp_path / "image", "1.0"), "1.0", f"{world.private}/app:1.0")

    assert not outcome.succeeded
    line = log_line(world, "my-registry", "PORTUS_REGISTRY_SERVICE")
    assert "auth.token.service" in line
    assert "portus-registry" in line


def test_a_wrong_notifications_secret(world: World, registry_factory: RegistryFactory, tmp_path: Path) -> None:
    registry = registry_factory(notifications_section(world, "not-the-right-secret-at-all"))

    outcome = Skopeo(registry.host).push(make_image(tmp_path / "image", "1.0"), "1.0", "any/app:1.0")

    assert outcome.succeeded, outcome.output
    line = log_line(world, "PORTUS_NOTIFICATIONS_SECRET")
    assert "Authorization" in line
    assert "not-the-right-secret" not in line
    assert world.stack.notifications_secret not in line


@pytest.mark.parametrize("wrong", [{"issuer": "somebody-else"}], ids=["issuer"])
def test_a_right_configuration_is_what_makes_the_difference(
    world: World, registry_factory: RegistryFactory, tmp_path: Path, wrong: dict[str, str]
) -> None:
    """The same push succeeds as soon as the section is right: the refusals above have one cause."""
    image = make_image(tmp_path / "image", "1.0")
    refusing, accepting = registry_factory(auth_section(world, **wrong)), registry_factory(auth_section(world))

    refused = Skopeo(refusing.host, (world.contributor, PASSWORD)).push(image, "1.0", f"{world.private}/x:1.0")
    done = Skopeo(accepting.host, (world.contributor, PASSWORD)).push(image, "1.0", f"{world.private}/x:1.0")

    assert not refused.succeeded
    assert done.succeeded, done.output
