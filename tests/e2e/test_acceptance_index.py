"""The acceptance cases of Portus on events, repositories and tags, by their numbers (11.5, 11.9, 11.14).

Through the whole house with skopeo and a real registry. What is not here stands beside what it is about: 49, 51, 56,
60, 61 and 66 in ``test_first_way``, 65 in ``test_nothing_is_lost``, those of 11.6 in ``tests/storage/catalog``.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.e2e.conftest import World
from tests.e2e.test_first_way import find_repository, find_tags, push, wait_for_tag
from tests.support.oci_layout import make_image
from tests.support.stack import new_name
from tests.support.waiting import wait_until

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONTENT_TYPE = "application/vnd.docker.distribution.events.v1+json"
DIGEST = f"sha256:{'c' * 64}"

Tell = Callable[..., int]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return make_image(tmp_path / "image", "1.0")


@pytest.fixture
def name(world: World) -> str:
    return f"{world.private}/{new_name('app')}"


@pytest.fixture
def tell(world: World) -> Tell:
    """Send an event as a registry does, and return the status of the answer."""

    def tell(action: str, repository: str, *, secret: str | None = None, **parts: Any) -> int:
        target = {"mediaType": MANIFEST, "digest": DIGEST, "repository": repository, "tag": "1.0"}
        event = {
            "id": parts.get("id", str(uuid4())),
            "timestamp": datetime.now(UTC).isoformat(),
            "action": action,
            "target": target | parts.get("target", {}),
            "request": {"host": parts.get("host", world.stack.registry), "method": parts.get("method", "PUT")},
            "actor": {"name": world.viewer},
            "source": {"instanceID": "22222222-2222-2222-2222-222222222222"},
        }
        answer = requests.post(
            f"{world.stack.url('notifier')}/v2/webhooks/events",
            json={"events": [event]},
            headers={
                "Content-Type": CONTENT_TYPE,
                "Authorization": f"Bearer {secret or world.stack.notifications_secret}",
            },
            timeout=10,
        )
        return answer.status_code

    return tell


def settle(world: World, tell: Tell, name: str) -> None:
    """Wait until everything that was told before is applied: one more event, after all of them."""
    tag = new_name("last")
    assert tell("push", name, target={"tag": tag}) == 202
    wait_for_tag(world.stack, name, tag, known=False)


def retag(world: World, name: str, *tags: str) -> None:
    """Put the image of ``1.0`` under other tags as well."""
    for tag in tags:
        copied = world.stack.skopeo(world.owner).copy(f"{name}:1.0", f"{name}:{tag}")
        assert copied.succeeded, copied.output
        wait_for_tag(world.stack, name, tag)


def path_of(world: World, name: str) -> str:
    repository = find_repository(world.stack, "admin", name)
    assert repository, name
    return f"/api/v1/repositories/{repository['id']}"


def test_case_50_an_event_that_comes_twice_counts_once(world: World, image: Path, name: str, tell: Tell) -> None:
    push(world, image, world.owner, name)
    digest = wait_for_tag(world.stack, name, "1.0")["digest"]
    pull = {"id": str(uuid4()), "method": "GET", "target": {"digest": digest}}

    assert [tell("pull", name, **pull) for _ in range(3)] == [202, 202, 202]

    settle(world, tell, name)
    assert find_tags(world.stack, "admin", name)["1.0"]["pulls"] == 1


def test_case_52_a_push_past_us_makes_no_namespace(world: World, tell: Tell) -> None:
    """Only those who look after the registry are shown that there is something."""
    namespace = new_name("nobodys")

    assert tell("push", f"{namespace}/app") == 202

    wait_for_tag(world.stack, f"{namespace}/app", "1.0", known=False)
    for person in (world.owner, world.stranger, None):
        assert find_repository(world.stack, person, f"{namespace}/app") is None
    assert world.stack.api("auth", "admin").get("/api/v1/namespaces", name=namespace) == []


def test_case_54_an_event_is_believed_by_its_secret_and_by_nothing_else(world: World, name: str, tell: Tell) -> None:
    """Not by the host that it names, as in Portus: whoever sends an event writes that himself."""
    assert tell("push", name, secret="not-the-secret") == 401
    assert tell("push", name, secret="not-the-secret", host="registry.example.org:5000") == 401
    settle(world, tell, f"{world.private}/{new_name('other')}")
    assert find_repository(world.stack, "admin", name) is None

    assert tell("push", name, host="registry.example.org:5000") == 202

    wait_for_tag(world.stack, name, "1.0", known=False)


def test_case_55_blobs_and_mounts_leave_no_trace(world: World, name: str, tell: Tell) -> None:
    blob = {"mediaType": "application/octet-stream", "tag": ""}

    assert tell("push", name, target=blob) == 202
    assert tell("mount", name, target=blob | {"fromRepository": f"{world.private}/other"}) == 202

    settle(world, tell, f"{world.private}/{new_name('other')}")
    assert find_repository(world.stack, "admin", name) is None


def test_cases_57_and_58_a_digest_goes_with_its_tags_and_stays_elsewhere(
    world: World, image: Path, name: str, tmp_path: Path
) -> None:
    elsewhere = f"{world.public}/{new_name('app')}"
    push(world, image, world.owner, name)
    wait_for_tag(world.stack, name, "1.0")
    retag(world, name, "2.0")
    push(world, image, world.owner, elsewhere)
    wait_for_tag(world.stack, elsewhere, "1.0")

    # By its digest, which is all that skopeo knows.
    deleted = world.stack.skopeo(world.owner).delete(f"{name}:2.0")

    assert deleted.succeeded, deleted.output
    wait_until(lambda: not find_tags(world.stack, "admin", name), what="both tags are gone")
    assert find_repository(world.stack, "admin", name) is None
    assert list(find_tags(world.stack, "admin", elsewhere)) == ["1.0"]
    pulled = world.stack.skopeo(world.viewer).pull(f"{elsewhere}:1.0", tmp_path / "pulled")
    assert pulled.succeeded, pulled.output


def test_case_67_one_tag_is_deleted_and_its_sibling_stays(world: World, image: Path, name: str, tmp_path: Path) -> None:
    push(world, image, world.owner, name)
    tag = wait_for_tag(world.stack, name, "1.0")
    retag(world, name, "2.0")

    world.stack.api("catalog", world.owner).delete(f"/api/v1/tags/{tag['id']}")

    assert list(find_tags(world.stack, "admin", name)) == ["2.0"]
    skopeo = world.stack.skopeo(world.viewer)
    kept, gone = (skopeo.pull(f"{name}:{each}", tmp_path / each) for each in ("2.0", "1.0"))
    assert kept.succeeded, kept.output
    assert not gone.succeeded


def test_case_111_tags_are_grouped_by_digest_newest_group_first(world: World, tmp_path: Path, name: str) -> None:
    push(world, make_image(tmp_path / "old", "1.0"), world.owner, name)
    wait_for_tag(world.stack, name, "1.0")
    retag(world, name, "stable")
    newer = world.stack.skopeo(world.owner).push(make_image(tmp_path / "new", "2.0"), "2.0", f"{name}:2.0")
    assert newer.succeeded, newer.output
    wait_for_tag(world.stack, name, "2.0")

    groups = world.stack.api("catalog", world.viewer).get(f"{path_of(world, name)}/tags/grouped")

    assert [sorted(tag["name"] for tag in group) for group in groups] == [["2.0"], ["1.0", "stable"]]


def test_case_112_the_last_tag_takes_manifest_and_repository_with_it(
    world: World, image: Path, name: str, tmp_path: Path
) -> None:
    push(world, image, world.owner, name)
    tag = wait_for_tag(world.stack, name, "1.0")

    world.stack.api("catalog", world.owner).delete(f"/api/v1/tags/{tag['id']}")

    assert find_repository(world.stack, "admin", name) is None
    by_digest = world.stack.skopeo(world.owner).pull(f"{name}@{tag['digest']}", tmp_path / "pulled")
    assert not by_digest.succeeded


def test_case_115_who_sees_a_repository_comments_on_it(world: World, image: Path, name: str) -> None:
    stranger, nobody = (world.stack.api("catalog", who) for who in (world.stranger, None))
    seen = [f"{namespace}/{new_name('app')}" for namespace in (world.public, world.protected)]
    for each in (name, *seen):
        push(world, image, world.owner, each)
        wait_for_tag(world.stack, each, "1.0")

    for each in seen:
        made = stranger.post(f"{path_of(world, each)}/comments", {"comment": {"body": "It works."}})
        stranger.post(f"{path_of(world, each)}/comments", {"comment": {"body": "  "}}, expect=422)

        assert made["author"]["username"] == world.stranger
        assert [one["body"] for one in stranger.get(f"{path_of(world, each)}/comments")] == ["It works."]
        nobody.post(f"{path_of(world, each)}/comments", {"comment": {"body": "Me too."}}, expect=403)
    # What is protected is for whoever has signed in.
    assert [find_repository(world.stack, None, each) is None for each in seen] == [False, True]
    stranger.post(f"{path_of(world, name)}/comments", {"comment": {"body": "Let me in."}}, expect=404)
    assert world.stack.api("catalog", world.viewer).get(f"{path_of(world, name)}/comments") == []


def test_cases_117_and_121_a_star_is_toggled_and_tells_nothing_of_what_is_hidden(
    world: World, image: Path, name: str
) -> None:
    push(world, image, world.owner, name)
    wait_for_tag(world.stack, name, "1.0")
    viewer, stranger = (world.stack.api("catalog", who) for who in (world.viewer, world.stranger))
    star = f"{path_of(world, name)}/star"

    shown = [viewer.post(star, None, expect=200) for _ in range(2)]
    hidden = stranger.post(star, None, expect=404)

    assert [(one["stars"], one["starred"]) for one in shown] == [(1, True), (0, False)]
    assert name not in str(hidden)


def test_case_118_a_description_is_the_owners_and_nothing_in_it_is_carried_out(world: World, image: Path) -> None:
    name = f"{world.public}/{new_name('app')}"
    push(world, image, world.owner, name)
    wait_for_tag(world.stack, name, "1.0")
    path, text = path_of(world, name), "**Mine** <b>too</b> <script>alert(1)</script> ![x](http://example.org/x.png)"

    for person in (world.contributor, world.viewer, world.stranger):
        world.stack.api("catalog", person).put(path, {"repository": {"description": text}}, expect=403)
    world.stack.api("catalog", world.owner).put(path, {"repository": {"description": text}})

    page = requests.get(f"{world.stack.url('web')}/r/{name}", timeout=10)
    assert page.status_code == 200, page.text
    assert "<strong>Mine</strong>" in page.text
    assert "<b>too" not in page.text
    assert "<script>alert" not in page.text
    assert 'example.org/x.png"' not in page.text


def test_case_119_tags_are_told_apart_by_case(world: World, tmp_path: Path, name: str) -> None:
    digests = {}
    for tag in ("1.0", "1.0-A", "1.0-a"):
        outcome = world.stack.skopeo(world.owner).push(make_image(tmp_path / tag, tag), tag, f"{name}:{tag}")
        assert outcome.succeeded, outcome.output
        digests[tag] = wait_for_tag(world.stack, name, tag)["digest"]

    assert {tag: row["digest"] for tag, row in find_tags(world.stack, "admin", name).items()} == digests
    assert len(set(digests.values())) == 3


def test_case_179_what_a_kept_tag_needs_is_not_deleted(world: World, tmp_path: Path, name: str, image: Path) -> None:
    old = new_name("old")
    push(world, image, world.owner, name)
    wait_for_tag(world.stack, name, "1.0")
    retag(world, name, f"{old}-shared")
    alone = world.stack.skopeo(world.owner).push(make_image(tmp_path / "old", "1.0"), "1.0", f"{name}:{old}-alone")
    assert alone.succeeded, alone.output
    wait_for_tag(world.stack, name, f"{old}-alone")
    owner = world.stack.api("catalog", world.owner)
    terms = {"tags": [f"{old}-*"], "keep_newest": 0}
    rule = owner.post("/api/v1/retention/rules", {"name": old, "namespace": world.private, "terms": terms})

    run = owner.post(f"/api/v1/retention/rules/{rule['id']}/runs", None, expect=202)

    wait_until(lambda: owner.get(f"/api/v1/retention/runs/{run['id']}")["finished_at"], what="the run is over")
    pulled = world.stack.skopeo(world.viewer).pull(f"{name}:1.0", tmp_path / "pulled")
    assert pulled.succeeded, pulled.output
    assert f"{old}-alone" not in find_tags(world.stack, "admin", name)
