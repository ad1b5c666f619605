"""What a registry of the 3.x line counts of its own deliveries.

Source: distribution ``notifications/metrics.go``; Prometheus "Exposition formats". 2.8 has no such count.
"""

from collections.abc import Mapping, Sequence

import structlog
from prometheus_client.parser import text_string_to_metric_families

from services.catalog.clients.answers import read_answer
from services.catalog.usecases.registry import RegistryError
from shared.upstream import UpstreamError, UpstreamSession

COUNTER = "registry_notifications_events_total"
DELIVERED = "Successes"
"""Answered 2xx or 3xx, as far as the registry knows."""
MAX_PAGE_BYTES = 8 * 1024 * 1024

log = structlog.get_logger(__name__)


class DeliveryCounters:
    """Reads the counters of every process of a registry.

    Args:
        sessions: on the address of each process's metrics page.
        endpoint: the name of our endpoint in the registry's ``notifications.endpoints``.
    """

    def __init__(self, sessions: Sequence[UpstreamSession], *, endpoint: str) -> None:
        self._sessions = sessions
        self._endpoint = endpoint

    def read(self) -> Mapping[str, int] | None:
        """Return each process's count by its address; ``None`` when one of them does not say."""
        counted = {}
        for session in self._sessions:
            try:
                counted[session.base_url] = self._count(session)
            except (UpstreamError, RegistryError, ValueError) as fault:
                log.warning("losses.metrics_not_read", url=session.base_url, fault=str(fault))
                return None
        return counted

    def _count(self, session: UpstreamSession) -> int:
        response = session.request("GET", "", stream=True)
        page = read_answer(response, "metrics page", max_bytes=MAX_PAGE_BYTES).body.decode()
        return sum(
            int(sample.value)
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == COUNTER
            and sample.labels.get("type") == DELIVERED
            and sample.labels.get("endpoint") == self._endpoint
        )
