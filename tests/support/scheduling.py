"""Which tests pytest-xdist keeps on one worker: those that share something slow to start.

Its own ``--dist loadgroup`` puts a group's name into the test's id, which pytest 9.2 no longer lets it
do: the marks are passed over in silence (pytest-xdist issue 1386). So the groups are told by the ids.
"""

import re

from xdist.scheduler import LoadScopeScheduling

_SHAPE = re.compile(r"\[(?:.*-)?(embedded|servers)(?:-.*)?\]$")


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Large groups first, then test by test."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """Return the group that a test belongs to; most are alone in theirs.

    >>> group_of("tests/e2e/test_first_way.py::test_push[embedded]")
    'e2e-embedded'
    """
    path = nodeid.partition("::")[0]
    if path.startswith("tests/e2e/"):
        # Both shapes are installations of their own, started once per worker.
        shape = _SHAPE.search(nodeid)
        return f"e2e-{shape[1]}" if shape else path
    if path.startswith("tests/browser/"):
        return "browser"
    return nodeid
