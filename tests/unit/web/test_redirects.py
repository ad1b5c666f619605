"""Where a form may lead: nowhere but to this host."""

import pytest

from services.web.pages.redirects import MAX_NEXT_LENGTH, local_path


@pytest.mark.parametrize("path", ["/", "/r/team/app", "/repositories?q=a%20b&page=2", "/r/a//b", "/é"])
def test_path_of_our_own_is_taken(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "repositories",
        "//evil.test",
        "///evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/a\\b",
        "https://evil.test",
        "https:evil.test",
        "javascript:alert(1)",
        "/\t/evil.test",
        "/\n/evil.test",
        "\t//evil.test",
        " //evil.test",
        "/r/a b",
        "/r/\x00",
        "/r/a\r\nSet-Cookie: x=1",
        "/" + "a" * MAX_NEXT_LENGTH,
    ],
)
def test_anything_else_is_not(value: str | None) -> None:
    assert local_path(value) is None
