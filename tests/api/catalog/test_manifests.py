"""``/api/v1/repositories/:id/manifests``: all that a manifest says, whatever it is."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.catalog.usecases.apply_notifications import apply_notifications
from shared.clock import utc_now
from shared.database import Database
from shared.oci.media_types import DOCKER_SCHEMA1_SIGNED, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from shared.oci.names import Digest
from tests.conftest import RegistryFactory
from tests.support.auth import assert_problem
from tests.support.catalog import digest_of, envelope_for, pull, push
from tests.support.catalog_clients import new_client, new_fetcher
from tests.support.images import Descriptor, Pusher, attestation, on
from tests.support.visibility import NOBODY, AuthAnswers

APP = "team/app"
Tell = Callable[..., None]


@pytest.fixture
def url(registry_factory: RegistryFactory) -> str:
    return registry_factory().url


@pytest.fixture
def pusher(url: str) -> Pusher:
    return Pusher(url)


@pytest.fixture
def learn(url: str, index: Database) -> Iterator[Tell]:
    """A function that lets the index know of a push by Jane, and fetch what was pushed."""
    with ExitStack() as stack:
        fetcher, numbers = new_fetcher(new_client(url), index), count()
        stack.callback(fetcher.close)

        def apply(tag: str | None, pushed: Descriptor, repository: str = APP) -> None:
            told = push(tag, Digest(pushed["digest"]), next(numbers), repository=repository, actor="jane")
            apply_notifications([envelope_for(told)], database=index, fetcher=fetcher, clock=utc_now, fetch_budget_s=60)

        yield apply


def show(client: FlaskClient, reference: str, part: str = "", *, as_: str = "Bearer administrator") -> Any:
    headers = {"Authorization": as_}
    (repository,) = client.get(
        f"/api/v1/repositories?name={APP}", headers={"Authorization": "Bearer administrator"}
    ).json  # type: ignore[misc]
    path = f"/api/v1/repositories/{repository['id']}/manifests/{reference}{part}"
    return client.get(path, headers=headers)


def test_an_image_says_all_of_itself(client: FlaskClient, pusher: Pusher, learn: Tell, tell: Tell) -> None:
    config = {"Env": ["A=b"], "Cmd": ["run"], "Labels": {"version": "1.0"}, "ExposedPorts": {"80/tcp": {}}}
    history: list[dict[str, Any]] = [
        {"created_by": "ADD a"},
        {"created_by": "ENV A=b", "empty_layer": True},
        {"created_by": "COPY b"},
    ]
    image = pusher.image(APP, "1.0", config=config, history=history, annotations={"note": "hello"})
    learn("1.0", image)
    tell(pull(Digest(image["digest"]), 5, tag="1.0"), pull(Digest(image["digest"]), 6))
    manifest = pusher.read(APP, "1.0")

    by_tag, by_digest = show(client, "1.0"), show(client, image["digest"])

    assert by_tag.json == by_digest.json
    shown = by_tag.json
    assert (shown["digest"], shown["media_type"], shown["artifact_type"]) == (image["digest"], OCI_MANIFEST, OCI_CONFIG)
    assert shown["platform"] == {"os": "linux", "architecture": "amd64", "variant": None, "os_version": None}
    assert (shown["tags"], shown["pushed_by"], shown["known"], shown["readable"]) == (["1.0"], "jane", True, True)
    assert (shown["annotations"], shown["config_digest"]) == ({"note": "hello"}, manifest["config"]["digest"])
    assert [(one["digest"], one["size_bytes"], one["created_by"]) for one in shown["layers"]] == [
        (layer["digest"], layer["size"], step)
        for layer, step in zip(manifest["layers"], ["ADD a", "COPY b"], strict=True)
    ]
    said = {name: shown["config"][name] for name in ("env", "cmd", "labels", "exposed_ports")}
    assert said == {"env": ["A=b"], "cmd": ["run"], "labels": {"version": "1.0"}, "exposed_ports": ["80/tcp"]}
    assert [step["has_layer"] for step in shown["config"]["history"]] == [True, False, True]
    assert (shown["pulls"], shown["pulled_at"]) == (2, "2026-11-23T12:00:06+00:00")


def test_an_index_lists_its_children_and_they_name_it(client: FlaskClient, pusher: Pusher, learn: Tell) -> None:
    image = pusher.image(APP, architecture="arm64", variant="v8")
    provenance = pusher.artifact(APP, None, config_type=OCI_CONFIG)
    children = [on(image, "linux", "arm64", variant="v8"), attestation(provenance, of=image)]
    learn("1.0", pusher.index(APP, "1.0", children))

    shown, child = show(client, "1.0").json, show(client, image["digest"]).json

    assert (shown["media_type"], shown["config"], shown["layers"]) == (OCI_INDEX, None, [])
    assert [(one["digest"], one["platform"], one["is_attestation"], one["attests"]) for one in shown["children"]] == [
        (image["digest"], {"os": "linux", "architecture": "arm64", "variant": "v8", "os_version": None}, False, None),
        (provenance["digest"], None, True, image["digest"]),
    ]
    assert sum(one["size_bytes"] for one in shown["children"]) == shown["size_bytes"]
    assert child["indexes"] == [{"digest": shown["digest"], "tags": ["1.0"]}]
    assert child["tags"] == []


def test_what_is_no_image_shows_its_document(client: FlaskClient, pusher: Pusher, learn: Tell) -> None:
    blob = pusher.blob(
        APP, json.dumps({"name": "web", "version": "0.1.0"}).encode(), "application/vnd.cncf.helm.config.v1+json"
    )
    chart = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": blob, "layers": []}
    learn("0.1.0", pusher.manifest(APP, "0.1.0", chart))

    shown = show(client, "0.1.0").json

    assert shown["document"] == {"name": "web", "version": "0.1.0"}
    assert (shown["config"], shown["artifact_type"]) == (None, "application/vnd.cncf.helm.config.v1+json")


def test_schema_1_is_shown_as_far_as_it_goes(client: FlaskClient, index: Database, learn: Tell, tell: Tell) -> None:
    tell(push("old", digest_of("schema1"), 1, media_type=DOCKER_SCHEMA1_SIGNED))

    shown = show(client, "old").json

    assert (shown["media_type"], shown["known"], shown["layers"]) == (DOCKER_SCHEMA1_SIGNED, False, [])


def test_an_unknown_type_is_kept_and_shown(client: FlaskClient, pusher: Pusher, learn: Tell) -> None:
    artifact = pusher.artifact(APP, "x", artifact_type="application/vnd.nobody.knows", config_type="application/x")
    learn("x", artifact)

    shown = show(client, "x").json

    assert (shown["artifact_type"], shown["config"], shown["document"]) == ("application/vnd.nobody.knows", None, None)
    assert [layer["media_type"] for layer in shown["layers"]] == ["text/plain"]


def test_what_is_about_a_manifest_is_listed(client: FlaskClient, pusher: Pusher, learn: Tell) -> None:
    image = pusher.image(APP, "1.0")
    sbom = pusher.artifact(APP, None, artifact_type="application/spdx+json", subject=image)
    signature = pusher.artifact(APP, None, content=b"signature")
    learn("1.0", image)
    learn(None, sbom)
    learn(image["digest"].replace(":", "-") + ".sig", signature)

    answer = show(client, image["digest"], "/referrers")

    assert {(one["digest"], one["kind"]) for one in answer.json} == {
        (sbom["digest"], "sbom"),
        (signature["digest"], "signature"),
    }
    assert answer.headers["X-Total"] == "2"
    narrowed = show(client, image["digest"], "/referrers?artifact_type=application/spdx%2Bjson")
    assert [one["pushed_by"] for one in narrowed.json] == ["jane"]
    assert show(client, "1.0").json["referrers"] == 2
    assert show(client, sbom["digest"]).json["subject"] == image["digest"]


@pytest.mark.parametrize("part", ["", "/referrers"])
def test_nobody_else_sees_it(part: str, client: FlaskClient, pusher: Pusher, learn: Tell, auth: AuthAnswers) -> None:
    image = pusher.image(APP, "1.0")
    learn("1.0", image)
    auth.visibility["Bearer stranger"] = NOBODY

    assert show(client, image["digest"], part, as_="Bearer stranger").status_code == 404
    assert show(client, image["digest"], part, as_="Bearer stolen").status_code == 401


@pytest.mark.parametrize("reference", ["missing", "sha256:0", "%00", digest_of("missing"), "x" * 129])
def test_what_is_not_there_is_not_found(reference: str, client: FlaskClient, pusher: Pusher, learn: Tell) -> None:
    learn("1.0", pusher.image(APP, "1.0"))

    assert show(client, reference).status_code == 404


def test_referrers_of_what_is_not_there_are_none(client: FlaskClient, pusher: Pusher, learn: Tell) -> None:
    """distribution-spec: a digest that nobody has has an empty list."""
    learn("1.0", pusher.image(APP, "1.0"))

    assert show(client, digest_of("missing"), "/referrers").json == []


def test_two_manifests_are_compared(client: FlaskClient, pusher: Pusher, learn: Tell) -> None:
    """Layers by digest, the configuration field by field, what has keys key by key."""
    settings = {"Entrypoint": ["/app"], "Env": ["PATH=/bin", "MODE=old"], "Labels": {"version": "1", "same": "x"}}
    first = pusher.image(APP, "1.0", config=settings, annotations={"built": "monday"})
    settings = {"Entrypoint": ["/app2"], "Env": ["PATH=/bin", "DEBUG=1"], "Labels": {"version": "2", "same": "x"}}
    second = pusher.image(APP, "2.0", config=settings, layer_bytes=(100,))
    learn("1.0", first)
    learn("2.0", second)

    found = show(client, "1.0", "/compare?with=2.0").get_json()

    assert (found["before"]["digest"], found["after"]["digest"]) == (first["digest"], second["digest"])
    assert [len(found[f"layers_{part}"]) for part in ("shared", "added", "removed")] == [0, 1, 2]
    assert found["config"] == [{"name": "entrypoint", "before": ["/app"], "after": ["/app2"]}]
    assert found["env"] == [
        {"name": "DEBUG", "before": None, "after": "1"},
        {"name": "MODE", "before": "old", "after": None},
    ]
    assert found["labels"] == [{"name": "version", "before": "1", "after": "2"}]
    assert found["annotations"] == [{"name": "built", "before": "monday", "after": None}]
    same = show(client, "1.0", f"/compare?with={first['digest']}").get_json()
    assert (len(same["layers_shared"]), same["layers_added"], same["config"]) == (2, [], [])


def test_two_indexes_are_compared_by_platform(client: FlaskClient, pusher: Pusher, learn: Tell) -> None:
    amd, arm, newer = (pusher.image(APP) for _ in range(3))
    old = [on(amd, "linux", "amd64"), on(arm, "linux", "arm64")]
    learn("1.0", pusher.index(APP, "1.0", old))
    learn("2.0", pusher.index(APP, "2.0", [on(amd, "linux", "amd64"), on(newer, "linux", "arm64")]))

    found = show(client, "1.0", "/compare?with=2.0").get_json()

    assert found["platforms"] == [{"platform": "linux/arm64", "before": arm["digest"], "after": newer["digest"]}]


def test_images_for_two_builds_of_windows_are_two_platforms(client: FlaskClient, pusher: Pusher, learn: Tell) -> None:
    old, new, newer = (pusher.image(APP) for _ in range(3))

    def windows(child: Descriptor, version: str) -> Descriptor:
        listed = on(child, "windows", "amd64")
        return listed | {"platform": listed["platform"] | {"os.version": version}}

    both = [windows(old, "10.0.17763.1"), windows(new, "10.0.20348.2")]
    learn("1.0", pusher.index(APP, "1.0", both))
    learn("2.0", pusher.index(APP, "2.0", [windows(old, "10.0.17763.1"), windows(newer, "10.0.20348.2")]))

    found = show(client, "1.0", "/compare?with=2.0").get_json()
    children = show(client, "1.0").get_json()["children"]

    changed = {"platform": "windows(10.0.20348.2)/amd64", "before": new["digest"], "after": newer["digest"]}
    assert found["platforms"] == [changed]
    assert [child["platform"]["os_version"] for child in children] == ["10.0.17763.1", "10.0.20348.2"]


def test_what_is_in_another_repository_is_compared_by_who_sees_both(
    client: FlaskClient, pusher: Pusher, learn: Tell, auth: AuthAnswers
) -> None:
    learn("1.0", pusher.image(APP, "1.0"))
    learn("1.0", pusher.image("other/app", "1.0"), repository="other/app")
    (other,) = client.get(
        "/api/v1/repositories?name=other/app", headers={"Authorization": "Bearer administrator"}
    ).get_json()
    auth.visibility["Bearer jane"] = {**NOBODY, "namespaces": ["team"]}
    question = f"/compare?with=1.0&repository_id={other['id']}"

    assert show(client, "1.0", question).get_json()["after"]["repository"] == "other/app"
    assert show(client, "1.0", question, as_="Bearer jane").status_code == 404
    assert show(client, "1.0", "/compare?with=3.0").status_code == 404
    assert show(client, "1.0", "/compare").status_code == 400


def test_the_bytes_are_those_of_the_registry_and_no_page(client: FlaskClient, pusher: Pusher, learn: Tell) -> None:
    evil = "<script>alert(1)</script>"
    pushed = pusher.image(APP, "1.0", annotations={"title": evil})
    learn("1.0", pushed)

    raw = show(client, "1.0", "/raw")
    config = show(client, "1.0", "/config")

    for answer, digest in ((raw, pushed["digest"]), (config, raw.get_json(force=True)["config"]["digest"])):
        assert f"sha256:{hashlib.sha256(answer.data).hexdigest()}" == digest == answer.headers["Docker-Content-Digest"]
        assert answer.mimetype == "application/octet-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert evil in raw.text


def test_bytes_that_have_not_come_yet_are_to_be_waited_for(client: FlaskClient, tell: Tell) -> None:
    tell(push("1.0", digest_of("a"), 1, repository=APP))

    for part in ("/raw", "/config", "/compare?with=1.0"):
        assert_problem(show(client, "1.0", part), 409, "not been read")


def test_what_no_tag_leads_to_is_listed(client: FlaskClient, pusher: Pusher, learn: Tell) -> None:
    amd, loose, overwritten = (pusher.image(APP) for _ in range(3))
    learn(None, loose)
    learn("1.0", overwritten)
    learn("1.0", pusher.index(APP, "1.0", [on(amd, "linux", "amd64")]))
    headers = {"Authorization": "Bearer administrator"}

    found = client.get("/api/v1/repositories/1/untagged?per_page=1", headers=headers)
    following = found.headers["Link"].partition("<")[2].partition(">")[0]
    rest = client.get(following, headers=headers)

    assert [row["digest"] for row in [*found.get_json(), *rest.get_json()]] == sorted(
        [loose["digest"], overwritten["digest"]]
    )
    assert found.get_json()[0]["pushed_by"] == "jane"
    assert "Link" not in rest.headers


def test_variables_that_look_secret_are_named(client: FlaskClient, pusher: Pusher, learn: Tell) -> None:
    env = ["PATH=/bin", "DB_PASSWORD=x", "PWD=/", "URL=https://jane:secret@example.org/", "EMPTY_TOKEN="]
    learn("1.0", pusher.image(APP, "1.0", config={"Env": env}))

    config = show(client, "1.0").get_json()["config"]

    assert (config["secret_env"], config["env"]) == (["DB_PASSWORD", "URL"], env)
