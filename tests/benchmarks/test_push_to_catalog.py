"""How long after the end of a push the image stands in the catalog's answer."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import SHAPES, make_stack, populate
from tests.e2e.test_first_way import find_tags
from tests.support.oci_layout import make_image
from tests.support.waiting import wait_until

PUSHES = 20


@pytest.mark.benchmark
@pytest.mark.parametrize("shape", SHAPES)
def test_from_push_to_catalog(shape: str, tmp_path: Path, show_figures: Callable[[str], None]) -> None:
    """Prints the median and the worst of some pushes; the promise is 1 s and 2 s."""
    stack = make_stack(shape, tmp_path)
    try:
        world = populate(stack.start())
        delays_s = []
        for number in range(PUSHES):
            name = f"{world.private}/app-{number}"
            layout = make_image(tmp_path / f"image-{number}", "1.0", layers=3)
            outcome = stack.skopeo(world.contributor).push(layout, "1.0", f"{name}:1.0")
            ended = time.perf_counter()
            assert outcome.succeeded, outcome.output
            wait_until(lambda name=name: find_tags(stack, "admin", name).get("1.0"), what=name, every_s=0.005)  # type: ignore[misc]
            delays_s.append(time.perf_counter() - ended)
    finally:
        stack.stop()

    median_s, worst_s = statistics.median(delays_s), max(delays_s)
    show_figures(
        f"{shape}: from the end of a push to the catalog's answer, median {median_s:.3f} s, worst {worst_s:.3f} s"
    )
