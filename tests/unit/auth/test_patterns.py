"""Globs on repository names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.errors import Invalid
from services.auth.domain.patterns import (
    MAX_PATTERN_LENGTH,
    MAX_STARS,
    check_pattern,
    check_within,
    contains,
    covers_namespace,
    everything_in,
    matches,
    namespace_head,
)

_PATTERNS = st.text("ab/*", min_size=1, max_size=8)
_NAMESPACES = st.text("ab", max_size=3)
_RESTS = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3).map("/".join)


def name_in(namespace: str, rest: str) -> str:
    return f"{namespace}/{rest}" if namespace else rest.replace("/", "")


@given(_PATTERNS, st.text("ab/", max_size=10))
def test_a_pattern_matches_what_the_same_regular_expression_matches(pattern: str, name: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))

    assert matches(pattern, name) is (re.fullmatch(expression, name) is not None)


@given(_PATTERNS, _PATTERNS, st.text("ab/", max_size=10))
def test_a_pattern_that_contains_another_matches_all_that_the_other_does(wide: str, narrow: str, name: str) -> None:
    if contains(wide, narrow) and matches(narrow, name):
        assert matches(wide, name)


@pytest.mark.parametrize(
    ("wide", "narrow", "contained"),
    [
        ("*", "team/app-*", True),
        ("team/*", "team/app-*", True),
        ("team/*", "team/app", True),
        ("team/app-*", "team/*", False),
        ("*a*", "*", False),
        ("team/a", "team/a", True),
    ],
)
def test_which_patterns_contain_which(wide: str, narrow: str, contained: bool) -> None:
    assert contains(wide, narrow) is contained


@given(_NAMESPACES)
def test_everything_in_a_namespace_is_within_it_and_covers_it(namespace: str) -> None:
    check_within(everything_in(namespace), namespace)

    assert covers_namespace(everything_in(namespace), namespace)


@pytest.mark.parametrize(
    ("pattern", "namespace"), [("*", "ci"), ("ci-*", "ci"), ("ci", "ci"), ("ci/", "ci"), ("ci/A", "ci"), ("a/b", "")]
)
def test_a_pattern_within_a_namespace_spells_it_out(pattern: str, namespace: str) -> None:
    with pytest.raises(Invalid):
        check_within(pattern, namespace)


@given(_PATTERNS, _NAMESPACES, _RESTS)
def test_what_covers_a_namespace_matches_all_of_it(pattern: str, namespace: str, rest: str) -> None:
    if covers_namespace(pattern, namespace):
        assert matches(pattern, name_in(namespace, rest))


@given(_PATTERNS, _NAMESPACES, _RESTS)
def test_what_matches_is_within_the_pattern_s_head(pattern: str, namespace: str, rest: str) -> None:
    if matches(pattern, name_in(namespace, rest)):
        assert namespace_head(pattern).covers(namespace)


@pytest.mark.parametrize(
    ("pattern", "namespace", "covered"),
    [
        ("*", "", True),
        ("*", "team", True),
        ("ci-*", "ci-build", True),
        ("ci-*", "", False),
        ("team/*", "team", True),
        ("team/app-*", "team", False),
        ("team/app", "team", False),
        ("*/app", "team", False),
    ],
)
def test_which_patterns_cover_a_namespace(pattern: str, namespace: str, covered: bool) -> None:
    assert covers_namespace(pattern, namespace) is covered


@pytest.mark.parametrize("pattern", ["*", "ci-*", "team/app-*", "a__b/c.d", "**", "x" * MAX_PATTERN_LENGTH])
def test_a_pattern_that_will_do(pattern: str) -> None:
    check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["", "/a", "A", "a b", "a\0", "a?", "[a]", "x" * (MAX_PATTERN_LENGTH + 1), "a*" * (MAX_STARS + 1)]
)
def test_a_pattern_that_will_not_do(pattern: str) -> None:
    with pytest.raises(Invalid):
        check_pattern(pattern)
