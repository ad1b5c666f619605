"""Tests that share something slow stay together."""

import pytest

from tests.support.scheduling import group_of


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        pytest.param("tests/e2e/test_a.py::test_push[embedded]", "e2e-embedded", id="by shape"),
        pytest.param("tests/e2e/test_b.py::test_push[oci-servers-x]", "e2e-servers", id="shape among others"),
        pytest.param("tests/e2e/test_c.py::test_up", "tests/e2e/test_c.py", id="by file"),
        pytest.param("tests/browser/test_d.py::test_page", "browser", id="one browser"),
        pytest.param("tests/unit/test_e.py::test_sum[1]", "tests/unit/test_e.py::test_sum[1]", id="alone"),
    ],
)
def test_group_is_told_by_the_id(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group
