"""TLS contexts: what a server offers, what a client trusts, and why it does not."""

from __future__ import annotations

import ssl
from pathlib import Path

from bpost.errors import UntrustedCertificate


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the context of a server: TLS 1.2 and 1.3, ECDHE with AEAD, no tickets.

    Raises:
        SecurityError: ``exposed-file``, when others may read ``key``.
        LocalError: when the files cannot be read or do not fit each other.
    """
    raise NotImplementedError


class ServerTLS:
    """The context for new connections, which :meth:`reload` replaces while the server runs."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Load the files; raise as :func:`server_context` does."""
        self.certificate = certificate
        self.key = key
        self._context = server_context(certificate, key)

    @property
    def context(self) -> ssl.SSLContext:
        """The context to accept the next connection with."""
        return self._context

    @property
    def pin(self) -> str:
        """The pin of the certificate in use, for invites and logs."""
        raise NotImplementedError

    def reload(self) -> None:
        """Read the files again; when they are bad, keep the old context and raise."""
        raise NotImplementedError


def client_context(*, pin: str | None = None, ca_file: Path | None = None) -> ssl.SSLContext:
    """Return the context of a client.

    With a pin OpenSSL verifies nothing: the caller compares the pin after the handshake and before
    the first byte. Otherwise ``ca_file`` or the system's store vouches, and the name must fit.
    """
    raise NotImplementedError


def untrusted(error: ssl.SSLCertVerificationError, host: str, pin: str) -> UntrustedCertificate:
    """Say in words why OpenSSL refused the certificate of ``host``."""
    raise NotImplementedError
