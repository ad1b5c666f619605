"""How long a page of tags and a search take among a million tags, beside the smallest repository's page.

On PostgreSQL, through the API without a network, as somebody who sees everything and as somebody who sees
a hundred namespaces of five hundred.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from services.catalog.app import create_app
from services.catalog.settings import Settings
from shared.config import Secret
from shared.database import Database
from tests.api.catalog.conftest import auth, auth_url, catalog_settings  # noqa: F401
from tests.support.bulk_index import LARGE, LARGE_REGISTRY, MIDDLE, SMALL, fill
from tests.support.catalog import new_index
from tests.support.visibility import NOBODY, AuthAnswers, subject

ROUNDS = 40
QUERIES = ("app-77", "bulk-3/app-3:v1", "v12", "latest", "person-5", "maintainer", "maintainer=person-77", "a")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = new_index(database_url)
    fill(database, LARGE_REGISTRY)
    yield database
    database.dispose()


@pytest.mark.benchmark
@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_pages_and_searches_among_a_million_tags(
    database: Database,
    database_url: str,
    catalog_settings: Settings,  # noqa: F811
    auth: AuthAnswers,  # noqa: F811
    show_figures: Callable[[str], None],
) -> None:
    """Prints the times; asserts only that something is found."""
    few = [f"bulk-{number}" for number in range(100)]
    auth.visibility["Bearer jane"] = {**NOBODY, "namespaces": few, "subject": subject("jane")}
    client = create_app(replace(catalog_settings, database_url=Secret(database_url)), database).test_client()
    lines = ["PostgreSQL, 1 000 713 tags in 10 000 repositories"]
    for caller in ("administrator", "jane"):
        lines += [f"  {caller}"]
        for name in (SMALL, MIDDLE, LARGE):
            lines.append(_line(f"tag page of {name}", _tag_page(client, name, caller)))
        for query in QUERIES:
            lines.append(_line(f"search {query!r}", _search(client, query, caller)))
    show_figures("\n".join(lines))


def _tag_page(client: FlaskClient, name: str, caller: str) -> Callable[[], None]:
    (repository,) = _get(client, "repositories", caller, name=name)
    by_key = {"by_key": "true", "per_page": "50"}

    def page() -> None:
        assert len(_get(client, f"repositories/{repository['id']}/tags", caller, **by_key)) >= 10

    return page


def _search(client: FlaskClient, query: str, caller: str) -> Callable[[], None]:
    def look() -> None:
        found = _get(client, "search", caller, q=query)
        assert any(found[kind] for kind in ("repositories", "tags", "labels", "people")), found

    return look


def _get(client: FlaskClient, path: str, caller: str, **query: str):  # type: ignore[no-untyped-def]
    answer = client.get(f"/api/v1/{path}", query_string=query, headers={"Authorization": f"Bearer {caller}"})
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def _line(what: str, work: Callable[[], None]) -> str:
    times_ms = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times_ms.append(1000 * (time.perf_counter() - started))
    times_ms.sort()
    p95 = times_ms[int(0.95 * len(times_ms))]
    return f"    {what:36} p50 {times_ms[len(times_ms) // 2]:6.1f} ms  p95 {p95:6.1f} ms"
