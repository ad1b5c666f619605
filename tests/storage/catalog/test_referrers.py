"""What is about a manifest, by whatever way clients say so, and what of it is no tag of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import count

import pytest

from services.catalog.storage.referrer_queries import REFERRERS, ReferrerRow, list_referrers
from services.catalog.usecases.apply_notifications import apply_notifications
from shared.api.paging import ListRequest
from shared.clock import utc_now
from shared.database import Database
from shared.oci.names import Digest
from tests.conftest import RegistryFactory
from tests.storage.catalog.snapshots import shown_repositories, shown_tags
from tests.support.catalog import delete, envelope_for, push
from tests.support.catalog_clients import new_client, new_fetcher
from tests.support.images import Descriptor, Pusher
from tests.support.walking import walk

APP, SIG = "team/app", "application/vnd.dev.cosign.artifact.sig.v1+json"
Tell = Callable[..., None]


@pytest.fixture
def url(registry_factory: RegistryFactory) -> str:
    return registry_factory().url


@pytest.fixture
def pusher(url: str) -> Pusher:
    return Pusher(url)


@pytest.fixture
def tell(url: str, database: Database) -> Iterator[Tell]:
    """A function that lets the index know of a push."""
    with ExitStack() as stack:
        fetcher, numbers = new_fetcher(new_client(url), database), count()
        stack.callback(fetcher.close)

        def apply(tag: str | None, pushed: Descriptor, repository: str = APP) -> None:
            told = push(tag, Digest(pushed["digest"]), next(numbers), repository=repository)
            apply_notifications(
                [envelope_for(told)], database=database, fetcher=fetcher, clock=utc_now, fetch_budget_s=60
            )

        yield apply


def made_of(pushed: Descriptor, suffix: str = "") -> str:
    return str(pushed["digest"]).replace(":", "-") + suffix


def referrers(database: Database, subject: Descriptor, *, artifact_type: str | None = None) -> list[ReferrerRow]:
    (repository,) = [row for row in shown_repositories(database) if row.full_name == APP]
    with database.read() as connection:
        digest = Digest(subject["digest"])
        asked = ListRequest(filters={"artifact_type": artifact_type} if artifact_type else {})
        return list(list_referrers(connection, repository.id, digest, asked).rows)


def test_what_is_about_a_manifest_is_walked_by_key(database: Database, pusher: Pusher, tell: Tell) -> None:
    """The same rows as by number, whichever way each is about it."""
    image = pusher.image(APP, "1.0")
    tell("1.0", image)
    for number in range(3):
        tell(None, pusher.artifact(APP, None, content=b"%d" % number, subject=image))
    tell(made_of(image, ".sig"), pusher.artifact(APP, None, content=b"signature"))
    numbered = referrers(database, image)

    with database.read() as connection:
        found = partial(list_referrers, connection, 1, Digest(image["digest"]))
        walked = list(walk(found, ListRequest(order=REFERRERS.order)))

    assert walked == numbered
    assert len(walked) == 4
    assert [row.tag for row in walked if row.tag] == [made_of(image, ".sig")]


def test_a_subject_makes_a_referrer(database: Database, pusher: Pusher, tell: Tell) -> None:
    image = pusher.image(APP, "1.0")
    signature = pusher.artifact(APP, None, artifact_type=SIG, subject=image)
    tell("1.0", image)
    tell(None, signature)

    (found,) = referrers(database, image)

    assert (found.digest, found.artifact_type, found.tag) == (signature["digest"], SIG, None)
    assert [(tag.name, tag.referrers) for tag in shown_tags(database, APP)] == [("1.0", 1)]


def test_the_fallback_tags_index_lists_referrers_and_is_no_tag(database: Database, pusher: Pusher, tell: Tell) -> None:
    image = pusher.image(APP, "1.0")
    by_subject = pusher.artifact(APP, None, artifact_type=SIG, subject=image)
    listed_only = pusher.artifact(APP, None, artifact_type="application/spdx+json", content=b"sbom")
    fallback = pusher.index(APP, made_of(image), [by_subject, listed_only])
    tell("1.0", image)
    tell(made_of(image), fallback)

    found = {row.digest: row.artifact_type for row in referrers(database, image)}

    assert found == {by_subject["digest"]: SIG, listed_only["digest"]: "application/spdx+json"}
    assert [(tag.name, tag.referrers) for tag in shown_tags(database, APP)] == [("1.0", 2)]
    assert shown_repositories(database)[0].tags_count == 1


@pytest.mark.parametrize("suffix", [".sig", ".att", ".sbom"])
def test_cosigns_tags_are_referrers_and_no_tags(suffix: str, database: Database, pusher: Pusher, tell: Tell) -> None:
    image, signature = pusher.image(APP, "1.0"), pusher.artifact(APP, None, content=suffix.encode())
    tell("1.0", image)
    tell(made_of(image, suffix), signature)

    (found,) = referrers(database, image)

    assert (found.digest, found.tag) == (signature["digest"], made_of(image, suffix))
    assert [tag.name for tag in shown_tags(database, APP)] == ["1.0"]
    assert [tag.name for tag in shown_tags(database, APP, folded=True)] == [made_of(image, suffix)]


def test_signatures_in_a_repository_of_their_own_are_tags(database: Database, pusher: Pusher, tell: Tell) -> None:
    image, signature = pusher.image(APP, "1.0"), pusher.artifact("team/signatures", None)
    tell("1.0", image)
    tell(made_of(image, ".sig"), signature, "team/signatures")

    assert [tag.name for tag in shown_tags(database, "team/signatures")] == [made_of(image, ".sig")]


def test_a_signature_whose_image_is_gone_is_a_tag_again(
    database: Database, pusher: Pusher, tell: Tell, url: str
) -> None:
    image, signature = pusher.image(APP, "1.0"), pusher.artifact(APP, None)
    tell("1.0", image)
    tell(made_of(image, ".sig"), signature)
    fetcher = new_fetcher(new_client(url), database)

    gone = envelope_for(delete(100, digest=Digest(image["digest"])))
    apply_notifications([gone], database=database, fetcher=fetcher, clock=utc_now)
    fetcher.close()

    assert [tag.name for tag in shown_tags(database, APP)] == [made_of(image, ".sig")]
    assert shown_repositories(database)[0].tags_count == 1


def test_what_was_deleted_or_lies_elsewhere_refers_to_nothing(
    database: Database, pusher: Pusher, tell: Tell, url: str
) -> None:
    image = pusher.image(APP, "1.0")
    here = pusher.artifact(APP, None, artifact_type=SIG, subject=image, content=b"here")
    elsewhere = pusher.artifact("team/other", "x", artifact_type=SIG, subject=image, content=b"elsewhere")
    tell("1.0", image)
    tell(None, here)
    tell("x", elsewhere, "team/other")
    assert [row.digest for row in referrers(database, image)] == [here["digest"]]

    fetcher = new_fetcher(new_client(url), database)
    gone = envelope_for(delete(100, digest=Digest(here["digest"])))
    apply_notifications([gone], database=database, fetcher=fetcher, clock=utc_now)
    fetcher.close()

    assert referrers(database, image) == []


def test_referrers_are_narrowed_by_their_type(database: Database, pusher: Pusher, tell: Tell) -> None:
    image = pusher.image(APP, "1.0")
    signature = pusher.artifact(APP, None, artifact_type=SIG, subject=image, content=b"signature")
    sbom = pusher.artifact(APP, None, artifact_type="application/spdx+json", subject=image, content=b"sbom")
    tell("1.0", image)
    tell(None, signature)
    tell(None, sbom)

    assert [row.digest for row in referrers(database, image, artifact_type=SIG)] == [signature["digest"]]
