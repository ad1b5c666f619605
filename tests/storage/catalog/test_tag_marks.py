"""What is worth a mark beside a tag, and for which platforms there are images."""

from threading import Event

import pytest

from services.catalog.storage.immutability import insert_rule
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from shared.clock import utc_now
from shared.database import Database
from shared.oci.names import RepositoryName
from tests.conftest import RegistryFactory
from tests.storage.catalog.snapshots import shown_tags
from tests.support.catalog_clients import new_client, new_fetcher
from tests.support.images import Pusher, on

APP = "team/app"


@pytest.fixture
def stocked(database: Database, registry_factory: RegistryFactory) -> Database:
    """An index of a real registry's images: two platforms, an index of both, and what is about one of them."""
    url = registry_factory().url
    pusher, client = Pusher(url), new_client(url)
    amd = pusher.image(APP, "amd")
    arm = pusher.image(APP, "arm", architecture="arm64", variant="v8")
    pusher.index(APP, "both", [on(amd, "linux", "amd64"), on(arm, "linux", "arm64")])
    made_of = str(amd["digest"]).replace(":", "-")
    pusher.artifact(APP, f"{made_of}.sig")
    pusher.artifact(APP, f"{made_of}.sbom")
    fetcher = new_fetcher(client, database)
    RepositoryCrawler(database, client, fetcher, utc_now, Event()).crawl(RepositoryName(APP))
    fetcher.close()
    return database


@pytest.mark.parametrize(
    ("platform", "found"),
    [
        ("linux/amd64", {"amd", "both"}),
        ("linux/arm64", {"arm", "both"}),
        ("linux/arm64/v8", {"arm"}),
        ("linux", {"amd", "arm", "both"}),
        ("windows/amd64", set()),
        ("//", {"amd", "arm", "both"}),
    ],
)
def test_tags_are_narrowed_by_platform(stocked: Database, platform: str, found: set[str]) -> None:
    assert {tag.name for tag in shown_tags(stocked, APP, platform=platform)} == found


def test_what_is_about_an_image_is_told_by_its_kinds(stocked: Database) -> None:
    kinds = {tag.name: list(tag.referrer_kinds) for tag in shown_tags(stocked, APP)}

    assert kinds == {"amd": ["sbom", "signature"], "arm": [], "both": []}


def test_a_tag_that_must_not_move_says_so(stocked: Database) -> None:
    now = utc_now()
    rule = {"namespace": None, "repositories": ["*"], "tags": ["a*"], "restores": False, "created_by": "jane"}
    with stocked.write() as connection:
        insert_rule(connection, {**rule, "created_at": now, "updated_at": now})

    assert {tag.name: tag.immutable for tag in shown_tags(stocked, APP)} == {"amd": True, "arm": True, "both": False}
