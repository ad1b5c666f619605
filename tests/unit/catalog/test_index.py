"""What occurrences make of a repository, in whatever order they arrive."""

from collections.abc import Sequence
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain.index import RepositoryState, apply_all, apply_occurrence, observe_tag
from services.catalog.domain.occurrences import Occurrence
from shared.oci.names import Digest, Tag
from tests.support.catalog import delete, digest_of, moment, own, pull, push
from tests.support.model_registry import REPOSITORIES, ModelRegistry, deliver, registries

OLD, NEW = digest_of("old"), digest_of("new")
T = Tag("1.0")


def after(*occurrences: Occurrence) -> RepositoryState:
    return apply_all(RepositoryState(), occurrences).state


def shown(state: RepositoryState) -> dict[str, Digest | None]:
    return {tag: known.digest for tag, known in state.tags.items() if known.present}


ENDS = [
    pytest.param([push("1.0", OLD, 1), push("1.0", NEW, 2)], {"1.0": NEW}, id="the later push wins"),
    pytest.param([push("1.0", OLD, 1), push("latest", OLD, 2)], {"1.0": OLD, "latest": OLD}, id="two tags"),
    pytest.param([push("1.0", OLD, 1), delete(2, tag="1.0")], {}, id="deleted by tag"),
    pytest.param([push("1.0", OLD, 1), delete(2, digest=OLD)], {}, id="deleted by digest"),
    pytest.param(
        [push("1.0", OLD, 1), push("latest", OLD, 2), delete(3, digest=OLD)], {}, id="a digest takes all its tags"
    ),
    pytest.param(
        [push("1.0", OLD, 1), push("latest", OLD, 2), delete(3, tag="1.0")],
        {"latest": OLD},
        id="a tag alone goes alone",
    ),
    pytest.param(
        [push("1.0", OLD, 1), push("1.0", NEW, 2), delete(3, digest=OLD)],
        {"1.0": NEW},
        id="a tag that moved in time stays",
    ),
    pytest.param(
        [push("1.0", OLD, 1), delete(2, digest=OLD), push("1.0", OLD, 3)], {"1.0": OLD}, id="pushed again afterwards"
    ),
    pytest.param(
        [push("1.0", OLD, 1), delete(2, tag="1.0"), push("1.0", NEW, 3)], {"1.0": NEW}, id="tagged again afterwards"
    ),
    pytest.param(
        [push("1.0", OLD, 1), delete(2, digest=OLD), delete(2.1, tag="1.0")], {}, id="2.8 tells both of a deletion"
    ),
    pytest.param([push(None, OLD, 1), push(None, NEW, 2)], {}, id="children are no tags"),
    pytest.param([push("1.0", NEW, 1), own(1, push("1.0", OLD, 2))], {"1.0": OLD}, id="we put something back"),
    pytest.param(
        [own(1, push("1.0", OLD, 1)), push("1.0", NEW, 2), own(1, push("1.0", OLD, 3))],
        {"1.0": OLD},
        id="what we did is told twice, and happened when the registry says",
    ),
    pytest.param(
        [push("1.0", OLD, 1), own(1, delete(2, digest=OLD)), push("1.0", OLD, 3), own(1, delete(4, digest=OLD))],
        {},
        id="what we deleted is told twice, too",
    ),
    pytest.param(
        [push("1.0", OLD, 1), push("1.0", NEW, 2), push("1.0", OLD, 3, actor="portus")],
        {"1.0": OLD},
        id="our account pushed, for whomever",
    ),
]


@pytest.mark.parametrize(("occurrences", "tags"), ENDS)
def test_every_order_of_arrival_ends_in_the_same_tags(
    occurrences: Sequence[Occurrence], tags: dict[str, Digest]
) -> None:
    for order in permutations(occurrences):
        assert shown(after(*order)) == tags


@pytest.mark.parametrize(("occurrences", "tags"), ENDS)
def test_duplicates_change_no_tag(occurrences: Sequence[Occurrence], tags: dict[str, Digest]) -> None:
    assert shown(after(*occurrences, *reversed(occurrences), *occurrences)) == tags


def test_two_events_of_the_same_moment_are_ordered_by_their_ids() -> None:
    first, second = push("1.0", OLD, 1, id="a"), push("1.0", NEW, 1, id="b")

    assert after(first, second) == after(second, first)
    assert shown(after(second, first)) == {"1.0": NEW}


def test_a_push_says_who_and_when() -> None:
    state = after(push("1.0", OLD, 5, actor="jane"))

    assert (state.tags[T].pushed_at, state.tags[T].pushed_by) == (moment(5), "jane")


def test_a_repeated_push_of_the_same_digest_is_no_change_but_renews_who_and_when() -> None:
    before = after(push("1.0", OLD, 1, actor="jane"))

    outcome = apply_occurrence(before, push("1.0", OLD, 2, actor="joe"))

    assert outcome.changes == ()
    assert outcome.state.tags[T].pushed_by == "joe"


def test_what_our_account_pushed_names_nobody() -> None:
    state = after(push("1.0", OLD, 1, actor="jane"), push("1.0", NEW, 2, actor="portus"))

    assert (state.tags[T].digest, state.tags[T].pushed_at, state.tags[T].pushed_by) == (NEW, None, None)
    assert state.manifests[NEW].pushed_by is None


@pytest.mark.parametrize("bare", [push("1.0", OLD, 1, actor="portus"), own(7, push("1.0", OLD, 3), actor=None)])
def test_it_keeps_the_name_of_whoever_pushed_the_same(bare: Occurrence) -> None:
    named = push("1.0", OLD, 2, actor="jane")

    for order in ([named, bare], [bare, named]):
        assert after(*order).tags[T].pushed_by == "jane"
    later = after(named, bare, push("1.0", NEW, 2.5, actor="joe"))
    assert shown(later) == {"1.0": OLD if bare.stamp.time > moment(2.5) else NEW}


def test_an_overwrite_is_told_with_the_digest_it_replaces() -> None:
    (change,) = apply_occurrence(after(push("1.0", OLD, 1)), push("1.0", NEW, 2)).changes

    assert (change.digest, change.previous_digest) == (NEW, OLD)


def test_a_push_that_comes_late_is_not_told() -> None:
    assert apply_occurrence(after(push("1.0", NEW, 2)), push("1.0", OLD, 1)).changes == ()


def test_a_deleted_digest_is_told_once_for_each_of_its_tags() -> None:
    before = after(push("1.0", OLD, 1), push("latest", OLD, 2))

    outcome = apply_all(before, [delete(3, digest=OLD), delete(3.1, tag="1.0"), delete(3.2, tag="latest")])

    assert {(change.tag, change.digest, change.previous_digest) for change in outcome.changes} == {
        ("1.0", None, OLD),
        ("latest", None, OLD),
    }


def test_the_deletion_of_a_blob_changes_nothing_that_is_shown() -> None:
    state = after(push("1.0", OLD, 1), delete(2, digest=digest_of("blob")))

    assert shown(state) == {"1.0": OLD}


def test_a_head_by_tag_and_a_get_by_digest_are_one_check_and_one_pull() -> None:
    state = after(push("1.0", OLD, 1), pull(OLD, 2, tag="1.0", method="HEAD"), pull(OLD, 3))

    assert {key: (count.pulls, count.checks) for key, count in state.pulls.items()} == {
        ("1.0", OLD): (0, 1),
        ("", OLD): (1, 0),
    }


def test_the_last_pull_is_the_latest_and_not_the_last_to_arrive() -> None:
    state = after(pull(OLD, 9, tag="1.0"), pull(OLD, 4, tag="1.0"))

    assert (state.pulls["1.0", OLD].pulls, state.pulls["1.0", OLD].pulled_at) == (2, moment(9))


class TestCrawl:
    """A crawl's reading among events."""

    def test_an_unknown_tag_is_taken_over_without_a_pusher(self) -> None:
        state = observe_tag(RepositoryState(), T, OLD, moment(5))

        assert shown(state) == {"1.0": OLD}
        assert (state.tags[T].pushed_at, state.tags[T].pushed_by) == (None, None)

    @pytest.mark.parametrize(
        "event",
        [
            pytest.param(push("1.0", NEW, 5), id="pushed at the same moment"),
            pytest.param(push("1.0", NEW, 6), id="pushed later"),
            pytest.param(delete(6, tag="1.0"), id="tag deleted later"),
            pytest.param(delete(6, digest=OLD), id="digest deleted later"),
        ],
    )
    def test_a_newer_event_wins_whichever_comes_first(self, event: Occurrence) -> None:
        read_first = apply_occurrence(observe_tag(RepositoryState(), T, OLD, moment(5)), event).state
        told_first = observe_tag(after(event), T, OLD, moment(5))

        assert shown(read_first) == shown(told_first) == shown(after(event))

    @pytest.mark.parametrize("event", [push("1.0", NEW, 4), delete(4, tag="1.0"), delete(4, digest=OLD)])
    def test_an_older_event_loses_whichever_comes_first(self, event: Occurrence) -> None:
        read_first = apply_occurrence(observe_tag(RepositoryState(), T, OLD, moment(5)), event).state
        told_first = observe_tag(after(event), T, OLD, moment(5))

        assert shown(read_first) == shown(told_first) == {"1.0": OLD}

    def test_a_push_that_was_seen_before_it_was_told_of_gets_its_pusher(self) -> None:
        seen = observe_tag(RepositoryState(), T, OLD, moment(5))

        state = apply_occurrence(seen, push("1.0", OLD, 4, actor="jane")).state

        assert (state.tags[T].pushed_at, state.tags[T].pushed_by) == (moment(4), "jane")

    def test_a_second_reading_in_the_same_second_wins(self) -> None:
        seen = observe_tag(RepositoryState(), T, OLD, moment(5))

        assert shown(observe_tag(seen, T, NEW, moment(5))) == {"1.0": NEW}

    def test_a_tag_that_is_where_we_thought_keeps_what_is_known_of_it(self) -> None:
        state = after(push("1.0", OLD, 4, actor="jane"))

        assert observe_tag(state, T, OLD, moment(5)) == state


DIGESTS = st.sampled_from([digest_of(name) for name in "abc"])
TAGS = st.sampled_from(["1.0", "latest"])


@st.composite
def occurrence_streams(draw: st.DrawFn) -> list[Occurrence]:
    def some(at: int) -> list[Occurrence]:
        kind, tag, digest = draw(st.sampled_from("pPtdghoOD")), draw(TAGS), draw(DIGESTS)
        # We write down that it is done when we ask for it, and the registry tells of it when it does it.
        asked = at - draw(st.sampled_from([0.3, 1.5, 2.5]))
        return {
            "p": [push(tag, digest, at)],
            "P": [push(None, digest, at)],
            "t": [delete(at, tag=tag)],
            "d": [delete(at, digest=digest)],
            "g": [pull(digest, at, tag=tag)],
            "h": [pull(digest, at, method="HEAD")],
            "o": [own(at, push(tag, digest, when)) for when in (asked, at)],
            "O": [own(at, push(None, digest, when)) for when in (asked, at)],
            "D": [own(at, delete(when, digest=digest)) for when in (asked, at)],
        }[kind]

    told = [one for at in range(draw(st.integers(1, 12))) for one in some(at)]
    return sorted(told, key=lambda one: one.stamp)


@given(occurrence_streams(), st.randoms(use_true_random=False))
def test_the_state_is_a_function_of_what_happened_and_not_of_when_it_was_told(
    stream: list[Occurrence], random: Random
) -> None:
    shuffled = list(stream)
    random.shuffle(shuffled)

    assert after(*shuffled) == after(*stream)


@given(occurrence_streams())
def test_the_tags_are_those_of_a_registry_to_which_the_same_happened(stream: list[Occurrence]) -> None:
    assert shown(after(*stream)) == _registry_after(stream)


def _registry_after(stream: list[Occurrence]) -> dict[str, Digest | None]:
    """A registry in three lines: tags move, a deleted digest takes its tags with it."""
    tags: dict[str, Digest | None] = {}
    for one in stream:
        if one.action == "push" and one.tag:
            tags[one.tag] = one.digest
        elif one.action == "delete" and one.tag:
            tags.pop(one.tag, None)
        elif one.action == "delete":
            tags = {tag: digest for tag, digest in tags.items() if digest != one.digest}
    return tags


@given(registries(), st.randoms(use_true_random=False))
def test_whatever_the_order_and_however_often_the_tags_are_those_of_the_registry(
    registry: ModelRegistry, random: Random
) -> None:
    """Three processes with queues of their own, three repositories, and duplicates."""
    arriving = deliver(registry.events(), random)

    by_repository = {name: after(*(event for event in arriving if event.repository == name)) for name in REPOSITORIES}

    assert {name: tags for name, state in by_repository.items() if (tags := shown(state))} == registry.shown()


@given(registries(), st.randoms(use_true_random=False))
def test_each_pull_counts_once_whatever_the_order(registry: ModelRegistry, random: Random) -> None:
    """Each event once, as the inbox sees to it."""
    arriving = deliver(registry.events(), random, repeats=0)

    counted = {
        name: sum(count.pulls for count in after(*(e for e in arriving if e.repository == name)).pulls.values())
        for name in REPOSITORIES
    }

    assert {name: count for name, count in counted.items() if count} == +registry.pulls


@given(registries(), st.randoms(use_true_random=False), st.integers(0, 40))
def test_a_crawl_in_the_middle_changes_nothing_about_the_end(
    registry: ModelRegistry, random: Random, position: int
) -> None:
    """It reads the registry as it is in the end, while some events are still on their way."""
    arriving = deliver(registry.events(), random)
    seen_at = moment(1000)

    for name in REPOSITORIES:
        told = [event for event in arriving if event.repository == name]
        state = after(*told[:position])
        for tag, digest in registry.tags[name].items():
            state = observe_tag(state, Tag(tag), digest, seen_at)
        state = apply_all(state, told[position:]).state
        assert {**registry.tags[name]} == shown(state)
