"""The CA in a folder, which may be renewed while we run (a mounted Kubernetes Secret)."""

from datetime import datetime, timedelta
from pathlib import Path

import structlog

from services.auth.signing.authority import (
    Authority,
    AuthorityError,
    load_valid_authority,
    parse_authority,
    read_files,
    validity_fault,
)
from shared.clock import Clock

WARNED_BEFORE = timedelta(days=30)
REPEATED_AFTER = timedelta(days=1)
"""How often a process logs the same warning."""

log = structlog.get_logger(__name__)


class WatchedAuthority:
    """Keeps the last usable CA.

    Raises:
        AuthorityError: the folder holds no usable CA to begin with.
    """

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._files = read_files(folder)
        self._authority = load_valid_authority(folder, now=clock())
        self._refusal: str | None = None
        self._logged: dict[str, datetime] = {}

    @property
    def current(self) -> Authority:
        """The CA as it was last read."""
        return self._authority

    def refresh(self) -> Authority:
        """Return the CA as its files are now, or the one before while they are not usable."""
        now = self._clock()
        try:
            self._take_changes(now)
            self._refusal = None
        except AuthorityError as fault:
            self._refusal = str(fault)
            self._log_daily("authority.not_taken", now, fault=str(fault))
        if ends_soon(self._authority, now=now):
            self._log_daily("authority.ends_soon", now, expires_at=self._authority.expires_at.isoformat())
        return self._authority

    def fault(self) -> str | None:
        """Return why no leaf can be signed, or ``None``: a readiness check."""
        fault = validity_fault(self._authority, now=self._clock())
        return f"the CA in {self._folder} {fault}" if fault else None

    def warning(self) -> str | None:
        """Return what an operator should see to soon, or ``None``."""
        end = f"{self._authority.expires_at:%Y-%m-%d %H:%M} UTC"
        if self._refusal:
            return f"the CA's new files are not used ({self._refusal}); the one in use ends {end}"
        return f"the CA ends {end}: renew it" if ends_soon(self._authority, now=self._clock()) else None

    def _take_changes(self, now: datetime) -> None:
        files = read_files(self._folder)
        if files == self._files:
            return
        authority = parse_authority(files)
        if fault := validity_fault(authority, now=now):
            raise AuthorityError(f"{files.certificate_path} {fault}")
        self._files, self._authority = files, authority
        log.info("authority.taken", fingerprint=authority.fingerprint, expires_at=authority.expires_at.isoformat())

    def _log_daily(self, event: str, now: datetime, **keys: str) -> None:
        logged_at = self._logged.get(event)
        if logged_at is None or now - logged_at >= REPEATED_AFTER:
            self._logged[event] = now
            log.warning(event, **keys)


def ends_soon(authority: Authority, *, now: datetime) -> bool:
    """Tell whether a CA has less than 30 days left, or less than a quarter of its life if that is shorter.

    A CA that lives for 90 days and is renewed after two thirds of that, as cert-manager does it, warns
    only when its renewal has failed.
    """
    life = authority.expires_at - authority.starts_at
    return authority.expires_at - now < min(WARNED_BEFORE, life / 4)
