"""How wrong passwords slow down the one who sends them, and nobody else.

Failures are counted by (account, address) and by address. There is no count by account alone: it
would let a stranger lock somebody out. What grows is the time until the next password is looked at.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

FORGET_AFTER = timedelta(hours=1)
"""A count begins anew when the last failure is older."""


@dataclass(frozen=True, slots=True)
class Limit:
    """When counting begins to hurt, and how much at most."""

    free_failures: int
    longest_delay_s: int


PAIR_LIMIT = Limit(free_failures=5, longest_delay_s=900)
"""For one account from one address."""

ADDRESS_LIMIT = Limit(free_failures=50, longest_delay_s=60)
"""For one address, whatever the account: an office may hide behind it, hence the patience."""


SIGN_UP_LIMIT = Limit(free_failures=5, longest_delay_s=900)
"""For accounts that people make themselves from one address."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Wrong passwords in a row, or attempts to sign up."""

    count: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FailureState:
    """What is remembered about a caller who shows a password."""

    pair: Failures = Failures()
    address: Failures = Failures()


def wait_s(state: FailureState, now: datetime) -> int:
    """Return for how many more seconds no password is looked at; 0 when one may be tried."""
    return max(_wait_s(state.pair, PAIR_LIMIT, now), _wait_s(state.address, ADDRESS_LIMIT, now))


def sign_up_wait_s(attempts: Failures, now: datetime) -> int:
    """Return for how many more seconds nobody may sign up from an address; 0 when one may."""
    return _wait_s(attempts, SIGN_UP_LIMIT, now)


def _wait_s(failures: Failures, limit: Limit, now: datetime) -> int:
    excess = failures.count - limit.free_failures
    if failures.last_at is None or excess < 0:
        return 0
    # 2**20 is beyond any limit; the cap keeps the power itself small.
    delay_s = min(2 ** min(excess, 20), limit.longest_delay_s)
    remaining_s = (failures.last_at + timedelta(seconds=delay_s) - now).total_seconds()
    return max(0, -int(-remaining_s // 1))


# The same few proxies and hosts ask again and again.
@lru_cache(maxsize=1024)
def address_key(address: str) -> str:
    """Return what an address counts as: an IPv6 network of 64 bits is one caller.

    Args:
        address: as the server or a proxy gave it; anything that is not an address stays as it is.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
