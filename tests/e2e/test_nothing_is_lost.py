"""Parts die in the middle of 5 000 events: nothing that was answered 202 is lost, nothing counts twice."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.e2e.conftest import make_stack, populate
from tests.e2e.test_first_way import find_repository, find_tags, wait_for_tag
from tests.support.oci_layout import make_image
from tests.support.rabbitmq import RabbitmqNode
from tests.support.stack import Stack
from tests.support.waiting import wait_until

EVENTS = 5_000
CONTENT_TYPE = "application/vnd.docker.distribution.events.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class RegistryQueue:
    """Posts events as a registry does: one at a time, in order, the same one again until it is taken."""

    def __init__(self, stack: Stack, repository: str, digest: str) -> None:
        self._stack = stack
        self._repository = repository
        self._digest = digest
        self.accepted = {"push": 0, "pull": 0}
        self.given_up = Event()
        self.refused = 0

    def wait_for(self, count: int) -> None:
        wait_until(lambda: sum(self.accepted.values()) >= count, what=f"{count} events accepted", timeout_s=240)

    def post_all(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            for number in range(EVENTS):
                self._post_until_accepted(session, self._event(number))

    def _event(self, number: int) -> dict[str, Any]:
        action, tag = ("push", f"t{number:05}") if number % 2 else ("pull", "1.0")
        return {
            "id": str(uuid4()),
            "timestamp": datetime.now(UTC).isoformat(),
            "action": action,
            "target": {"mediaType": MANIFEST, "digest": self._digest, "repository": self._repository, "tag": tag},
            "request": {"host": self._stack.registry, "method": "PUT" if action == "push" else "GET"},
            "actor": {"name": "somebody"},
            "source": {"instanceID": "11111111-1111-1111-1111-111111111111"},
        }

    def _post_until_accepted(self, session: requests.Session, event: dict[str, Any]) -> None:
        headers = {"Content-Type": CONTENT_TYPE, "Authorization": f"Bearer {self._stack.notifications_secret}"}
        while not self._accepts(session, {"events": [event]}, headers):
            self.refused += 1
            if self.given_up.wait(0.05):
                raise SystemExit
        self.accepted[event["action"]] += 1

    def _accepts(self, session: requests.Session, body: dict[str, Any], headers: dict[str, str]) -> bool:
        url = f"{self._stack.url('notifier')}/v2/webhooks/events"
        try:
            return session.post(url, json=body, headers=headers, timeout=5).status_code == 202
        except requests.RequestException:
            return False


@pytest.fixture
def stack(shape: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """An installation of the test's own, with a broker of its own, because both will be killed."""
    settings = {}
    if shape == "servers":
        settings["PORTUS_BROKER_URL"] = request.getfixturevalue("rabbitmq_node").amqp_url + "//"
    stack = make_stack(shape, tmp_path, **settings)
    try:
        yield stack.start()
    finally:
        stack.stop()


def kill(stack: Stack, *words: str) -> None:
    processes = stack.processes(*words)
    assert processes, f"no process with {words}"
    for pid in processes:
        os.kill(pid, signal.SIGKILL)


def push_image(stack: Stack, folder: Path) -> tuple[str, dict[str, Any]]:
    world = populate(stack)
    name = f"{world.private}/app"
    outcome = stack.skopeo(world.contributor).push(make_image(folder / "image", "1.0"), "1.0", f"{name}:1.0")
    assert outcome.succeeded, outcome.output
    return name, wait_for_tag(stack, name, "1.0")


def accidents(stack: Stack, request: pytest.FixtureRequest) -> list[Callable[[], None]]:
    happening = [
        lambda: kill(stack, "services.notifier", "serve"),
        lambda: kill(stack, "services.catalog", "worker"),
    ]
    if stack.shape == "servers":
        node = request.getfixturevalue("rabbitmq_node")
        happening.append(lambda: interrupt(node))
    return happening


@pytest.mark.timeout(1200)
def test_case_65_nothing_that_was_accepted_is_lost_or_applied_twice(
    stack: Stack, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    name, tag = push_image(stack, tmp_path)
    queue = RegistryQueue(stack, name, tag["digest"])
    posting = Thread(target=queue.post_all, daemon=True)

    posting.start()
    try:
        for count, accident in enumerate(accidents(stack, request), start=1):
            queue.wait_for(count * 1200)
            accident()
        posting.join(600)
    finally:
        queue.given_up.set()

    assert queue.accepted == {"push": EVENTS // 2, "pull": EVENTS // 2}
    repository = wait_for_count(stack, name, EVENTS // 2 + 1)
    assert repository["pulls"] == EVENTS // 2
    print(f"\n{stack.shape}: {EVENTS} events accepted, {queue.refused} posts repeated, none lost, none applied twice")


def interrupt(node: RabbitmqNode) -> None:
    node.kill()
    time.sleep(2)
    node.start()


def wait_for_count(stack: Stack, name: str, tags: int) -> dict[str, Any]:
    """Wait until the index holds so many tags and has stood still for a moment."""
    seen: list[tuple[int, int]] = []

    def settled() -> dict[str, Any] | None:
        found = find_repository(stack, "admin", name) or {}
        seen.append((found.get("tags_count", 0), found.get("pulls", 0)))
        time.sleep(0.5)
        still = len(seen) > 8 and len(set(seen[-8:])) == 1
        return found if seen[-1][0] >= tags and still else None

    found: dict[str, Any] = wait_until(
        settled, what=lambda: f"{tags} tags, of which there are {seen[-3:]}", timeout_s=180
    )
    assert found["tags_count"] == tags
    return found


@pytest.mark.parametrize("shape", ["servers"], scope="session")
def test_a_push_while_the_broker_is_down_shows_up_when_it_returns(
    stack: Stack, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    node, world = request.getfixturevalue("rabbitmq_node"), populate(stack)
    name = f"{world.private}/app"

    node.kill()
    outcome = stack.skopeo(world.contributor).push(make_image(tmp_path / "image", "1.0"), "1.0", f"{name}:1.0")
    time.sleep(2)
    unseen = find_tags(stack, "admin", name)
    node.start()

    assert outcome.succeeded, outcome.output
    assert not unseen
    wait_until(
        lambda: find_tags(stack, "admin", name).get("1.0"), what=lambda: f"seen\n{stack.logs()[-4000:]}", timeout_s=60
    )
