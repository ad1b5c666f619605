"""``/api/v1/statistics`` and ``/api/v1/repositories/:id/usage``: how much there is and happens, for whom."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from tests.support.auth import assert_problem
from tests.support.catalog import NOON, digest_of, push
from tests.support.visibility import NOBODY, AuthAnswers, subject

ADMINISTRATOR = {"Authorization": "Bearer administrator"}


def test_the_api_shows_it(client: FlaskClient, tell: Callable[..., None]) -> None:
    now = (datetime.now(UTC) - NOON) / timedelta(seconds=1)
    tell(push("1.0", digest_of("a"), now, actor="jane"))

    found = client.get("/api/v1/statistics?days=2", headers=ADMINISTRATOR).get_json()
    usage = client.get("/api/v1/repositories/1/usage", headers=ADMINISTRATOR).get_json()

    assert [day["pushes"] for day in found["days"]] == [0, 1]
    assert found["latest"][0]["pushed_by"] == "jane"
    own = client.get("/api/v1/repositories/1/statistics?days=2", headers=ADMINISTRATOR).get_json()
    assert [day["pushes"] for day in own["days"]] == [0, 1]
    assert usage == {"repository_id": 1, "tags": 1, "size_bytes": 0, "unique_bytes": 0, "is_exact": False}


def test_strangers_see_nothing_of_it(client: FlaskClient, tell: Callable[..., None], auth: AuthAnswers) -> None:
    auth.visibility["Bearer jane"] = {**NOBODY, "namespaces": ["jane"], "subject": subject("jane")}
    tell(push("1.0", digest_of("a"), 1))
    jane = {"Authorization": "Bearer jane"}

    assert client.get("/api/v1/statistics", headers=jane).get_json()["totals"]["repositories"] == 0
    assert_problem(client.get("/api/v1/repositories/1/usage", headers=jane), 404)
    assert_problem(client.get("/api/v1/repositories/1/statistics", headers=jane), 404)


@pytest.mark.parametrize("days", ["0", "367", "x"])
def test_so_many_days_are_not_shown(client: FlaskClient, days: str) -> None:
    assert_problem(client.get(f"/api/v1/statistics?days={days}", headers=ADMINISTRATOR), 422)
