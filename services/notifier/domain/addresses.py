"""Which addresses a webhook may reach: those of the public Internet, and what the administrators name.

A webhook is a request that Portus sends for somebody, from where Portus stands. Without this rule whoever
owns a namespace could reach the machine itself, its neighbours and the cloud's metadata service.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_DOCUMENTATION = IPv6Network("3fff::/20")
# Publicly given, and answered by the host that a virtual machine runs on: Azure's agent, and protocol assignments
# (RFC 6890 §2.2.2), among which clouds have put theirs.
_OF_THE_HOST = (IPv4Network("168.63.129.16/32"), IPv4Network("192.0.0.0/24"))


def may_reach(address: str, allowed: Sequence[Network]) -> bool:
    """Tell whether a webhook may be sent to an address.

    Args:
        address: of a host, as a resolver writes it.
        allowed: networks of the administrators' choice; everything else must be public.
    """
    # A resolver names the interface of a link-local address: fe80::1%eth0.
    meant = _meant(ip_address(address.partition("%")[0]))
    if any(meant in network for network in allowed):
        return True
    if isinstance(meant, IPv6Address) and (meant.is_site_local or meant in _DOCUMENTATION):
        return False
    if any(meant in network for network in _OF_THE_HOST):
        return False
    return meant.is_global and not (meant.is_multicast or meant.is_reserved)


def find_address(host: str) -> str | None:
    """Return the address that a host is, where it is no name."""
    try:
        return str(ip_address(host))
    except ValueError:
        return None


def _meant(address: Address) -> Address:
    """Return the address behind one that carries another: what is refused must not come in disguise."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address.sixtofour:
        return address.sixtofour
    if address.teredo:
        return address.teredo[1]
    # ``::`` and ``::1`` are addresses of their own.
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
