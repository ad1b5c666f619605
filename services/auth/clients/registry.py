"""A registry, asked whether it is one and whether it sends its clients to us.

Source: distribution-spec "Determining Support"; distribution "Token Authentication Specification".
"""

import re
from dataclasses import dataclass
from pathlib import Path

from shared.upstream import UpstreamError, UpstreamSession

API_VERSION_HEADER = "Docker-Distribution-Api-Version"
TIMEOUT_S = 2.0

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class RegistryAnswer:
    """What a registry said to ``GET /v2/``."""

    fault: str | None
    """Why it cannot be used as one, or ``None``."""
    realm: str | None = None
    """Where it sends its clients for tokens."""
    service: str | None = None
    """What it calls itself there."""


def probe_registry(hostname: str, use_ssl: bool) -> RegistryAnswer:
    """Ask a host whether it is a registry; see ``probe_url``.

    Args:
        hostname: ``host[:port]``.
    """
    return probe_url(f"{'https' if use_ssl else 'http'}://{hostname}")


def probe_url(url: str, *, ca_bundle: Path | None = None) -> RegistryAnswer:
    """Ask an address whether a registry is there; it is told no credentials and no redirect is followed.

    Args:
        ca_bundle: CAs that are believed beside the well-known ones.
    """
    session = UpstreamSession(
        "the registry",
        url,
        connect_timeout_s=TIMEOUT_S,
        read_timeout_s=TIMEOUT_S,
        retries=0,
        ca_bundle=ca_bundle,
    )
    try:
        # Streamed and closed unread: a host that is no registry may send anything.
        with session.request("GET", "/v2/", stream=True) as response:
            status, headers = response.status_code, response.headers
    except UpstreamError as fault:
        return RegistryAnswer(f"cannot be reached: {fault}")
    finally:
        session.close()
    if status not in (200, 401) or API_VERSION_HEADER not in headers:
        return RegistryAnswer(f"answers {status} to /v2/ and is no registry")
    challenge = dict(_PARAMETER.findall(headers.get("WWW-Authenticate", "")))
    return RegistryAnswer(None, challenge.get("realm"), challenge.get("service"))
