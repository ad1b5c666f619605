"""A push with a real client is told to a real receiver, by way of all services."""

from pathlib import Path
from typing import Any

from tests.e2e.conftest import World
from tests.e2e.test_first_way import push, wait_for_tag
from tests.support.oci_layout import make_image
from tests.support.receivers import Receiver, receiving
from tests.support.stack import new_name
from tests.support.waiting import wait_until


def add_webhook(world: World, receiver: Receiver, **values: Any) -> str:
    """Let the owner of the private namespace make a webhook; return where it is."""
    named = world.stack.api("auth", world.owner).get("/api/v1/namespaces", name=world.private)
    body = {"namespace_id": named[0]["id"], "name": "ci", "url": receiver.url, "enabled": True, **values}
    made = world.stack.api("notifier", world.owner).post("/api/v1/webhooks", body)
    return f"/api/v1/webhooks/{made['id']}"


def test_168_a_push_makes_exactly_one_request(world: World, tmp_path: Path) -> None:
    name = f"{world.private}/{new_name('app')}"
    image = make_image(tmp_path / "image", "1.0")

    with receiving() as receiver:
        hook = add_webhook(world, receiver, secret="correct horse battery", repositories=[name])
        push(world, image, world.contributor, name)
        wait_for_tag(world.stack, name, "1.0")
        owner = world.stack.api("notifier", world.owner)
        wait_until(lambda: receiver.received, what="the receiver is told")
        # What comes later came the same way: nothing of the push is still to come.
        owner.post(f"{hook}/test", {}, expect=202)
        wait_until(lambda: len(receiver.received) > 1, what="the test is told")
        told = owner.get(f"{hook}/deliveries")
        owner.delete(hook)

    first, second = receiver.received
    assert (first.event["type"], second.event["type"]) == ("catalog.tag.pushed.v1", "notifier.webhook.pinged.v1")
    assert (first.event["repository"], first.event["data"]["tag"]) == (name, "1.0")
    assert first.event["data"]["actor"] == world.contributor
    assert first.headers["webhook-signature"].startswith("v1,")
    assert [one["outcome"] for one in told] == ["delivered", "delivered"]
