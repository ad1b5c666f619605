"""The published description of the messages is the one that the code follows."""

import json

from tests.support.event_schemas import DOCUMENT, TYPES, schemas


def test_the_committed_schemas_are_current() -> None:
    """Mend a failure with ``python -m tests.support.event_schemas``; a ``.v1`` never changes its meaning."""
    assert json.loads(DOCUMENT.read_text()) == schemas()


def test_names_follow_the_rule() -> None:
    names = [kind.TYPE for kind in TYPES]

    assert len(set(names)) == len(names)
    assert all(name.rpartition(".")[2] == "v1" and name.count(".") >= 2 for name in names)
