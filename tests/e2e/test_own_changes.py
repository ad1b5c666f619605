"""What Portus itself does in the registry comes back as a notification: of the real account, through the house."""

from pathlib import Path
from typing import Any

from services.catalog.domain.errands import find_errand
from tests.e2e.conftest import World
from tests.e2e.test_first_way import find_repository, find_tags, push, wait_for_tag
from tests.support.oci_layout import make_image
from tests.support.stack import new_name
from tests.support.waiting import wait_until


def test_a_restore_is_written_down_once_and_the_registry_says_for_whom(world: World, tmp_path: Path) -> None:
    stack, name = world.stack, f"{world.private}/{new_name('restored')}"
    push(world, make_image(tmp_path / "old", "1.0"), world.contributor, name)
    old = wait_for_tag(stack, name, "1.0")["digest"]
    push(world, make_image(tmp_path / "new", "1.0"), world.contributor, name)
    wait_until(lambda: find_tags(stack, "admin", name)["1.0"]["digest"] != old, what="the overwrite is in the index")
    repository = (find_repository(stack, "admin", name) or {})["id"]

    restored = {"tag": "1.0", "digest": old}
    stack.api("catalog", world.owner).post(f"/api/v1/repositories/{repository}/restore", restored, expect=200)

    told = wait_until(lambda: _told_by_our_account(world, name), what="the registry has told of it")
    errand = find_errand(told["user_agent"])
    assert errand is not None
    assert errand.actor == world.owner
    push(world, make_image(tmp_path / "last", "1.0"), world.contributor, f"{name}-last")
    wait_for_tag(stack, f"{name}-last", "1.0")
    history = stack.api("catalog", "admin").get(f"/api/v1/repositories/{repository}/history", per_page=100)
    assert [row["actor"] for row in history] == [world.owner, world.contributor, world.contributor]
    assert [tag["pushed_by"] for tag in find_tags(stack, "admin", name).values()] == [world.owner]


def _told_by_our_account(world: World, name: str) -> dict[str, Any] | None:
    events = world.stack.api("notifier", "admin").get("/api/v1/events", repository=name, limit=1000)
    ours = [
        one["data"] for one in events if one["data"].get("actor") == "portus" and one["data"].get("action") == "push"
    ]
    return ours[-1] if ours else None
