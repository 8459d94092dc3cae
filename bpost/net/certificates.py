"""A server's own certificate authority and certificate, made on first start (no domain needed)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class CertificateFiles:
    """Where a server's certificate lives; ``certificate`` holds the leaf and then its CA."""

    ca: Path
    ca_key: Path
    certificate: Path
    key: Path

    @property
    def pin(self) -> str:
        """What a client may pin: see :func:`pin_of`."""
        raise NotImplementedError


def ensure(
    folder: Path, hosts: Iterable[str] = (), now: datetime | None = None
) -> CertificateFiles:
    """Make what is missing in ``folder`` and renew what runs out; the leaf's key, so the pin, stays.

    ``hosts`` are names and addresses besides localhost, 127.0.0.1 and ::1.

    Raises:
        SecurityError: ``exposed-file``, when others may read a private key.
        LocalError: when the folder cannot be written or holds something else.
    """
    raise NotImplementedError


def pin_of(der: bytes) -> str:
    """Return SHA-256 of the certificate's SubjectPublicKeyInfo, in base64url: 43 characters."""
    raise NotImplementedError


def check_private(path: Path) -> None:
    """Refuse a file with a secret that others than its owner may read or write.

    Raises:
        SecurityError: ``exposed-file``, with the command that mends it.
    """
    raise NotImplementedError
