"""What a tag pointed at, in whatever order it was told."""

from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain.history import ANY_TAG, End, Kind, Period, TagWrite, fold_history, writes_of
from services.catalog.domain.index import RepositoryState, apply_all
from services.catalog.domain.occurrences import Occurrence, Stamp
from shared.oci.names import Digest, Tag
from tests.support.catalog import delete, digest_of, moment, own, pull, push

OLD, NEW = digest_of("old"), digest_of("new")
T = Tag("1.0")


def write(kind: Kind, at: float, digest: Digest | None = None, actor: str | None = None, tag: str = T) -> TagWrite:
    return TagWrite(Stamp(moment(at), f"event-{at}"), tag, kind, digest, actor)


def period(digest: Digest, since: float, by: str | None, **ended: object) -> Period:
    return Period(digest, moment(since), by, True, **ended)  # type: ignore[arg-type]


FOLDS = [
    pytest.param([], [], id="nothing happened"),
    pytest.param([write(Kind.PUSHED, 1, OLD, "jane")], [period(OLD, 1, "jane")], id="it is there still"),
    pytest.param(
        [write(Kind.PUSHED, 1, OLD, "jane"), write(Kind.PUSHED, 2, NEW, "joe")],
        [period(OLD, 1, "jane", until=moment(2), end=End.OVERWRITTEN, ended_by="joe"), period(NEW, 2, "joe")],
        id="overwritten",
    ),
    pytest.param(
        [write(Kind.PUSHED, 1, OLD, "jane"), write(Kind.DELETED, 2, None, "joe")],
        [period(OLD, 1, "jane", until=moment(2), end=End.DELETED, ended_by="joe")],
        id="deleted by name",
    ),
    pytest.param(
        [write(Kind.PUSHED, 1, OLD, "jane"), write(Kind.DELETED, 2, OLD, "joe", ANY_TAG)],
        [period(OLD, 1, "jane", until=moment(2), end=End.DELETED, ended_by="joe")],
        id="deleted with its digest",
    ),
    pytest.param(
        [
            write(Kind.PUSHED, 1, OLD, "jane"),
            write(Kind.PUSHED, 2, NEW, "jane"),
            write(Kind.DELETED, 3, OLD, "x", ANY_TAG),
        ],
        [period(OLD, 1, "jane", until=moment(2), end=End.OVERWRITTEN, ended_by="jane"), period(NEW, 2, "jane")],
        id="another digest was deleted",
    ),
    pytest.param(
        [write(Kind.PUSHED, 1, OLD, "jane"), write(Kind.VANISHED, 2)],
        [period(OLD, 1, "jane", until=moment(2), end=End.VANISHED)],
        id="not found any more",
    ),
    pytest.param(
        [write(Kind.PUSHED, 1, OLD, "jane"), write(Kind.PUSHED, 2, OLD, "joe"), write(Kind.SEEN, 3, OLD)],
        [period(OLD, 1, "jane")],
        id="pushed again without a change",
    ),
    pytest.param(
        [write(Kind.PUSHED, 1, OLD, "jane"), write(Kind.DELETED, 2), write(Kind.PUSHED, 3, OLD, "joe")],
        [period(OLD, 1, "jane", until=moment(2), end=End.DELETED), period(OLD, 3, "joe")],
        id="pushed again after a deletion",
    ),
    pytest.param(
        [write(Kind.SEEN, 1, OLD), write(Kind.PUSHED, 2, OLD, "jane")],
        [Period(OLD, moment(1), "jane", is_witnessed=False)],
        id="seen before it was told of",
    ),
    pytest.param(
        [
            write(Kind.PUSHED, 1, OLD, "jane"),
            write(Kind.DELETED, 2, OLD, "portus", ANY_TAG),
            write(Kind.DELETED, 3, None, "joe"),
        ],
        [period(OLD, 1, "jane", until=moment(2), end=End.DELETED, ended_by="joe")],
        id="somebody let us delete",
    ),
    pytest.param([write(Kind.DELETED, 1), write(Kind.VANISHED, 2)], [], id="only deletions are known"),
]


@pytest.mark.parametrize(("writes", "periods"), FOLDS)
def test_writes_become_periods_in_any_order(writes: list[TagWrite], periods: list[Period]) -> None:
    for order in permutations(writes):
        assert fold_history(order) == periods


def test_an_occurrence_says_what_it_writes() -> None:
    assert [(one.tag, one.kind, one.digest) for one in writes_of(push("1.0", OLD, 1))] == [("1.0", Kind.PUSHED, OLD)]
    assert [(one.tag, one.kind) for one in writes_of(delete(1, tag="1.0"))] == [("1.0", Kind.DELETED)]
    assert [(one.tag, one.digest) for one in writes_of(delete(1, digest=OLD), [T])] == [("", OLD), ("1.0", OLD)]
    assert writes_of(push(None, OLD, 1)) == writes_of(pull(OLD, 1, tag="1.0")) == []


DIGESTS = st.sampled_from([digest_of(name) for name in "abc"])


@st.composite
def streams(draw: st.DrawFn) -> list[Occurrence]:
    def some(at: int) -> list[Occurrence]:
        kind, digest = draw(st.sampled_from("ptdob")), draw(DIGESTS)
        tag = draw(st.sampled_from(["1.0", "latest"]))
        return {
            "p": [push(tag, digest, at)],
            "t": [delete(at, tag=tag)],
            "d": [delete(at, digest=digest)],
            "o": [own(at, push(tag, digest, when)) for when in (at - 1.5, at)],
            "b": [push(tag, digest, at, actor="portus")],
        }[kind]

    return [one for at in range(draw(st.integers(1, 12))) for one in some(at)]


@given(streams(), st.randoms(use_true_random=False))
def test_the_last_period_is_what_the_index_says(stream: list[Occurrence], random: Random) -> None:
    """The index and the history are two readings of the same events, in whatever order those were told."""
    told = list(stream)
    random.shuffle(told)
    known = apply_all(RepositoryState(), told).state.tags.get(T)
    writes = [write for one in told for write in writes_of(one) if write.tag in (T, ANY_TAG)]

    periods = fold_history(writes)

    open_ = [period.digest for period in periods if period.end is None]
    assert open_ == ([known.digest] if known and known.present else [])
    assert all(period.end is not None for period in periods[:-1])
