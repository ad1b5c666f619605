"""What a query can mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain.search import Search, parse_search
from tests.support.catalog import digest_of

HOST = "registry.example.org:5000"
DIGEST = digest_of("a")


def parsed(query: str) -> Search:
    return parse_search(query, host=HOST)


@pytest.mark.parametrize(
    "query",
    [
        "team/app:1.0",
        f"{HOST}/team/app:1.0",
        "another.example.org/team/app:1.0",
        "localhost/team/app:1.0",
        f"docker pull {HOST}/team/app:1.0",
        f"docker://{HOST}/team/app:1.0",
        f"https://{HOST}/team/app:1.0",
        "  team/app:1.0 ",
    ],
)
def test_a_reference_is_understood_however_it_is_pasted(query: str) -> None:
    search = parsed(query)

    assert (search.repository, search.tag, search.digest) == ("team/app", "1.0", None)
    assert search.is_reference


def test_a_reference_by_digest_may_name_a_tag_too() -> None:
    search = parsed(f"{HOST}/team/app:1.0@{DIGEST}")

    assert (search.repository, search.tag, search.digest) == ("team/app", "1.0", DIGEST)


def test_a_digest_alone_is_no_repository() -> None:
    search = parsed(DIGEST)

    assert (search.repository, search.digest, search.digest_start) == (None, DIGEST, DIGEST)


@pytest.mark.parametrize(
    ("query", "start"),
    [
        ("sha256:0123ab", "sha256:0123ab"),
        ("0123ab", "sha256:0123ab"),
        ("sha512:0123ab", "sha512:0123ab"),
        ("0123a", None),
        ("0123AB", None),
        ("md5:0123ab", None),
        ("facade", "sha256:facade"),
    ],
)
def test_the_beginning_of_a_digest(query: str, start: str | None) -> None:
    assert parsed(query).digest_start == start


@pytest.mark.parametrize(
    ("query", "label"),
    [
        ("org.opencontainers.image.version=1.2", ("org.opencontainers.image.version", "1.2")),
        ("maintainer=", ("maintainer", "")),
        ("a=b=c", ("a", "b=c")),
        ("maintainer", ("maintainer", None)),
        ("=x", None),
    ],
)
def test_a_label(query: str, label: tuple[str, str | None] | None) -> None:
    assert parsed(query).label == label


@pytest.mark.parametrize("query", ["v1.0", "app", "top:1", "team/", "Team/App", "ü", "%", "a@b", ":", "@", "/"])
def test_anything_else_is_a_piece_of_text(query: str) -> None:
    assert parsed(query).text == query.strip()


@given(st.text(max_size=300))
def test_nothing_breaks_it(query: str) -> None:
    search = parsed(query)

    assert search.text in query
