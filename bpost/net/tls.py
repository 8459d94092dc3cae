"""TLS contexts: what a server offers, what a client trusts, and why it does not."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

from bpost.errors import LocalError, UntrustedCertificate
from bpost.net.certificates import check_private, expiry_of_pem, pin_of_pem

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"

# OpenSSL's codes of verification (X509_V_ERR_…) that a person can do something about.
_REASONS = {
    9: "it is not valid yet; check the clock of this computer",
    10: "it has expired; the server's owner has to renew it",
    18: "it is self-signed: nobody but the server itself vouches for it",
    19: "its certificate authority is not known on this computer",
    20: "its certificate authority is not known on this computer",
    21: "its certificate authority is not known on this computer",
    24: "it was issued by a certificate that may not issue any",
    62: "it is for another name than {host}",
    64: "it is for another address than {host}",
    66: "its key is too weak",
    67: "the key of its certificate authority is too weak",
    68: "it is signed with a hash that can be forged",
    79: "it was issued by a certificate that may not issue any",
}


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the context of a server: TLS 1.2 and 1.3, ECDHE with AEAD, no tickets.

    Raises:
        SecurityError: ``exposed-file``, when others may read ``key``.
        LocalError: when the files cannot be read or do not fit each other.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _harden(context)
    # A ticket is data that a client which only sends never reads: closing then resets.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET | ssl.OP_CIPHER_SERVER_PREFERENCE
    try:
        check_private(key)
        context.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        raise LocalError(
            f"The certificate {certificate} with the key {key} cannot be used: "
            f"{error.strerror or error}. Check that both files are there and belong together."
        ) from error
    return context


class ServerTLS:
    """The context for new connections, which :meth:`reload` replaces while the server runs."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Load the files; raise as :func:`server_context` does."""
        self.certificate = certificate
        self.key = key
        # Guards the order of reloads, so that the newest files win.
        self._lock = threading.Lock()
        self._current = self._load()

    @property
    def context(self) -> ssl.SSLContext:
        """The context to accept the next connection with."""
        return self._current[0]

    @property
    def pin(self) -> str:
        """The pin of the certificate in use, for invites and logs."""
        return self._current[1]

    @property
    def expires(self) -> float:
        """When the certificate in use expires, in seconds since 1970."""
        return self._current[2]

    def reload(self) -> None:
        """Read the files again; connections that are open go on as they are.

        Raises:
            SecurityError, LocalError: the files are bad; the old ones stay in use.
        """
        with self._lock:
            self._current = self._load()

    def _load(self) -> tuple[ssl.SSLContext, str, float]:
        """Load the files; the pin is that of the very bytes that are served."""
        try:
            data = self.certificate.read_bytes()
            # Between two readings the file can be replaced: then the context may have either.
            context = server_context(self.certificate, self.key)
            same = self.certificate.read_bytes() == data
            pin, expires = pin_of_pem(data), expiry_of_pem(data)
        except (OSError, ValueError) as error:
            raise LocalError(
                f"The certificate {self.certificate} cannot be read: {error}. It has to be in PEM "
                "form, the server's own certificate first."
            ) from error
        if not same:
            raise LocalError(
                f"The certificate {self.certificate} is being replaced. Load it again."
            )
        return context, pin, expires


def client_context(*, pin: str | None = None, ca_file: Path | None = None) -> ssl.SSLContext:
    """Return the context of a client.

    With a pin OpenSSL verifies nothing: the caller compares the pin after the handshake and before
    the first byte. Otherwise ``ca_file`` or the system's store vouches, and the name must fit.

    Raises:
        LocalError: when ``ca_file`` cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _harden(context)
    if pin is not None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if ca_file is None:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(ca_file)
    except OSError as error:
        raise LocalError(
            f"The certificate authority in {ca_file} cannot be read: {error.strerror or error}. "
            "Give the file ca.pem of the server."
        ) from error
    return context


def _harden(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION


def untrusted(error: ssl.SSLCertVerificationError, host: str, pin: str) -> UntrustedCertificate:
    """Say in words why OpenSSL refused the certificate of ``host``."""
    why = _REASONS.get(error.verify_code, error.verify_message or "it cannot be verified")
    reason = f"The certificate of {host} is not trusted: {why.format(host=host)}."
    return UntrustedCertificate(f"{reason} Nothing has been sent.", pin)
