"""The client's side of a WebSocket connection; the one module that knows websocket-client."""

from __future__ import annotations

from pathlib import Path

from bpost.limits import Limits
from bpost.net.address import ServerAddress


def connect(
    address: ServerAddress,
    *,
    ca_file: Path | None = None,
    limits: Limits | None = None,
    timeout: float | None = None,
) -> ClientConnection:
    """Connect, know the server, upgrade; all within ``timeout`` (``limits.handshake_seconds``).

    With ``address.pin`` only the server's key counts. Without it ``ca_file`` or the system's
    store must vouch for the certificate, and the name must fit.

    Raises:
        UntrustedCertificate: nobody vouches for the certificate; holds its pin.
        SecurityError: ``pin-mismatch`` or ``plaintext-server``; nothing has been sent.
        TimedOut: the deadline passed.
        TransportError: the server cannot be reached, or is no BPost server.
    """
    raise NotImplementedError


class ClientConnection:
    """A connection to a server. Any thread may send and close; one thread receives."""

    pin: str

    def send(self, text: str) -> None:
        """Send one frame; waits while the network does not take it, up to ``limits.send_seconds``.

        Raises:
            ConnectionClosed: it has ended; nobody knows whether the frame arrived.
            TimedOut: the server takes no more; the connection is broken then.
        """
        raise NotImplementedError

    def receive(self, timeout: float | None = None) -> str:
        """Return the next frame; answers and sends pings meanwhile.

        Raises:
            ConnectionClosed: the connection ended, or the server was silent for too long.
            TimedOut: no frame came within ``timeout`` seconds; may be called again.
        """
        raise NotImplementedError

    def close(self) -> None:
        """End the connection, in order if the server answers within ``limits.close_seconds``.

        Any thread may call it, again too; a thread in :meth:`receive` gets ConnectionClosed.
        """
        raise NotImplementedError
