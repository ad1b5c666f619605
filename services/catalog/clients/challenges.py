"""The ``WWW-Authenticate`` header of a registry.

Source: distribution "Token Authentication Specification"; RFC 6750 §3.
"""

import re
from dataclasses import dataclass

_PARAMETER = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a registry says about the token that it wants."""

    scheme: str
    realm: str = ""
    service: str = ""
    error: str = ""
    """``invalid_token`` or ``insufficient_scope`` when a token was sent."""


def parse_challenge(header: str) -> Challenge:
    """Read a challenge; what it does not say is empty."""
    scheme, _, rest = header.strip().partition(" ")
    said = {name.lower(): value for name, value in _PARAMETER.findall(rest)}
    return Challenge(scheme.lower(), said.get("realm", ""), said.get("service", ""), said.get("error", ""))
