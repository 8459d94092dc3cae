"""Certificates with one thing wrong with each, and servers that show them."""

from __future__ import annotations

import datetime
import socket
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from tests.net.listening import Listening

DAY = datetime.timedelta(days=1)
RSA_SHA256 = bytes.fromhex("06092a864886f70d01010b")
RSA_SHA1 = bytes.fromhex("06092a864886f70d010105")
"""How a certificate names what it is signed with, in DER."""

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Forged:
    """A certificate, its key, and the chain to show with it."""

    certificate: x509.Certificate
    key: Key
    chain: tuple[x509.Certificate, ...] = ()


def forge(
    issuer: Forged | None = None,
    *,
    name: str = "localhost",
    authority: bool = False,
    key: Key | None = None,
    begins: int = -1,
    ends: int = 30,
) -> Forged:
    """Make a certificate by ``issuer`` or itself, valid ``begins`` to ``ends`` days from now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    key = key or ec.generate_private_key(ec.SECP256R1())
    signer = issuer.key if issuer else key
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} {begins} {ends}")])
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    other = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins * DAY)
        .not_valid_after(now + ends * DAY)
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(usage(authority), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(own, critical=False)
        .add_extension(other, critical=False)
        .sign(signer, hashes.SHA256())
    )
    return Forged(built, key, (issuer.certificate, *issuer.chain) if issuer else ())


def usage(authority: bool) -> x509.KeyUsage:
    """Return what a CA, or a leaf, may be used for."""
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def forge_with_sha1(issuer: Forged) -> Forged:
    """Make a certificate that ``issuer``, whose key is RSA, has signed over SHA-1.

    No library does that any more: it is made over SHA-256, and signed once more.
    """
    made = forge(issuer)
    assert isinstance(issuer.key, rsa.RSAPrivateKey), "both signatures then have one length"
    body = made.certificate.tbs_certificate_bytes.replace(RSA_SHA256, RSA_SHA1)
    signature = issuer.key.sign(body, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
    whole = made.certificate.public_bytes(serialization.Encoding.DER)
    whole = whole.replace(RSA_SHA256, RSA_SHA1).replace(made.certificate.signature, signature)
    return Forged(x509.load_der_x509_certificate(whole), made.key, made.chain)


def private_pem(key: Key) -> bytes:
    """Return the key as a PEM file."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def pem(*certificates: x509.Certificate) -> bytes:
    """Return the certificates as a PEM file."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


class ForgedServer(Listening):
    """A TLS server with a forged certificate, which counts what it is told after the handshake."""

    def __init__(self, forged: Forged) -> None:
        super().__init__()
        self.told = b""
        self._context = self._load(forged)

    def _load(self, forged: Forged) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # or OpenSSL would not show a weak key
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "all.pem"
            file.write_bytes(private_pem(forged.key) + pem(forged.certificate, *forged.chain))
            context.load_cert_chain(file)
        return context

    def welcome(self, sock: socket.socket) -> None:
        """Do the handshake, and listen once."""
        try:
            with self._context.wrap_socket(sock, server_side=True) as connection:
                self.told += connection.recv(4096)
        except OSError:
            sock.close()
