"""A PostgreSQL that is really stopped, or frozen, and comes back."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from werkzeug.test import TestResponse

from tests.support.auth import AuthService, access_of, auth_factory
from tests.support.postgresql import PostgresqlCluster, create_database
from tests.support.processes import descendants
from tests.support.waiting import wait_until

SCOPE = "repository:jane/web:pull,push"


@pytest.fixture
def cluster() -> Iterator[PostgresqlCluster]:
    with PostgresqlCluster.temporary() as cluster:
        yield cluster


@pytest.fixture
def auth(cluster: PostgresqlCluster, tmp_path: Path) -> Iterator[AuthService]:
    with ExitStack() as stack:
        auth = auth_factory(tmp_path, create_database(cluster.url), stack)()
        auth.make_user("root", administrator=True)
        auth.make_user("jane")
        assert auth.get_token(SCOPE, user="jane").status_code == 200
        yield auth


@contextmanager
def frozen(cluster: PostgresqlCluster) -> Iterator[None]:
    """Stop every process of a cluster: it takes connections and answers nothing."""
    pids = [cluster.pid, *(pid for pid, _line in descendants(cluster.pid))]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def assert_bridged(auth: AuthService) -> None:
    """Jane, who came a moment ago, gets her token; everybody else is told to come again."""
    known = auth.get_token(SCOPE, user="jane")
    assert access_of(known.get_json()["token"]) == [SCOPE]
    strangers = [auth.get_token(SCOPE, user="jane", password="wrong password"), auth.get_token(SCOPE)]
    assert [(one.status_code, one.headers["Retry-After"]) for one in strangers] == [(503, "5")] * 2


def assert_over(auth: AuthService) -> None:
    """Everybody gets tokens again, and the record says which were given meanwhile."""
    wait_until(lambda: auth.get_token(user="root").status_code == 200, what="the database is found again")
    auth.write_notes()
    rows = auth.call("GET", "/api/v1/decisions?repository=jane/web", user="root").get_json()
    assert {row["degraded"] for row in rows} == {False, True}


def test_a_database_that_was_stopped(auth: AuthService, cluster: PostgresqlCluster) -> None:
    cluster.stop()
    assert_bridged(auth)

    cluster.start()
    assert_over(auth)


def test_a_database_that_hangs(auth: AuthService, cluster: PostgresqlCluster) -> None:
    with frozen(cluster):
        assert_bridged(auth)
    assert_over(auth)


def test_a_database_that_hangs_holds_one_caller_at_a_time(auth: AuthService, cluster: PostgresqlCluster) -> None:
    """Whoever looks waits for seconds, and a process has eight threads: the others do not even try."""
    tried: list[object] = []

    def ask(_number: int) -> TestResponse:
        return auth.get_token(SCOPE, user="jane")

    def note(*arguments: object) -> None:
        tried.append(arguments)

    with frozen(cluster):
        ask(0)
        event.listen(Engine, "do_connect", note)
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(ask, range(30)))
        event.remove(Engine, "do_connect", note)

    assert {answer.status_code for answer in answers} == {200}
    # Each of the four may have come when it was time to look again.
    assert len(tried) <= 4
