"""What happened, to be followed by those who may pull, with the real services deciding who that is."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import World
from tests.e2e.test_first_way import push, wait_for_tag
from tests.support.oci_layout import make_image
from tests.support.stack import new_name
from tests.support.waiting import wait_until

PUSHED = {"registry.notification.v1", "catalog.tag.pushed.v1"}


@pytest.fixture
def pushed(world: World, tmp_path: Path) -> str:
    """A repository of the private namespace that was pushed to."""
    name = f"{world.private}/{new_name('app')}"
    push(world, make_image(tmp_path / "image", "1.0"), world.contributor, name)
    wait_for_tag(world.stack, name, "1.0")
    return name


def events(world: World, user: str, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.stack.api("notifier", user).get("/api/v1/events", **query)
    return found


def types(world: World, user: str, **query: Any) -> set[str]:
    return {event["type"] for event in events(world, user, **query)}


def test_a_push_is_told_to_everybody_who_may_pull(world: World, pushed: str) -> None:
    wait_until(lambda: types(world, world.viewer, repository=pushed) >= PUSHED, what="both events are in the log")

    assert types(world, world.owner, repository=pushed) >= PUSHED
    assert types(world, world.stranger, repository=pushed) == set()
    assert all("address" not in event["data"] for event in events(world, world.viewer, repository=pushed))


def test_the_log_can_be_followed(world: World, pushed: str) -> None:
    wait_until(lambda: types(world, "admin", repository=pushed) >= PUSHED, what="both events are in the log")
    seen, after = list[int](), 0
    while page := events(world, "admin", repository=pushed, after=after, limit=1):
        seen += [event["sequence"] for event in page]
        after = seen[-1]

    assert seen == [event["sequence"] for event in events(world, "admin", repository=pushed)]
    assert len(seen) >= 2


def test_a_change_of_rights_is_told_to_administrators_alone(world: World) -> None:
    made = {"namespace": world.private, "type": "auth.namespace.created.v1"}

    wait_until(lambda: events(world, "admin", **made), what="the event is in the log")
    assert events(world, world.owner, **made) == []


def test_nobody_reads_it_without_a_name(world: World) -> None:
    world.stack.api("notifier").get("/api/v1/events", expect=401)


@pytest.mark.parametrize(
    ("service", "path"), [("notifier", "dead-letters"), ("notifier", "quarantine"), ("catalog", "loss-windows")]
)
def test_what_went_wrong_is_for_administrators(world: World, service: str, path: str) -> None:
    assert isinstance(world.stack.api(service, "admin").get(f"/api/v1/{path}"), list)
    world.stack.api(service, world.owner).get(f"/api/v1/{path}", expect=403)
    world.stack.api(service).get(f"/api/v1/{path}", expect=401)
