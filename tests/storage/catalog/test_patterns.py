"""Repositories that are visible by a pattern: the filter of both databases is a plain glob."""

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from services.catalog.storage.tables import repositories
from shared.database import Database
from shared.oci.names import RepositoryName, split_namespace
from shared.visibility.answers import MAX_PATTERNS, RepositoryPattern, Visibility
from tests.storage.catalog.snapshots import shown_repositories
from tests.support.catalog import NOON
from tests.support.statements import statements

NAMES = [
    *("app", "ap", "a_b", "axb", "a.b", "team", "t"),
    *("team/app", "team/app-1", "team/app/deep", "team/a_b", "team/axb", "team/a", "team/ci-1", "team/ci-1/x"),
    *("t/team", "t/team/app", "other/app", "other/ci-1", "a/a/a", "a/a/aa", "a/aa/a"),
]
WORDS = st.sampled_from([*"ab*_%?[]\\!^-/.'\"", "team", "app", "ci-", "**", "team/", "A", "TEAM", "é"])
PATTERNS = st.lists(WORDS, max_size=6).map("".join) | st.sampled_from(NAMES)
NAMESPACES = st.sampled_from([None, "team", "t", "other", "a", "app", "%", "none"])
VISIBILITIES = st.builds(
    Visibility,
    global_namespace=st.booleans(),
    namespaces=st.lists(NAMESPACES.filter(bool), max_size=2).map(tuple),
    repositories=st.lists(st.builds(RepositoryPattern, NAMESPACES, PATTERNS), max_size=5).map(tuple),
)


@pytest.fixture
def filled(database: Database) -> Database:
    """An index with many names, each with a tag."""
    sums = {"tags_count": 1, "size_bytes": 0, "pulls": 0, "created_at": NOON, "updated_at": NOON}
    with database.write() as connection:
        for name in NAMES:
            namespace = split_namespace(RepositoryName(name)).namespace
            connection.execute(insert(repositories).values(full_name=name, namespace=namespace, **sums))
    return database


def fits(pattern: str, name: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None


def may_pull(visibility: Visibility, name: str) -> bool:
    namespace = split_namespace(RepositoryName(name)).namespace
    if visibility.global_namespace if namespace is None else namespace in visibility.namespaces:
        return True
    return any(one.namespace == namespace and fits(one.pattern, name) for one in visibility.repositories)


def seen(database: Database, visibility: Visibility) -> list[str]:
    return [row.full_name for row in shown_repositories(database, visibility)]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(visibility=VISIBILITIES)
@example(Visibility(repositories=(RepositoryPattern("team", "team/a_b"),)))
@example(Visibility(repositories=(RepositoryPattern("team", "team/a?b"),)))
@example(Visibility(repositories=(RepositoryPattern("team", "team/a[x]b"),)))
@example(Visibility(repositories=(RepositoryPattern("team", "%"), RepositoryPattern(None, "TEAM"))))
@example(Visibility(repositories=(RepositoryPattern("team", "team/\\*"), RepositoryPattern(None, "a\\_b"))))
@example(Visibility(repositories=(RepositoryPattern("t", "*"), RepositoryPattern(None, "*"))))
def test_the_filter_of_the_database_is_the_glob(filled: Database, visibility: Visibility) -> None:
    """What a list holds is what the rule says of each name, for any patterns, in the database's own order."""
    assert seen(filled, visibility) == sorted(name for name in NAMES if may_pull(visibility, name))


def test_a_pattern_holds_in_its_own_namespace_only(filled: Database) -> None:
    assert seen(filled, Visibility(repositories=(RepositoryPattern("team", "*/app*"),))) == [
        "team/app",
        "team/app-1",
        "team/app/deep",
    ]


def test_a_thousand_patterns_make_no_statement_longer(filled: Database) -> None:
    """They come as parameters, however many there are."""
    patterns = tuple(RepositoryPattern("team", f"team/none-{number}") for number in range(MAX_PATTERNS - 1))
    visibility = Visibility(repositories=(*patterns, RepositoryPattern("team", "team/ci-*")))

    with statements() as sent:
        assert seen(filled, visibility) == ["team/ci-1", "team/ci-1/x"]

    assert (len(sent), max(map(len, sent)) < 3000) == (2, True)
