"""Deleting over HTTP: who may, what is answered, and what a preview says."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug import Response
from werkzeug.test import TestResponse

from services.catalog.app import create_app
from services.catalog.settings import Settings
from shared.database import Database
from tests.conftest import RegistryFactory
from tests.support.catalog import digest_of, push
from tests.support.images import Descriptor, Pusher
from tests.support.registry import Registry
from tests.support.visibility import NOBODY, AuthAnswers

JANE = "Bearer jane"
REASON = "a viewer of the team may not: only owners of its team may delete from it"
Tell = Callable[..., None]


@pytest.fixture
def registry(registry_factory: RegistryFactory) -> Registry:
    return registry_factory()


@pytest.fixture
def client(registry: Registry, catalog_settings: Settings, index: Database) -> FlaskClient:
    return create_app(replace(catalog_settings, registry_url=registry.url), index).test_client()


@pytest.fixture
def image(registry: Registry, tell: Tell, auth: AuthAnswers) -> Descriptor:
    """An image under two tags, in a repository that Jane sees."""
    pusher = Pusher(registry.url)
    pushed = pusher.image("team/app", "1.0")
    pusher.retag("team/app", "1.0", "latest")
    tell(push("1.0", pushed["digest"], 1), push("latest", pushed["digest"], 2))
    auth.visibility[JANE] = {**NOBODY, "namespaces": ["team"]}
    return pushed


def send(client: FlaskClient, path: str, *, method: str = "DELETE", as_: str | None = JANE) -> TestResponse:
    headers = {"Authorization": as_} if as_ else {}
    return client.open(f"/api/v1{path}", method=method, headers=headers)


def tags(client: FlaskClient) -> dict[str, int]:
    (repository,) = send(client, "/repositories", method="GET").json  # type: ignore[misc]
    found: Any = send(client, f"/repositories/{repository['id']}/tags", method="GET").json
    return {tag["name"]: tag["id"] for tag in found}


def paths(client: FlaskClient, image: Descriptor) -> list[str]:
    (repository,) = send(client, "/repositories", method="GET").json  # type: ignore[misc]
    number = repository["id"]
    return [
        f"/tags/{tags(client)['1.0']}",
        f"/repositories/{number}/digests/{image['digest']}",
        f"/repositories/{number}",
    ]


def test_a_tag_goes_alone_and_the_answer_says_how(client: FlaskClient, image: Descriptor) -> None:
    number = tags(client)["latest"]

    answer = send(client, f"/tags/{number}")

    assert (answer.status_code, answer.data, answer.headers["X-Portus-Deletion"]) == (204, b"", "replacement")
    assert set(tags(client)) == {"1.0"}
    assert send(client, f"/tags/{number}").status_code == 404


def test_a_digest_goes_with_its_tags(client: FlaskClient, image: Descriptor) -> None:
    answer = send(client, paths(client, image)[1])

    assert (answer.status_code, answer.headers["X-Portus-Deletion"]) == (204, "digest")
    assert send(client, "/repositories", method="GET").json == []


def test_a_repository_goes_as_a_whole(client: FlaskClient, image: Descriptor) -> None:
    answer = send(client, paths(client, image)[2])

    assert (answer.status_code, answer.headers["X-Portus-Deletion"]) == (204, "repository")
    assert send(client, "/repositories", method="GET").json == []


def test_a_preview_says_what_would_go_and_deletes_nothing(client: FlaskClient, image: Descriptor) -> None:
    previews: list[Any] = [send(client, f"{path}?dry_run=true").json for path in paths(client, image)]

    assert previews[0] == {
        "repository": "team/app",
        "digest": image["digest"],
        "method": "replacement",
        "tags": ["1.0"],
        "tags_count": 1,
        "other_tags": ["latest"],
        "indexes": [],
        "referrers": [],
        "referrer_tags": [],
        "untagged": [],
        "freed_bytes": 0,
        "is_exact": True,
        "is_looked_through": True,
    }
    assert [(one["method"], one["tags"], one["tags_count"], one["digest"]) for one in previews[1:]] == [
        ("digest", ["1.0", "latest"], 2, image["digest"]),
        ("repository", ["1.0", "latest"], 2, None),
    ]
    assert set(tags(client)) == {"1.0", "latest"}


@pytest.mark.parametrize("part", range(3))
@pytest.mark.parametrize("query", ["", "?dry_run=true"])
class TestCallers:
    """Whether somebody may is asked of ``auth``, and a refusal carries its reason."""

    def test_who_may_not_are_told_why(
        self, part: int, query: str, client: FlaskClient, image: Descriptor, auth: AuthAnswers
    ) -> None:
        auth.permissions[JANE] = {"delete": REASON}

        answer = send(client, paths(client, image)[part] + query)

        assert (answer.status_code, (answer.json or {})["detail"]) == (403, REASON)
        assert answer.content_type == "application/problem+json"
        assert set(tags(client)) == {"1.0", "latest"}

    @pytest.mark.parametrize("as_", [None, "Bearer stranger"])
    def test_who_may_not_see_it_cannot_tell_it_from_what_is_missing(
        self, as_: str | None, part: int, query: str, client: FlaskClient, image: Descriptor, auth: AuthAnswers
    ) -> None:
        auth.visibility["Bearer stranger"] = NOBODY
        path = paths(client, image)[part]
        missing = path.replace(path.split("/")[2], "999999", 1)

        answers = [send(client, one + query, as_=as_) for one in (path, missing)]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].json | {"request_id": None} == answers[1].json | {"request_id": None}  # type: ignore[operator]
        assert "/internal/v1/permissions" not in {asked["path"] for asked in auth.asked}

    def test_nobody_may_while_auth_cannot_say(
        self, part: int, query: str, client: FlaskClient, image: Descriptor, auth: AuthAnswers
    ) -> None:
        path = paths(client, image)[part] + query
        auth.no_permissions = Response("{}", 200)

        answer = send(client, path)

        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        auth.no_permissions = None
        assert set(tags(client)) == {"1.0", "latest"}

    def test_wrong_credentials_are_told_so(self, part: int, query: str, client: FlaskClient, image: Descriptor) -> None:
        assert send(client, paths(client, image)[part] + query, as_="Bearer stolen").status_code == 401


def test_auth_is_asked_with_the_callers_own_header(client: FlaskClient, image: Descriptor, auth: AuthAnswers) -> None:
    send(client, paths(client, image)[0])

    asked = [one for one in auth.asked if one["path"] == "/internal/v1/permissions"]
    assert [(one["Authorization"], one["X-Forwarded-For"], one["body"]) for one in asked] == [
        (JANE, "127.0.0.1", '{"repository": "team/app", "actions": ["delete"]}')
    ]


def test_a_tag_that_has_moved_is_a_conflict(client: FlaskClient, image: Descriptor, registry: Registry) -> None:
    number = tags(client)["1.0"]
    Pusher(registry.url).image("team/app", "1.0")

    answer = send(client, f"/tags/{number}")

    assert (answer.status_code, answer.content_type) == (409, "application/problem+json")
    assert number in tags(client).values()


def test_a_digest_to_which_more_leads_than_is_known_is_a_conflict(
    client: FlaskClient, image: Descriptor, registry: Registry
) -> None:
    Pusher(registry.url).retag("team/app", "1.0", "unheard")

    answer = send(client, paths(client, image)[1])

    assert (answer.status_code, answer.content_type) == (409, "application/problem+json")
    assert "unheard" in (answer.json or {})["detail"]
    assert set(tags(client)) == {"1.0", "latest"}


def test_case_113_a_registry_that_deletes_nothing_is_named_and_the_tag_still_listed(
    catalog_settings: Settings, index: Database, image: Descriptor, registry_factory: RegistryFactory
) -> None:
    """Case 113 of the acceptance list."""
    registry = registry_factory({"storage": {"delete": {"enabled": False}}})
    client = create_app(replace(catalog_settings, registry_url=registry.url), index).test_client()

    answers = [send(client, path) for path in paths(client, image)[1:]]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert all("storage.delete.enabled" in (answer.json or {})["message"] for answer in answers)
    assert set(tags(client)) == {"1.0", "latest"}


def test_a_registry_that_is_away_is_503(client: FlaskClient, image: Descriptor, registry: Registry) -> None:
    registry.stop()

    answers = [send(client, path) for path in paths(client, image)]

    assert [answer.status_code for answer in answers] == [503] * 3
    assert set(tags(client)) == {"1.0", "latest"}


@pytest.mark.parametrize("digest", ["sha256:0", "latest", "%00", digest_of("missing"), "sha512:" + "0" * 128])
def test_a_manifest_that_is_not_there_is_not_found(digest: str, client: FlaskClient, image: Descriptor) -> None:
    path = paths(client, image)[2]

    assert send(client, f"{path}/digests/{digest}").status_code == 404


def send_tags(
    client: FlaskClient, chosen: dict[str, str], *, dry_run: bool = False, as_: str = JANE, **more: bool
) -> TestResponse:
    (repository,) = send(client, "/repositories", method="GET").json  # type: ignore[misc]
    body = {"tags": [{"name": name, "digest": digest} for name, digest in chosen.items()], "dry_run": dry_run, **more}
    path = f"/api/v1/repositories/{repository['id']}/tags/deletions"
    return client.post(path, json=body, headers={"Authorization": as_})


def test_several_tags_are_previewed_and_deleted_each_alone(
    client: FlaskClient, image: Descriptor, registry: Registry, tell: Tell
) -> None:
    other = Pusher(registry.url).image("team/app", "2.0")
    tell(push("2.0", other["digest"], 3))
    chosen = {"latest": image["digest"], "2.0": other["digest"], "gone": image["digest"], "1.0": other["digest"]}

    previewed: Any = send_tags(client, chosen, dry_run=True).json
    assert set(tags(client)) == {"1.0", "2.0", "latest"}
    deleted: Any = send_tags(client, chosen).json

    assert [(one["tag"], one["plan"] and one["plan"]["method"]) for one in previewed] == [
        ("latest", "replacement"),
        ("2.0", "digest"),
        ("gone", None),
        ("1.0", None),
    ]
    assert previewed[0]["plan"]["other_tags"] == ["1.0"]
    assert [(one["tag"], one["method"]) for one in deleted[:2]] == [("latest", "replacement"), ("2.0", "digest")]
    assert "no such tag" in deleted[2]["fault"]
    assert "points at something else" in deleted[3]["fault"]
    assert set(tags(client)) == {"1.0"}


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("way", ["tag", "digest", "several"])
def test_signatures_go_with_their_image_or_stay(
    client: FlaskClient, image: Descriptor, registry: Registry, tell: Tell, way: str, keep: bool
) -> None:
    pusher = Pusher(registry.url)
    signed = pusher.image("team/app", "signed")
    tag = signed["digest"].replace(":", "-") + ".sig"
    signature = pusher.artifact("team/app", tag)
    tell(push("signed", signed["digest"], 3), push(tag, signature["digest"], 4))
    (repository,) = send(client, "/repositories", method="GET").json  # type: ignore[misc]
    paths = {
        "tag": f"/tags/{tags(client)['signed']}",
        "digest": f"/repositories/{repository['id']}/digests/{signed['digest']}",
    }

    def act(dry_run: bool) -> Any:
        if way == "several":
            chosen = {"signed": signed["digest"]}
            (one,) = send_tags(client, chosen, dry_run=dry_run, with_referrers=not keep).json  # type: ignore[misc]
            return one["plan"]
        return send(client, f"{paths[way]}?dry_run={dry_run}&with_referrers={not keep}").json

    plan = act(True)
    act(False)

    assert [(one["digest"], one["tag"]) for one in plan["referrers"]] == [(signature["digest"], tag)]
    assert plan["referrer_tags"] == ([] if keep else [tag])
    assert set(tags(client)) == {"1.0", "latest"} | ({tag} if keep else set())


def test_who_may_not_delete_deletes_none_of_several(client: FlaskClient, image: Descriptor, auth: AuthAnswers) -> None:
    auth.permissions[JANE] = {"delete": REASON}

    assert send_tags(client, {"1.0": image["digest"]}).status_code == 403
    assert set(tags(client)) == {"1.0", "latest"}


@pytest.mark.parametrize(
    "chosen",
    [{}, {"no tag!": "sha256:" + "0" * 64}, {"1.0": "sha256:no"}, {f"v{n}": digest_of("x") for n in range(101)}],
)
def test_what_names_no_tags_is_refused(client: FlaskClient, image: Descriptor, chosen: dict[str, str]) -> None:
    assert send_tags(client, chosen).status_code == 422
