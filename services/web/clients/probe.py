"""Whether a peer is there at all, for the readiness of the portal."""

from datetime import datetime, timedelta
from threading import Lock

from shared.clock import Clock
from shared.upstream import UpstreamError, UpstreamSession

TIMEOUT_S = 1
CACHE_S = 1


class Probe:
    """Asks a peer for its pulse, at most once a second however often readiness is asked for.

    Args:
        name: the peer; its address stands in ``PORTUS_<NAME>_URL``.
        url: that address.
        clock: the present moment.
    """

    def __init__(self, name: str, url: str, clock: Clock) -> None:
        self._name = name
        self._session = UpstreamSession(
            name, url, connect_timeout_s=TIMEOUT_S, read_timeout_s=TIMEOUT_S, retries=0, pool_size=1
        )
        self._clock = clock
        self._lock = Lock()
        self._fault: str | None = None
        self._asked_at: datetime | None = None

    def fault(self) -> str | None:
        """Return what is wrong with the peer and what to do, or ``None``."""
        with self._lock:
            now = self._clock()
            if self._asked_at is None or now - self._asked_at >= timedelta(seconds=CACHE_S):
                self._fault, self._asked_at = self._ask(), now
            return self._fault

    def _ask(self) -> str | None:
        variable = f"PORTUS_{self._name.upper()}_URL"
        try:
            status = self._session.request("GET", "/healthz").status_code
        except UpstreamError as fault:
            return f"{fault}: start it, or correct {variable}"
        return None if status == 200 else f"{self._name} answers {status}: correct {variable}"
