"""What retention knows of the labels of a tag: those of all the images that it leads to, or that they are not known."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from werkzeug import Response

from services.catalog.domain.labels import MAX_LABELS
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from services.catalog.usecases.retention import RetentionDesk
from shared.clock import utc_now
from shared.database import Database
from shared.oci.media_types import OCI_INDEX
from shared.oci.names import RepositoryName
from shared.visibility.answers import Caller, Visibility
from tests.support.catalog import digest_of, envelope_for, push
from tests.support.images import Descriptor, Pusher, attestation, on
from tests.support.registry_proxy import RegistryProxy
from tests.support.statements import statements

APP = RepositoryName("team/app")
ROOT = Visibility(everything=True, caller=Caller("root", "person", administrator=True))
UNKNOWN = "its labels are not known yet"
EXCEPTED = "a label of it is excepted"
OTHERS = "the rule is not about images with these labels"
GOES = "not among the newest 0"

Judge = Callable[..., Mapping[str, str]]


@pytest.fixture
def judge(database: Database) -> Judge:
    """A function that returns the reason for each tag, as the preview says it."""
    desk = RetentionDesk(ROOT, lambda repository, actions: {}, database, utc_now, 1000)

    def judge(**terms: Any) -> Mapping[str, str]:
        shown = desk.preview(None, {"keep_newest": 0, **terms}).verdicts
        assert all(one.verdict.goes == (one.verdict.reason == GOES) for one in shown)
        return {one.verdict.tag: one.verdict.reason for one in shown}

    return judge


def image(pusher: Pusher, tag: str | None = None, *, architecture: str = "amd64", **labels: str) -> Descriptor:
    made = pusher.image(APP, tag, architecture=architecture, config={"Labels": labels})
    return on(made, "linux", architecture)


def annotated(pusher: Pusher, tag: str | None, children: list[Descriptor], **annotations: str) -> Descriptor:
    body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children, "annotations": annotations}
    return pusher.manifest(APP, tag, body)


def test_one_image_of_an_index_is_enough_to_protect_it(
    pusher: Pusher, crawler: RepositoryCrawler, judge: Judge
) -> None:
    pusher.index(APP, "some", [image(pusher, keep="1"), image(pusher, architecture="arm64")])
    pusher.index(APP, "none", [image(pusher, architecture="arm64", other="1"), image(pusher)])
    crawler.crawl(APP)

    assert judge(except_labels={"keep": None}) == {"some": EXCEPTED, "none": GOES}
    assert judge(except_labels={"keep": "2"}) == {"some": GOES, "none": GOES}


def test_a_rule_is_about_an_index_only_with_all_of_its_images(
    pusher: Pusher, crawler: RepositoryCrawler, judge: Judge
) -> None:
    pusher.index(APP, "all", [image(pusher, stage="test"), image(pusher, architecture="arm64", stage="test")])
    pusher.index(APP, "some", [image(pusher, stage="test"), image(pusher, architecture="arm64", stage="live")])
    pusher.index(APP, "either", [image(pusher, stage="test"), image(pusher, architecture="arm64", old="1")])
    crawler.crawl(APP)

    assert judge(labels={"stage": "test"}) == {"all": GOES, "some": OTHERS, "either": OTHERS}
    assert judge(labels={"stage": "test", "old": None}) == {"all": GOES, "some": OTHERS, "either": GOES}


def test_annotations_of_the_index_are_its_images_too(pusher: Pusher, crawler: RepositoryCrawler, judge: Judge) -> None:
    annotated(pusher, "multi", [image(pusher), image(pusher, architecture="arm64")], stage="test")
    crawler.crawl(APP)

    assert judge(labels={"stage": "test"}) == {"multi": GOES}
    assert judge(except_labels={"stage": "test"}) == {"multi": EXCEPTED}


def test_an_attestation_is_no_image_of_an_index(
    pusher: Pusher, crawler: RepositoryCrawler, proxy: RegistryProxy, judge: Judge
) -> None:
    """Neither what it says counts, nor whether it was read."""
    of, proof, unread = (image(pusher, stage="test"), image(pusher, keep="1"), image(pusher, architecture="arm64"))
    pusher.index(APP, "multi", [of, attestation(proof, of), attestation(unread, of)])
    proxy.refuse = lambda request: Response("no", 503) if unread["digest"] in request.path else None
    crawler.crawl(APP)

    assert judge(except_labels={"keep": None}) == {"multi": GOES}
    assert judge(labels={"stage": "test"}) == {"multi": GOES}


def test_an_index_in_an_index_counts_and_what_lies_deeper_is_not_known(
    pusher: Pusher, crawler: RepositoryCrawler, judge: Judge
) -> None:
    inner = annotated(pusher, None, [image(pusher, keep="1"), image(pusher, architecture="arm64")], stage="test")
    middle = pusher.index(APP, "middle", [inner])
    pusher.index(APP, "outer", [middle])
    crawler.crawl(APP)

    assert judge(except_labels={"keep": None}) == {"middle": EXCEPTED, "outer": UNKNOWN}
    assert judge(labels={"stage": "test"}) == {"middle": GOES, "outer": UNKNOWN}


def test_an_annotation_does_not_hide_the_label_of_the_same_name(
    pusher: Pusher, crawler: RepositoryCrawler, judge: Judge
) -> None:
    pusher.image(APP, "one", config={"Labels": {"keep": "yes"}}, annotations={"keep": "no"})
    crawler.crawl(APP)

    assert judge(except_labels={"keep": "yes"}) == judge(except_labels={"keep": "no"}) == {"one": EXCEPTED}


def test_what_was_only_heard_of_has_no_known_labels(
    database: Database, no_registry: ManifestFetcher, judge: Judge
) -> None:
    told = [envelope_for(push("heard", digest_of("heard"), 0))]
    apply_notifications(told, database=database, fetcher=no_registry, clock=utc_now)

    assert judge(except_labels={"keep": None}) == judge(labels={"keep": None}) == {"heard": UNKNOWN}
    assert judge() == {"heard": GOES}, "a rule that asks for no labels needs none"


@pytest.mark.parametrize("asked", ["labels", "except_labels"])
def test_what_could_not_be_read_has_no_known_labels(
    asked: str, pusher: Pusher, crawler: RepositoryCrawler, judge: Judge
) -> None:
    """A configuration that is missing in the registry, and a manifest that nobody understands."""
    broken = pusher.image(APP, "broken", config={"Labels": {"keep": "1"}})
    pusher.delete_blob(APP, pusher.read(APP, broken["digest"])["config"]["digest"])
    children = [{**image(pusher), "size": -1}]
    odd = pusher.manifest(APP, "odd", {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children})
    assert odd
    crawler.crawl(APP)

    assert judge(**{asked: {"keep": None}}) == {"broken": UNKNOWN, "odd": UNKNOWN}


def test_more_labels_than_are_kept_are_not_all_known(pusher: Pusher, crawler: RepositoryCrawler, judge: Judge) -> None:
    image(pusher, "many", **{f"label-{number}": "1" for number in range(MAX_LABELS)}, keep="1")
    image(pusher, "fewer", **{f"label-{number}": "1" for number in range(MAX_LABELS - 1)})
    crawler.crawl(APP)

    assert judge(except_labels={"keep": None}) == {"many": UNKNOWN, "fewer": GOES}


def test_artifacts_that_are_no_images_have_the_labels_that_they_have(
    pusher: Pusher, crawler: RepositoryCrawler, judge: Judge
) -> None:
    pusher.artifact(APP, "chart", config_type="application/vnd.cncf.helm.config.v1+json")
    pusher.artifact(APP, "plain")
    pusher.index(APP, "empty", [])
    crawler.crawl(APP)

    assert judge(except_labels={"keep": None}) == {"chart": GOES, "plain": GOES, "empty": GOES}
    assert judge(labels={"keep": None}) == {"chart": OTHERS, "plain": OTHERS, "empty": OTHERS}


def test_more_tags_are_not_more_questions(pusher: Pusher, crawler: RepositoryCrawler, judge: Judge) -> None:
    def asked() -> int:
        with statements() as seen:
            judge(except_labels={"keep": None})
        return len(seen)

    pusher.index(APP, "0", [image(pusher), image(pusher, architecture="arm64")])
    crawler.crawl(APP)
    of_one = asked()
    for number in range(1, 9):
        pusher.index(APP, str(number), [image(pusher), image(pusher, architecture="arm64")])
    crawler.crawl(APP)

    assert asked() == of_one
