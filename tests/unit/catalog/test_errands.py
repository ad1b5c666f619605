"""What we do on somebody's behalf is told from the User-Agent that the registry repeats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain.errands import Errand, dump_errand, find_errand

ID = "portus-00000000-0000-0000-0000-000000000001"
NOTIFIER_KEEPS = 255
"""Characters of a User-Agent."""

names = st.text(min_size=1, max_size=300).filter(str.isprintable)


@given(st.none() | names)
def test_it_is_read_as_it_was_written(actor: str | None) -> None:
    agent = f"portus-catalog {dump_errand(Errand(ID, actor))}"

    found = find_errand(agent[:NOTIFIER_KEEPS])

    assert agent.isascii()
    # A name that does not fit is left out, and which change it was is known all the same.
    assert found == Errand(ID, actor if found and found.actor else None)
    assert actor is None or len(actor.encode()) > 40 or (found and found.actor == actor)


@pytest.mark.parametrize(
    "agent",
    [
        None,
        "",
        "skopeo/1.9",
        "portus-catalog",
        f"portus-catalog ({ID})",
        f"portus-catalog ({ID}; for=jane",
        "portus-catalog (portus-1; for=jane)",
        f"portus-catalog ({ID}; for=jane) and more",
    ],
)
def test_what_has_no_mark_is_no_errand(agent: str | None) -> None:
    assert find_errand(agent) is None


def test_a_name_that_nobody_can_have_is_none() -> None:
    assert find_errand(f"portus-catalog ({ID}; for=a%0Ab)") == Errand(ID)
