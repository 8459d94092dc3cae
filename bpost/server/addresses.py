"""Client addresses: as keys of the rates, and as much of them as may be logged."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def network_of(peer: str) -> str:
    """Return the network that ``peer`` lies in: what is logged where whole ones are not."""
    return _within(peer, 24, 48)


def meter_key(peer: str) -> str:
    """Return whom to count for the rates: an IPv4 address, or an IPv6 /64, which one host has."""
    return _within(peer, 32, 64)


def _within(peer: str, prefix4: int, prefix6: int) -> str:
    host = _host(peer)
    if host is None:
        return "?"
    prefix = prefix4 if host.version == 4 else prefix6
    return str(ipaddress.ip_network((host, prefix), strict=False))


def _host(peer: str) -> Address | None:
    """Read "1.2.3.4:5", "[::1]:5", "::1" or "1.2.3.4"."""
    for text in (peer, peer.rpartition(":")[0]):
        try:
            host = ipaddress.ip_address(text.strip("[]"))
        except ValueError:
            continue
        mapped = getattr(host, "ipv4_mapped", None)
        return host if mapped is None else mapped
    return None
