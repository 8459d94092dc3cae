"""Where a server is: what a person types or pastes, as one value."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from bpost import b64
from bpost.errors import SecurityError, UsageError

DEFAULT_PORT = 8765
PIN_BYTES = 32
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\Z")
_HOST_V6 = re.compile(r"[0-9A-Fa-f:.]{2,45}\Z")


@dataclass(frozen=True)
class ServerAddress:
    """A server, and how to know it: the ``pin`` of its key; ``token`` is an invite to it."""

    host: str
    port: int = DEFAULT_PORT
    pin: str | None = None
    token: str | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The address for a WebSocket client, without pin and token."""
        return f"wss://{self._host_port}/"

    @property
    def invite(self) -> str:
        """The link that tells another person this server, its pin and the invite."""
        secret = ".".join((self.pin or "", self.token or "")).rstrip(".")
        return f"bpost://{self._host_port}/" + (f"#{secret}" if secret else "")

    @property
    def _host_port(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        return self._host_port


def parse_address(text: str) -> ServerAddress:
    """Read ``host``, ``host:port``, ``wss://host:port/`` or ``bpost://host:port/#pin.token``.

    Raises:
        SecurityError: ``plaintext-server``, for ``ws://`` and ``http://``.
        UsageError: for anything else.
    """
    text = text.strip()
    if any(sign.isspace() or not sign.isprintable() for sign in text):
        raise _unreadable(text)  # urlsplit would drop some of them
    try:
        parts = urlsplit(text if "://" in text else f"wss://{text}")
        port = DEFAULT_PORT if parts.port is None else parts.port
    except ValueError:
        raise _unreadable(text) from None
    if parts.scheme in ("ws", "http"):
        raise SecurityError(
            "plaintext-server",
            f"{parts.scheme}:// is not encrypted, so BPost does not use it. "
            "Use wss:// or the invite link of your server.",
        )
    host = parts.hostname or ""
    known = parts.scheme in ("wss", "https", "bpost") and parts.path in ("", "/")
    if not known or parts.username or parts.query or not 0 < port < 65536 or not _is_host(host):
        raise _unreadable(text)
    pin, token = _secret(parts, text)
    return ServerAddress(host, port, pin, token)


def _is_host(host: str) -> bool:
    return bool(_HOST.match(host) or (":" in host and _HOST_V6.match(host)))


def _secret(parts: SplitResult, text: str) -> tuple[str | None, str | None]:
    """Split the part behind ``#`` into pin and token."""
    pin, _, token = parts.fragment.partition(".")
    if parts.scheme != "bpost" and parts.fragment:
        raise _unreadable(text)
    try:
        if pin:
            b64.decode(pin, PIN_BYTES)
    except SecurityError:
        raise UsageError(
            "The invite link is damaged: what follows # is not the pin of a server. "
            "Ask for the link again, and paste it whole."
        ) from None
    return pin or None, token or None


def _unreadable(text: str) -> UsageError:
    shown = "".join(c if c.isprintable() else "?" for c in text.partition("#")[0][:80])
    return UsageError(
        f"“{shown}” is not the address of a server. "
        "Write host:port, as in chat.example:8765, or paste an invite link (bpost://…)."
    )
