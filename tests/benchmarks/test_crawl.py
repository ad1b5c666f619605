"""How long the first crawl of a registry takes beside a plain one, and what a round costs in which nothing has changed.

The plain crawl is that of the reference figures: eight threads, pages of 100 names, and of each tag a HEAD, the
manifest and the configuration (3 202 requests). It keeps nothing. Ours reads by way of the broker, as an
installation with one worker does, or with threads of its own, as ``python -m services.catalog crawl`` does.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from threading import Event, local
from typing import TypeVar

import pytest
import requests

from services.catalog.domain.rounds import CrawlKind, Rhythm
from services.catalog.usecases.crawl_plans import CrawlPlan
from services.catalog.usecases.crawl_registry import crawl_registry
from services.catalog.usecases.crawl_reports import CrawlReport
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from shared.clock import utc_now
from shared.config import Secret
from shared.database import Database
from shared.oci.media_types import ACCEPT_MANIFESTS
from tests.conftest import RegistryFactory
from tests.support.catalog import new_index
from tests.support.catalog_clients import new_client, new_fetcher
from tests.support.crawling import asking, working
from tests.support.images import Pusher
from tests.support.registry_proxy import RegistryProxy
from tests.support.serving import serving

REPOSITORIES, TAGS, THREADS = 200, 5, 8

own = local()
Result = TypeVar("Result")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = new_index(database_url)
    yield database
    database.dispose()


@pytest.fixture
def url(registry_factory: RegistryFactory) -> str:
    """A registry full of images, no two of them alike."""
    url = registry_factory().url
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda number: _fill(url, f"bench/app-{number:03}"), range(REPOSITORIES)))
    return url


@pytest.mark.benchmark
@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", ["by way of the broker", "with threads of its own"])
def test_crawls_of_a_registry(
    how: str, database: Database, broker_of_database: Secret, url: str, show_figures: Callable[[str], None]
) -> None:
    """Prints times and requests; asserts only that nothing was left out."""
    broker_url = broker_of_database if how == "by way of the broker" else None
    crawl = partial(_crawl, database, broker_url)
    _crawl_plainly(url)  # Nobody reads from a cold disk.
    plain_s, requests_sent = _timed(lambda: _crawl_plainly(url))
    first_s, first = crawl(url, CrawlPlan(CrawlKind.FIRST))
    light_s, _ = crawl(url, CrawlPlan(CrawlKind.ROUND, share=lambda _: 0))
    share_s, share = crawl(url, CrawlPlan(CrawlKind.ROUND, share=Rhythm().share))
    full_s, _ = crawl(url, CrawlPlan(CrawlKind.FULL))
    proxy = RegistryProxy(url)
    with serving(proxy.app()) as counted:
        _, light = crawl(counted, CrawlPlan(CrawlKind.ROUND, share=lambda _: 0))
    assert (first.tags, light.tags, light.drift) == (REPOSITORIES * TAGS, REPOSITORIES * TAGS, 0)

    show_figures(
        f"{REPOSITORIES} repositories of {TAGS} tags, {database.engine.dialect.name}, {THREADS} threads, {how}:"
        f" plain {plain_s:.1f} s ({requests_sent} requests), first crawl {first_s:.1f} s"
        f" (ratio {first_s / plain_s:.2f}); then, unchanged: round {light_s:.2f} s"
        f" ({len(proxy.seen)} requests), with its share of tags looked at {share_s:.2f} s"
        f" ({share.verified} repositories), all tags {full_s:.1f} s"
    )


def _fill(url: str, name: str) -> None:
    pusher = Pusher(url)
    for number in range(TAGS):
        pusher.image(name, f"v{number}", layer_bytes=(200,))


def _crawl(database: Database, broker_url: Secret | None, url: str, plan: CrawlPlan) -> tuple[float, CrawlReport]:
    client = new_client(url)
    with ExitStack() as stack:
        fetcher = stack.enter_context(closing(new_fetcher(client, database)))
        crawler = RepositoryCrawler(database, client, fetcher, utc_now, Event())
        if broker_url:
            plan = replace(plan, new_readers=stack.enter_context(asking(broker_url, database)))
            stack.enter_context(working(broker_url, [crawler], threads=THREADS))
        seconds, report = _timed(
            lambda: crawl_registry(crawler, holder="benchmark", database=database, clock=utc_now, plan=plan)
        )
    assert report is not None
    return seconds, report


def _crawl_plainly(url: str) -> int:
    names = list[str]()
    while len(names) < REPOSITORIES:
        names += _get(f"{url}/v2/_catalog?n=100&last={names[-1] if names else ''}").json()["repositories"]
    with ThreadPoolExecutor(THREADS) as pool:
        return REPOSITORIES // 100 + sum(pool.map(lambda name: _read_plainly(f"{url}/v2/{name}"), names))


def _read_plainly(repository: str) -> int:
    tags: Sequence[str] = _get(f"{repository}/tags/list").json()["tags"]
    for tag in tags:
        digest = _get(f"{repository}/manifests/{tag}", method="HEAD").headers["Docker-Content-Digest"]
        manifest = _get(f"{repository}/manifests/{digest}").json()
        assert _get(f"{repository}/blobs/{manifest['config']['digest']}").json()
    return 1 + 3 * len(tags)


def _get(url: str, *, method: str = "GET") -> requests.Response:
    if not hasattr(own, "session"):
        own.session = requests.Session()
        own.session.trust_env = False
    answer: requests.Response = own.session.request(method, url, headers={"Accept": ACCEPT_MANIFESTS}, timeout=20)
    answer.raise_for_status()
    return answer


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result
