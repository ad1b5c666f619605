"""What two real registries once sent goes through notifier, broker and catalog and ends in the right index."""

from typing import Any

import requests

from tests.e2e.test_first_way import find_tags
from tests.support.registry_events import load_captured
from tests.support.stack import Stack
from tests.support.waiting import wait_until

REPOSITORIES = ("team-a/web", "team-a/api", "library/multi", "charts/web")

WEB_1_0_0 = "sha256:d177e8a3dbdd39d7ebdf783519f46c72fe2f5ee4366653ee90ebd5dd8495dbd1"
WEB_LATEST = "sha256:6239a3a055594908013770e5e2f6214876c29908c65e2833f250c4339c68ab57"
MULTI = "sha256:450e7ca401b94c66df748590052b47136e965acc6ab2338c4c8bbadf4ca3bf6e"


def replay(stack: Stack, version: str) -> None:
    for captured in load_captured(version):
        answer = requests.post(
            f"{stack.url('notifier')}/v2/webhooks/events",
            json=captured.body,
            headers={
                "Content-Type": captured.content_type,
                "Authorization": f"Bearer {stack.notifications_secret}",
            },
            timeout=10,
        )
        assert answer.status_code == 202, f"{captured.step}: {answer.text}"


def index(stack: Stack) -> dict[str, dict[str, Any]]:
    return {name: tags for name in REPOSITORIES if (tags := find_tags(stack, "admin", name))}


def digests(stack: Stack) -> dict[str, dict[str, str]]:
    return {name: {tag: row["digest"] for tag, row in tags.items()} for name, tags in index(stack).items()}


def test_the_recordings_of_2_8_2_and_then_of_3_1_1_end_in_the_right_index(stack: Stack) -> None:
    """The second registry went the same way later, and could delete ``latest`` by its name.

    Both know nothing of the registry of this installation, so that the details of the manifests
    cannot be had; where the tags point is right all the same. Sent twice, nothing counts twice.
    """
    chart, manifest_list = "0.1.0", "3.1-docker"

    for version, web in (
        ("2.8.2", {"1.0.0": WEB_1_0_0, "latest": WEB_LATEST}),
        ("3.1.1", {"1.0.0": WEB_1_0_0}),
    ):
        replay(stack, version)
        replay(stack, version)

        wait_until(lambda web=web: digests(stack).get("team-a/web") == web, what=lambda: str(digests(stack)))  # type: ignore[misc]
        found = digests(stack)
        assert set(found) == {"team-a/web", "library/multi", "charts/web"}
        assert found["library/multi"] == {"3.1": MULTI, manifest_list: pushed_digest(version, manifest_list)}
        assert found["charts/web"] == {chart: pushed_digest(version, chart)}

    wait_until(lambda: index(stack)["team-a/web"]["1.0.0"]["pulls"] == 10, what="five pulls of each recording")


def pushed_digest(version: str, tag: str) -> str:
    """Return the digest that was pushed under a tag last."""
    events = [event for captured in load_captured(version) for event in captured.body["events"]]
    pushed = [event["target"] for event in events if event["action"] == "push"]
    return str([target["digest"] for target in pushed if target.get("tag") == tag][-1])
