"""A server's own certificate authority and certificate, made on first start: no domain needed.

A small CA and a leaf, since strict clients refuse a leaf that vouches for itself. Clients know
the server by a pin, the hash of the leaf's public key; a renewal keeps that key.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import secrets
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bpost import b64
from bpost.errors import LocalError, SecurityError

LEAF_LIFE = timedelta(days=365)  # browsers accept 397, graders of TLS 366
CA_LIFE = timedelta(days=20 * 365)
RENEW_BEFORE = timedelta(days=30)
BACKDATE = timedelta(days=1)  # for clients whose clock is behind
EARLIEST = datetime(2026, 1, 1, tzinfo=timezone.utc)
"""This program is younger: a clock that says less is wrong, and no judge of certificates."""

ALWAYS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class CertificateFiles:
    """Where a server's certificate lives; ``certificate`` holds the leaf alone.

    Who trusts the CA has it, nobody else is served by it, and graders of TLS frown at a chain with
    its own anchor.
    """

    ca: Path
    ca_key: Path
    certificate: Path
    key: Path

    @property
    def pin(self) -> str:
        """What a client may pin: see :func:`pin_of`."""
        return pin_of_file(self.certificate)


def ensure(
    folder: Path, hosts: Iterable[str] = (), now: datetime | None = None
) -> CertificateFiles:
    """Make what is missing in ``folder``, renew what runs out; the leaf's key, so its pin, stays.

    ``hosts`` are names and addresses besides localhost, 127.0.0.1 and ::1.

    Raises:
        SecurityError: ``exposed-file``, when others may read a private key.
        LocalError: when the folder cannot be written or holds something else.
    """
    now = now or datetime.now(timezone.utc)
    names = sorted({*ALWAYS, *hosts})
    files = CertificateFiles(
        *(folder / name for name in ("ca.pem", "ca-key.pem", "server.pem", "server-key.pem"))
    )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ca = _ensure_ca(files, now)
        key = _ensure_key(files.key)
        if not _still_good(files, key, ca, names, now):
            leaf = _issue_leaf(key, ca, _ensure_key(files.ca_key), names, now)
            _write(files.certificate, _pem(leaf), 0o644)
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound) as error:
        raise LocalError(
            f"The certificate in {folder} cannot be used: {error}. Check that the folder can be "
            "written and holds only what the server made; an empty folder gets new keys, and "
            "then every client has to be told the new pin."
        ) from error
    return files


def _ensure_ca(files: CertificateFiles, now: datetime) -> x509.Certificate:
    key = _ensure_key(files.ca_key)
    if files.ca.exists():
        ca = x509.load_pem_x509_certificate(files.ca.read_bytes())
        lasts = now + LEAF_LIFE + RENEW_BEFORE < ca.not_valid_after_utc
        if lasts and _has_begun(ca, now) and ca.public_key() == key.public_key():
            return ca
    ca = _issue_ca(key, now)
    _write(files.ca, _pem(ca), 0o644)
    return ca


def _ensure_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Load the key at ``path``, or make it."""
    if path.exists():
        check_private(path)
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{path.name} is not an elliptic-curve key")
        return key
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    _write(path, key.private_bytes(serialization.Encoding.PEM, form, plain), 0o600)
    return key


def _still_good(
    files: CertificateFiles,
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    names: list[str],
    now: datetime,
) -> bool:
    """Tell whether the leaf is this key's, vouched for by this CA, for these names, for long."""
    if not files.certificate.exists():
        return False
    leaf = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    covered = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        leaf.public_key() == key.public_key()
        and _vouches(ca, leaf)
        and set(_names(names)) <= set(covered)
        and _has_begun(leaf, now)
        and now + RENEW_BEFORE < leaf.not_valid_after_utc
    )


def _vouches(ca: x509.Certificate, leaf: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):  # another name, kind of key, or signature
        return False
    return True


def _has_begun(certificate: x509.Certificate, now: datetime) -> bool:
    """Tell whether it is valid yet; one that is not was made while the clock was ahead."""
    return certificate.not_valid_before_utc <= now or now < EARLIEST


def _issue_ca(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "BPost server authority")])
    return (
        _builder(name, name, key, key, now, CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _issue_leaf(
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    names: list[str],
    now: datetime,
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "BPost server")])
    serves = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return (
        _builder(name, ca.subject, key, ca_key, now, LEAF_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(serves, critical=False)
        .add_extension(x509.SubjectAlternativeName(_names(names)), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    """Begin a certificate with what the CA and the leaf have in common."""
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now - BACKDATE + life)
        .add_extension(own, critical=False)
        .add_extension(signer, critical=False)
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _names(hosts: list[str]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def pin_of(der: bytes) -> str:
    """Return SHA-256 of the certificate's SubjectPublicKeyInfo, in base64url: 43 characters."""
    return _pin(x509.load_der_x509_certificate(der))


def pin_of_file(certificate: Path) -> str:
    """Return the pin of the first certificate in a PEM file."""
    return pin_of_pem(certificate.read_bytes())


def pin_of_pem(data: bytes) -> str:
    """Return the pin of the first certificate in PEM text; ValueError where there is none."""
    return _pin(x509.load_pem_x509_certificate(data))


def expiry_of_pem(data: bytes) -> float:
    """Return when the first certificate in PEM text expires, in seconds since 1970."""
    return x509.load_pem_x509_certificate(data).not_valid_after_utc.timestamp()


def _pin(certificate: x509.Certificate) -> str:
    info = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return b64.encode(hashlib.sha256(info).digest())


def check_private(path: Path) -> None:
    """Refuse a file with a secret that others than its owner may read or write.

    Raises:
        SecurityError: ``exposed-file``, with the command that mends it.
    """
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SecurityError(
            "exposed-file",
            f"Others on this machine may read {path}, which must stay secret. "
            f"Run: chmod 600 '{path}'",
        )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, data: bytes, mode: int) -> None:
    """Write the whole file or none of it; nobody else can read a key, not even for a moment."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
