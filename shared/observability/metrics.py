"""Prometheus metrics, summed over the processes of one container.

With ``PROMETHEUS_MULTIPROC_DIR`` set (the serving process sets it) every process writes its own
files there and any of them can answer for all.
"""

import os

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter("portus_http_requests_total", "Requests answered.", ["method", "route", "status"])
DURATION = Histogram(
    "portus_http_request_duration_seconds",
    "Time from the request's arrival in the process to its answer.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def metrics_page() -> tuple[bytes, str]:
    """Return the exposition page and its content type."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST
