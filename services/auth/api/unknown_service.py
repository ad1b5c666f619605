"""A registry that goes by another name than ours: the commonest mistake of a new installation."""

import threading
from datetime import datetime, timedelta

import structlog

from shared.clock import Clock

REPEATED_AFTER = timedelta(minutes=1)
MAX_NAMES = 20
"""Most names that are logged within that time: the name comes from outside."""
MAX_LENGTH = 100

_HINT = (
    "A client asked for a token for a registry that goes by another name, and got one that opens nothing. "
    "Give auth.token.service in the registry's configuration and PORTUS_REGISTRY_SERVICE here the same value."
)

log = structlog.get_logger(__name__)


class UnknownServiceNotes:
    """Logs what to change, once a minute for each name.

    Args:
        service: our name for the registry.
    """

    def __init__(self, service: str, clock: Clock) -> None:
        self._service = service
        self._clock = clock
        self._lock = threading.Lock()
        self._noted: dict[str, datetime] = {}

    def __call__(self, asked: str | None) -> None:
        """Note a request for a registry of that name; ``None`` when it named none."""
        # What cannot be printed is escaped, so that nobody writes lines of their own into the log.
        shown = "" if asked is None else asked[:MAX_LENGTH].encode("unicode_escape").decode()
        if self._is_due(shown):
            log.warning(
                "token.unknown_service",
                registry_auth_token_service=shown,
                portus_registry_service=self._service,
                hint=_HINT,
            )

    def _is_due(self, name: str) -> bool:
        now = self._clock()
        with self._lock:
            self._noted = {known: at for known, at in self._noted.items() if now - at < REPEATED_AFTER}
            if name in self._noted or len(self._noted) >= MAX_NAMES:
                return False
            self._noted[name] = now
            return True
