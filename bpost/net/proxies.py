"""Whose word about a client's address is taken: that of listed proxies, and of nobody else.

A proxy that passes TCP on says the address in a line before the TLS handshake (the PROXY protocol,
version 1); one that ends TLS itself says it in the header X-Forwarded-For. From anybody else the
line is no TLS, and the header is not looked at (MUSTS S68).
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterable

from bpost.errors import UsageError

LONGEST = 107
"""How long the line is at most, with its end."""

_FIRST = b"P"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Proxies:
    """The proxies that are trusted to name the client's address."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """Take addresses and networks, such as ``127.0.0.1`` and ``10.0.0.0/8``.

        Raises:
            UsageError: one is neither.
        """
        try:
            self._networks = tuple(ipaddress.ip_network(network) for network in networks)
        except ValueError as error:
            raise UsageError(
                f"The setting proxies: {error}. Give addresses or networks, separated by commas."
            ) from error

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._networks)

    def covers(self, host: str) -> bool:
        """Tell whether ``host`` is one of them."""
        address = _address(host)
        return address is not None and any(address in network for network in self._networks)

    def forwarded(self, header: str) -> str | None:
        """Return whom X-Forwarded-For names: the last address that is not a proxy of ours.

        What stands before that was written by the client, and may say anything.
        """
        for item in reversed(header.split(",")):
            address = _address(item.strip())
            if address is None:
                return None
            if not self.covers(str(address)):
                return str(address)
        return None


def announced(sock: socket.socket, deadline: float) -> str | None:
    """Read the line of a proxy that passes TCP on, if it begins with one; return the client's host.

    ``deadline`` is one of ``time.monotonic``.

    Raises:
        OSError: no bytes came in time, or the line is none.
    """
    sock.settimeout(max(0.01, deadline - time.monotonic()))
    if sock.recv(1, socket.MSG_PEEK) != _FIRST:
        return None
    line = b""
    while not line.endswith(b"\r\n"):
        sock.settimeout(max(0.01, deadline - time.monotonic()))
        sign = sock.recv(1)
        line += sign
        if not sign or len(line) > LONGEST:
            raise ConnectionResetError("the proxy's line has no end")
    return _host_in(line)


def _host_in(line: bytes) -> str | None:
    """Return the source address of ``PROXY TCP4 source destination port port``."""
    word, kind, *rest = [*line.decode("latin-1").split(" "), ""]
    if word != "PROXY":
        raise ConnectionResetError("this is no line of a proxy")
    if kind.strip() == "UNKNOWN":
        return None
    address = _address(rest[0])
    if kind not in ("TCP4", "TCP6") or len(rest) != 5 or address is None:
        raise ConnectionResetError("the proxy's line is malformed")
    return str(address)


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped
