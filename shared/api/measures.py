"""Gauges that are measured when somebody asks, because another process is the one who changes what they show."""

from collections.abc import Callable

from flask import Flask, request


def measure_when_asked(app: Flask, measure: Callable[[], None]) -> None:
    """Set gauges right before ``/metrics`` is answered.

    Args:
        measure: must not raise for what may be away; ``NaN`` says that nobody knows.
    """

    @app.before_request
    def measure_for_metrics() -> None:
        if request.path == "/metrics":
            measure()
