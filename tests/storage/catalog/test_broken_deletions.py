"""What a deletion has left that broke off half-way: real registry 2.8, where a tag goes by a throw-away manifest."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import func, select
from werkzeug import Response

from services.catalog.clients.registry import RegistryClient
from services.catalog.domain import throwaway
from services.catalog.domain.deletions import TagPlace
from services.catalog.domain.errands import Errand
from services.catalog.metrics import measure_deletions
from services.catalog.storage.deletion_queries import find_tag
from services.catalog.storage.deletion_tables import begun_deletions
from services.catalog.storage.tables import tag_writes, tags
from services.catalog.usecases.browse_history import list_periods
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.delete_content import ContentDeleter
from services.catalog.usecases.finish_deletions import finish_deletions
from services.catalog.usecases.registry import RegistryUnavailable
from shared.api.paging import ListRequest, PageRequest
from shared.clock import utc_now
from shared.database import Database
from shared.oci.names import Digest, RepositoryName, Tag
from tests.storage.catalog.snapshots import EVERYTHING, shown_index
from tests.support.catalog_clients import new_client
from tests.support.images import Pusher
from tests.support.registry_proxy import RegistryProxy, refuses
from tests.support.serving import serving

APP = RepositoryName("team/app")


class Killed(BaseException):
    """The process has ended."""


@dataclass
class Mortal:
    """A registry's client whose process ends before or after one of its calls."""

    client: RegistryClient
    before: str = ""
    after: str = ""

    def __getattr__(self, name: str) -> object:
        call = getattr(self.client, name)
        if name not in (self.before, self.after):
            return call

        def dying(*arguments: object) -> object:
            if name == self.after:
                call(*arguments)
            raise Killed

        return dying


@pytest.fixture
def client(proxy: RegistryProxy) -> Iterator[RegistryClient]:
    with serving(proxy.app()) as url:
        yield new_client(url)


@pytest.fixture
def image(pusher: Pusher, crawler: RepositoryCrawler) -> Digest:
    """An image under two tags, which the index knows."""
    pushed = pusher.image(APP, "1.0")
    pusher.retag(APP, "1.0", "latest")
    crawler.crawl(APP)
    return Digest(pushed["digest"])


def place_of(database: Database, name: str) -> TagPlace:
    with database.read() as connection:
        number = connection.scalar(select(tags.c.id).where(tags.c.name == name))
        place = find_tag(connection, EVERYTHING, number or 0)
    assert place is not None
    return place


def later() -> datetime:
    return utc_now() + timedelta(minutes=5)


def break_off(database: Database, client: RegistryClient, *, before: str = "", after: str = "") -> None:
    deleter = ContentDeleter(database, Mortal(client, before, after), utc_now)  # type: ignore[arg-type]
    with pytest.raises(Killed):
        deleter.delete_tag("jane", place_of(database, "latest"))


def finish(database: Database, client: RegistryClient) -> int:
    return finish_deletions(registry=client, database=database, clock=later)


def begun(database: Database) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(begun_deletions)) or 0


def enders(database: Database) -> list[tuple[str | None, str | None]]:
    """Return how the time of the tag on its digest ended, and who is named for it."""
    asked = ListRequest(PageRequest(per_page=100))
    rows = list_periods(EVERYTHING, 1, Tag("latest"), asked, database=database).rows
    return [(one.end, one.ended_by) for one in rows]


def real(client: RegistryClient) -> dict[str, str]:
    return {tag: client.get_manifest(APP, tag).digest for tag in client.list_tags(APP).tags}


@pytest.mark.parametrize(
    "died", [{"before": "delete_manifest"}, {"after": "put_manifest"}, {"after": "delete_manifest"}], ids=str
)
def test_a_worker_finishes_it(died: dict[str, str], database: Database, client: RegistryClient, image: Digest) -> None:
    break_off(database, client, **died)
    assert shown_index(database) == {APP: {"1.0": image, "latest": image}}

    assert finish(database, client) == 1

    assert real(client) == {"1.0": image}
    assert shown_index(database) == {APP: {"1.0": image}}
    assert begun(database) == 0
    assert enders(database) == [("deleted", "jane")]


@pytest.mark.parametrize("died", [{"before": "put_blob"}, {"before": "put_manifest"}], ids=str)
def test_one_that_had_not_reached_the_tag_is_forgotten(
    died: dict[str, str], database: Database, client: RegistryClient, image: Digest
) -> None:
    break_off(database, client, **died)

    finish(database, client)

    everything = {"1.0": image, "latest": image}
    assert (real(client), shown_index(database), begun(database)) == (everything, {APP: everything}, 0)


def test_what_was_pushed_since_stays(database: Database, client: RegistryClient, pusher: Pusher, image: Digest) -> None:
    break_off(database, client, after="put_manifest")
    fresh = pusher.image(APP, "latest")

    finish(database, client)

    assert real(client) == {"1.0": image, "latest": fresh["digest"]}
    assert begun(database) == 0


def test_one_that_is_under_way_is_left_to_whoever_does_it(
    database: Database, client: RegistryClient, image: Digest
) -> None:
    break_off(database, client, after="put_manifest")

    assert finish_deletions(registry=client, database=database, clock=utc_now) == 0

    assert real(client)["latest"] == throwaway.DIGEST


def test_one_that_is_done_leaves_nothing_to_finish(database: Database, client: RegistryClient, image: Digest) -> None:
    ContentDeleter(database, client, utc_now).delete_tag("jane", place_of(database, "latest"))

    assert begun(database) == 0


def test_a_tag_that_was_put_back_stays(
    database: Database, client: RegistryClient, proxy: RegistryProxy, image: Digest
) -> None:
    proxy.refuse = refuses(500, "DELETE", throwaway.DIGEST)
    with pytest.raises(RegistryUnavailable):
        ContentDeleter(database, client, utc_now).delete_tag("jane", place_of(database, "latest"))

    assert begun(database) == 0
    assert real(client) == {"1.0": image, "latest": image}


def test_what_could_not_be_put_back_is_finished_when_the_registry_answers_again(
    database: Database, client: RegistryClient, proxy: RegistryProxy, image: Digest
) -> None:
    deleter = ContentDeleter(database, Falling(client, proxy), utc_now)  # type: ignore[arg-type]
    with pytest.raises(RegistryUnavailable):
        deleter.delete_tag("jane", place_of(database, "latest"))
    assert finish(database, client) == 0
    assert begun(database) == 1

    proxy.refuse = lambda request: None
    finish_deletions(registry=client, database=database, clock=lambda: later() + timedelta(minutes=5))

    assert (real(client), shown_index(database)) == ({"1.0": image}, {APP: {"1.0": image}})


class Falling:
    """A registry that answers nothing any more once the throw-away manifest is there."""

    def __init__(self, client: RegistryClient, proxy: RegistryProxy) -> None:
        self.client, self.proxy = client, proxy

    def __getattr__(self, name: str) -> object:
        return getattr(self.client, name)

    def delete_manifest(self, repository: RepositoryName, digest: Digest, errand: Errand) -> datetime:
        self.proxy.refuse = lambda request: Response("", 503)
        return self.client.delete_manifest(repository, digest, errand)


def test_two_workers_that_finish_it_at_the_same_time_delete_once(
    database: Database, client: RegistryClient, image: Digest
) -> None:
    break_off(database, client, after="put_manifest")
    start = Barrier(2)

    def work(_number: int) -> None:
        start.wait(10)
        finish(database, client)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))

    assert (real(client), shown_index(database), begun(database)) == ({"1.0": image}, {APP: {"1.0": image}}, 0)
    assert enders(database) == [("deleted", "jane")]
    with database.read() as connection:
        written = connection.scalars(select(tag_writes.c.kind).where(tag_writes.c.tag == "latest")).all()
    assert sorted(written) == ["deleted", "seen"]


def test_it_is_counted_for_whoever_watches(database: Database, client: RegistryClient, image: Digest) -> None:
    break_off(database, client, after="put_manifest")
    measure_deletions(database)
    assert REGISTRY.get_sample_value("portus_catalog_deletions_unfinished", {"index": "catalog"}) == 1

    finish(database, client)
    measure_deletions(database)

    assert REGISTRY.get_sample_value("portus_catalog_deletions_unfinished", {"index": "catalog"}) == 0
