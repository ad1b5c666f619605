"""What a rule lets go, and why."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain.retention import Candidate, Newest, Rule, judge
from services.catalog.domain.versions import version_key
from shared.oci.names import RepositoryName, Tag
from tests.support.catalog import digest_of, moment

DAY = timedelta(days=1)
NOW = moment(0)


def candidate(tag: str, age_d: float = 0, *, pulled_d: float | None = None, **labels: str) -> Candidate:
    pulled_at = None if pulled_d is None else NOW - pulled_d * DAY
    return Candidate(Tag(tag), digest_of(tag), NOW - age_d * DAY, pulled_at, [frozenset(labels.items())])


def gone(rule: Rule, *candidates: Candidate) -> list[str]:
    return [verdict.tag for verdict in judge(rule, candidates, now=NOW) if verdict.goes]


def why(rule: Rule, one: Candidate) -> str:
    return judge(rule, [one], now=NOW)[0].reason


AGES = [candidate("a", 40), candidate("b", 30), candidate("c", 20), candidate("d", 10)]


def test_the_newest_stay() -> None:
    assert gone(Rule(keep_newest=2), *AGES) == ["a", "b"]
    assert gone(Rule(keep_newest=0), *AGES) == ["a", "b", "c", "d"]
    assert gone(Rule(keep_newest=9), *AGES) == []


def test_what_is_younger_stays() -> None:
    assert gone(Rule(older_than=25 * DAY), *AGES) == ["a", "b"]
    assert why(Rule(older_than=25 * DAY), AGES[3]) == "it is younger than 25 days"


def test_everything_that_is_said_has_to_hold() -> None:
    rule = Rule(keep_newest=1, older_than=15 * DAY, unpulled_for=5 * DAY)
    pulled = candidate("e", 50, pulled_d=1)

    assert gone(rule, *AGES, pulled) == ["a", "b", "c"]
    assert why(Rule(older_than=DAY, unpulled_for=5 * DAY), pulled) == "it was pulled within 5 days"
    assert why(rule, candidate("e", 50)) == "it is number 1 of the newest 1"
    old = candidate("e", 50, pulled_d=20)
    assert why(Rule(keep_newest=0, older_than=DAY, unpulled_for=DAY), old) == (
        "not among the newest 0, 50 days old, not pulled for 20 days"
    )


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"tags": ["ci-*"]}, ["ci-1"]),
        ({"tags": ["ci-*", "1.*"]}, ["1.0", "ci-1"]),
        ({"except_tags": ["ci-*"]}, ["1.0", "latest"]),
        ({"tag_pattern": r"\d$"}, ["1.0", "ci-1"]),
        ({"labels": {"stage": "test"}}, ["ci-1"]),
        ({"labels": {"stage": None}}, ["1.0", "ci-1"]),
        ({"except_labels": {"stage": "test"}}, ["1.0", "latest"]),
        ({"labels": {"other": None}}, []),
    ],
)
def test_what_a_rule_is_about(wanted: dict[str, Any], names: list[str]) -> None:
    tags = [candidate("ci-1", 1, stage="test"), candidate("1.0", 1, stage="live"), candidate("latest", 1)]

    assert gone(Rule(keep_newest=0, **wanted), *tags) == names


@pytest.mark.parametrize(
    ("images", "selected", "excepted"),
    [
        ([{"stage": "test"}, {"stage": "test"}], True, True),
        ([{"stage": "test"}, {"stage": "live"}], False, True),
        ([{"stage": "test"}, {}], False, True),
        ([{"stage": "live"}, {}], False, False),
        ([{}], False, False),
    ],
)
def test_all_images_of_an_index_select_it_and_any_excepts_it(
    images: list[dict[str, str]], selected: bool, excepted: bool
) -> None:
    one = replace(candidate("multi"), images=[frozenset(image.items()) for image in images])

    assert bool(gone(Rule(keep_newest=0, labels={"stage": "test"}), one)) == selected
    assert bool(gone(Rule(keep_newest=0, except_labels={"stage": "test"}), one)) != excepted


def test_what_is_not_known_stays_and_is_none_of_the_newest() -> None:
    tags = [candidate("a", 3), candidate("b", 2), replace(candidate("c", 1), images=None)]

    for rule in (Rule(keep_newest=0, labels={"stage": None}), Rule(keep_newest=0, except_labels={"stage": None})):
        assert why(rule, tags[2]) == "its labels are not known yet"
    assert gone(Rule(keep_newest=1, except_labels={"stage": None}), *tags) == ["a"]
    assert gone(Rule(keep_newest=1), *tags) == ["a", "b"]


def test_only_what_a_rule_is_about_is_counted() -> None:
    tags = [candidate("ci-1", 3), candidate("ci-2", 2), candidate("1.0", 1)]

    assert gone(Rule(keep_newest=1, tags=["ci-*"]), *tags) == ["ci-1"]


def test_the_newest_may_be_the_highest_versions() -> None:
    names = ["1.10.0", "1.9.0", "v2.0.0-rc.2", "v2.0.0-rc.10", "2.0", "latest", "1.10.0-alpine"]
    ordered = ["latest", "1.9.0", "1.10.0-alpine", "1.10.0", "v2.0.0-rc.2", "v2.0.0-rc.10", "2.0"]

    assert sorted(names, key=version_key) == ordered
    tags = [candidate(name, number) for number, name in enumerate(names)]
    assert gone(Rule(keep_newest=2, newest=Newest.VERSION), *tags) == sorted(ordered[:-2])


def test_a_repository_is_covered_by_its_name() -> None:
    rule = Rule(repositories=["team/*", "top"])

    assert rule.covers(RepositoryName("team/a/b"))
    assert not rule.covers(RepositoryName("teams/a"))
    assert not rule.covers(RepositoryName("topper"))


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_tags_can_be_ordered(one: str, other: str) -> None:
    assert (version_key(one) < version_key(other)) + (version_key(other) < version_key(one)) == (one != other)


@given(
    st.lists(st.tuples(st.text("abc1.", min_size=1, max_size=4), st.integers(0, 90)), unique_by=lambda pair: pair[0]),
    st.integers(0, 5),
    st.integers(0, 60),
)
def test_what_goes_is_old_and_enough_stays(ages: list[tuple[str, int]], keep: int, days: int) -> None:
    tags = [candidate(name, age) for name, age in ages]

    left = {verdict.tag for verdict in judge(Rule(keep_newest=keep, older_than=days * DAY), tags, now=NOW)}
    went = gone(Rule(keep_newest=keep, older_than=days * DAY), *tags)

    assert left == {name for name, _ in ages}
    assert len(went) <= max(0, len(tags) - keep)
    assert all(age >= days for name, age in ages if name in went)
