"""How long the portal takes for its pages among a million tags in ten thousand repositories.

The services are real, in this process and over loopback; the index is on PostgreSQL, and nothing is cached but who is
looking. Beside each page stands how often it asked other services, and what it weighs.
"""

import gzip
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import RegistryFactory
from tests.pages.conftest import Browser, build_house
from tests.pages.world import PAGES, furnish
from tests.support.bulk_index import LARGE, LARGE_REGISTRY, MIDDLE, SMALL, fill
from tests.support.images import Pusher

ROUNDS = 30
AMONG_MANY = (
    "/repositories?q=app-77",
    "/repositories?namespace=bulk-3",
    f"/r/{SMALL}",
    f"/r/{MIDDLE}",
    f"/r/{LARGE}",
    f"/r/{LARGE}?q=v12",
    f"/r/{LARGE}/-/tags/latest",
    f"/r/{LARGE}/-/history",
    f"/r/{LARGE}/-/untagged",
    f"/r/{LARGE}/-/settings",
    f"/r/{LARGE}/-/comments",
    f"/r/{LARGE}/-/deletion",
    "/search?q=app-77",
    "/search?q=person-5",
)
"""Addresses beside those of every page, which lead where much is."""
ASSETS = ("/bootstrap.css", "/static/portus.css", "/static/portus.js", "/static/favicon.svg")


@pytest.mark.benchmark
@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_pages_among_a_million_tags(
    database_url: str, tmp_path: Path, registry_factory: RegistryFactory, show_figures: Callable[[str], None]
) -> None:
    """Prints the times, beside the page that asks nobody; asserts that a page weighs no more than it may."""
    with ExitStack() as stack:
        registry = registry_factory()
        house = build_house(tmp_path, stack, registry_url=registry.url, index_url=database_url)
        digest = furnish(house, Pusher(registry.url))
        fill(house.index, LARGE_REGISTRY)
        admin = house.sign_in("jane")
        assets = sum(_weight(admin.get(path).data) for path in ASSETS)
        lines = [
            f"portal, PostgreSQL, 1 000 713 tags in 10 000 repositories; kB are compressed, assets {assets / 1000:.0f}"
        ]
        for path in (*(page.format(digest=digest) for page in PAGES.values()), *AMONG_MANY):
            house.calls.asked.clear()
            weight = _weight(admin.read(path).encode())
            calls = len(house.calls.asked)
            p50, p95 = _times(admin, path)
            lines.append(
                f"  {_shortened(path):58} p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  {calls} calls  {weight / 1000:5.1f} kB"
            )
            assert weight < 30_000
            assert weight + assets < 150_000
        show_figures("\n".join(lines))


def _shortened(path: str) -> str:
    return re.sub(r"sha256:[0-9a-f]{64}", "sha256:…", path)


def _weight(body: bytes) -> int:
    return len(gzip.compress(body))


def _times(admin: Browser, path: str) -> tuple[float, float]:
    times_ms = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        admin.get(path)
        times_ms.append(1000 * (time.perf_counter() - started))
    times_ms.sort()
    return times_ms[len(times_ms) // 2], times_ms[int(0.95 * len(times_ms))]
