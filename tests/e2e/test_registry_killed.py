"""The registry is killed in the middle of 200 pushes, three times, each time with events in its memory.

They are lost for good. After the crawl that follows, the index equals the registry all the same, and
the loss windows tell when it was and which repositories it may have been about: those that somebody
could push to then, and no other.
"""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests

from tests.e2e.conftest import make_stack, populate
from tests.e2e.test_first_way import find_tags
from tests.support.backdoor import backdoor
from tests.support.images import Pusher
from tests.support.stack import Stack, credentials_of
from tests.support.waiting import wait_until

PUSHES = 200
KILLED_AT = (50, 100, 150)
HELD_BACK = 5
"""Pushes of which the notifier hears nothing before the registry is killed."""
REPOSITORIES = 4
CLOCKS_MAY_DIFFER_BY = timedelta(seconds=6)
"""Where no token is known from so long before a loss, nobody knows who could push: it would concern everything."""


class Pushing:
    """Pushes one tag after the other, each until the registry has taken it."""

    def __init__(self, stack: Stack, namespace: str, user: str) -> None:
        self.names = [f"{namespace}/app-{number}" for number in range(REPOSITORIES)]
        self.done = 0
        self.granted_at = datetime.now(UTC)
        self._pusher = Pusher(f"http://{stack.registry}", token_for(stack, user, self.names))

    def run(self) -> None:
        for number in range(PUSHES):
            self._push_until_taken(self.names[number % REPOSITORIES], f"t{number:03}")
            self.done = number + 1

    def wait_for(self, count: int) -> None:
        wait_until(lambda: self.done >= count, what=lambda: f"{count} pushes ({self.done})", timeout_s=120)

    def in_registry(self) -> dict[str, dict[str, str]]:
        """Return where every tag points, as the registry says."""
        return {
            name: {
                tag: self._pusher.describe(name, tag)["digest"]
                for tag in (f"t{number:03}" for number in range(PUSHES) if number % REPOSITORIES == position)
            }
            for position, name in enumerate(self.names)
        }

    def _push_until_taken(self, name: str, tag: str) -> None:
        def taken() -> bool:
            try:
                self._pusher.image(name, tag, layer_bytes=(50,))
            except (requests.RequestException, AssertionError):
                return False
            return True

        wait_until(taken, what=f"{name}:{tag} is taken", timeout_s=60, every_s=0.2)


def token_for(stack: Stack, user: str, names: list[str]) -> dict[str, str]:
    scopes = [("scope", f"repository:{name}:pull,push") for name in names]
    answer = requests.get(
        f"{stack.url('auth')}/v2/token",
        params=[("service", "portus-registry"), *scopes],
        auth=credentials_of(user),
        timeout=20,
    )
    return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.fixture
def stack(shape: str, tmp_path: Path) -> Iterator[Stack]:
    """An installation of the test's own, because its registry will be killed."""
    stack = make_stack(shape, tmp_path)
    try:
        yield stack.start()
    finally:
        stack.stop()


def send(stack: Stack, number: signal.Signals, *words: str) -> None:
    processes = stack.processes(*words)
    assert processes, f"no process with {words}"
    for pid in processes:
        os.kill(pid, number)


def kill_with_events_in_memory(stack: Stack, pushing: Pushing) -> datetime:
    """Keep events back, kill the registry that holds them, and return when."""
    send(stack, signal.SIGSTOP, "services.notifier", "serve")
    try:
        pushing.wait_for(pushing.done + HELD_BACK)
        killed_at = datetime.now(UTC)
        send(stack, signal.SIGKILL, "registry.yml")
    finally:
        send(stack, signal.SIGCONT, "services.notifier", "serve")
    return killed_at


def windows(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.api("catalog", "admin").get("/api/v1/loss-windows", reason="restart")
    return found


@pytest.mark.timeout(600)
def test_what_a_killed_registry_never_told_is_in_the_index(stack: Stack, tmp_path: Path) -> None:
    world = populate(stack)
    quiet = push_quietly(stack, f"{world.private}/quiet", tmp_path)
    pushing = Pushing(stack, world.private, world.contributor)
    thread = Thread(target=pushing.run, daemon=True)
    wait_until(lambda: datetime.now(UTC) - pushing.granted_at > CLOCKS_MAY_DIFFER_BY, what="the grant is old enough")

    thread.start()
    killed = []
    for count in KILLED_AT:
        pushing.wait_for(count)
        killed.append(kill_with_events_in_memory(stack, pushing))
    thread.join(180)
    assert pushing.done == PUSHES

    settle(stack, killed)

    assert in_index(stack, pushing) == pushing.in_registry()
    assert concerned(stack) == [pushing.names] * len(windows(stack))
    assert "1.0" in find_tags(stack, "admin", quiet), "there is more in the registry than they concern"
    repaired = sum(window["repaired"] for window in windows(stack))
    # One event may have been on its way when its sender was killed.
    assert repaired >= (HELD_BACK - 1) * len(killed)
    assert stack.api("catalog").get("/api/v1/freshness")["possible_loss"] is None
    assert not any(window["everything"] for window in windows(stack))
    print(f"\n{stack.shape}: {len(windows(stack))} windows for {len(killed)} kills, {repaired} tags repaired")


def push_quietly(stack: Stack, name: str, folder: Path) -> str:
    """Put an image into a repository that nobody has a token for, and let a crawl find it; return its name."""
    with backdoor(stack, folder / "backdoor") as registry:
        Pusher(registry.url).image(name, "1.0")
    stack.api("catalog", "admin").post("/api/v1/crawls", {"kind": "round"}, expect=202)
    wait_until(lambda: find_tags(stack, "admin", name), what=f"{name} is in the index", timeout_s=60)
    return name


def concerned(stack: Stack) -> list[list[str]]:
    """Return which repositories each window says that its events may have been about."""
    admin = stack.api("catalog", "admin")
    return [admin.get(f"/api/v1/loss-windows/{window['id']}")["repositories"] for window in windows(stack)]


def settle(stack: Stack, killed: list[datetime]) -> None:
    """Wait until each kill lies in a window, and every window is closed."""

    def covered() -> bool:
        found = windows(stack)
        return all(any(within(one, moment) for one in found) for moment in killed)

    wait_until(covered, what=lambda: f"all of {killed} lie in one of {windows(stack)}", timeout_s=60)
    wait_until(
        lambda: not any(window["open"] for window in windows(stack)),
        what=lambda: f"the windows are closed: {windows(stack)}\n{stack.logs()[-4000:]}",
        timeout_s=240,
        every_s=0.5,
    )


def within(window: dict[str, Any], moment: datetime) -> bool:
    return datetime.fromisoformat(window["since"]) <= moment <= datetime.fromisoformat(window["until"])


def in_index(stack: Stack, pushing: Pushing) -> dict[str, dict[str, str]]:
    return {
        name: {tag: row["digest"] for tag, row in find_tags(stack, "admin", name).items()} for name in pushing.names
    }
