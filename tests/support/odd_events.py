"""Events that no registry ought to send, for Hypothesis to try."""

from typing import Any

from hypothesis import strategies as st

from tests.support.registry_events import make_event

_FIELDS = ("id", "timestamp", "action", "target", "request", "actor", "source")
_INNER = ("repository", "digest", "tag", "size", "mediaType", "fromRepository", "host", "method", "addr", "name")


def odd_values() -> st.SearchStrategy[Any]:
    """Return any JSON: huge numbers, halves of surrogate pairs, moments at either end of the calendar."""
    surrogates = st.text(st.characters(categories=["Cs", "Cc", "L"]), max_size=8)
    huge = st.integers(-(10**400), 10**400)
    scalars = st.none() | st.booleans() | st.integers() | huge | st.floats() | st.text(max_size=300) | surrogates
    names = st.sampled_from(("events", *_FIELDS, *_INNER)) | st.text(max_size=8)
    return st.recursive(
        scalars | _moments(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
        max_leaves=12,
    )


def odd_events() -> st.SearchStrategy[Any]:
    """Return any JSON, or an event with something odd in some of its fields."""
    values = odd_values()
    changed = st.dictionaries(st.sampled_from(_FIELDS), values | st.dictionaries(st.sampled_from(_INNER), values))
    return values | st.builds(lambda fields: {**make_event(), **fields}, changed)


def _moments() -> st.SearchStrategy[str]:
    return st.builds(lambda moment, hours: f"{moment.isoformat()}{hours:+03d}:00", st.datetimes(), st.integers(-24, 24))
