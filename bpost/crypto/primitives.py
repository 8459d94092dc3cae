"""The primitives, and the only place that calls the ``cryptography`` library.

Keys travel as raw bytes and are checked here, at each use, to be canonical: X25519 ignores some
bits and OpenSSL accepts Ed25519 keys of small order, and both would let two different texts stand
for one key. Failures are SecurityError, and say nothing that depends on a secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import threading
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric import ed25519, mlkem, x25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from bpost.errors import SecurityError

Random = Callable[[int], bytes]
"""Returns that many unpredictable bytes. A parameter, so that tests can be exact."""

KEY = 32
SIGNATURE = 64
KEM_SEED = 64
KEM_PUBLIC = 1184
KEM_CIPHERTEXT = 1088

FIELD = 2**255 - 19
"""The prime of Curve25519: a coordinate is canonical when it is smaller."""

_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
SMALL_ORDER = frozenset({0, 1, FIELD - 1, _ORDER_8, FIELD - _ORDER_8})
"""The y coordinates of the 8 points of Ed25519 whose order divides 8."""

TOKEN_START = b"\x80" + bytes(8)
"""How every token of ours begins: Fernet's version, and the time 0 instead of a clock."""
TOKEN_OVERHEAD = len(TOKEN_START) + 16 + 32

# Guards OpenSSL's workers for Argon2; held for as long as one derivation takes.
_argon2_lock = threading.Lock()


def random_bytes(count: int) -> bytes:
    """Return ``count`` bytes from the operating system."""
    return os.urandom(count)


def equal(one: bytes, other: bytes) -> bool:
    """Compare in a time that tells nothing about the contents."""
    return hmac.compare_digest(one, other)


def sha256(*parts: bytes) -> bytes:
    """Hash ``parts``, one behind the other."""
    return hashlib.sha256(b"".join(parts)).digest()


def sha512(*parts: bytes) -> bytes:
    """Hash ``parts``, one behind the other."""
    return hashlib.sha512(b"".join(parts)).digest()


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """Return the HMAC of ``data`` (RFC 2104)."""
    return hmac.digest(key, data, "sha256")


def hkdf(secret: bytes, *, info: bytes, length: int = KEY, salt: bytes = b"") -> bytes:
    """Derive ``length`` bytes (RFC 5869); ``info`` begins with a label of :mod:`labels`."""
    return HKDF(SHA256(), length, salt or None, info).derive(secret)


def argon2id(
    password: bytes, salt: bytes, *, memory_kib: int, passes: int, lanes: int, length: int = KEY
) -> bytes:
    """Stretch a password (RFC 9106), one at a time.

    Two derivations in two threads would share the workers that OpenSSL keeps for the lanes, and
    wait for each other for ever (seen with cryptography 50.0.2).
    """
    costs = Argon2id(
        salt=salt, length=length, iterations=passes, lanes=lanes, memory_cost=memory_kib
    )
    with _argon2_lock:
        return costs.derive(password)


def scrypt(secret: bytes, salt: bytes, *, n: int, r: int, p: int, length: int = KEY) -> bytes:
    """Stretch a secret (RFC 7914)."""
    return Scrypt(salt=salt, length=length, n=n, r=r, p=p).derive(secret)


def check_x25519(public: bytes) -> bytes:
    """Return ``public`` if it is a canonical X25519 key; raise SecurityError ``bad-key`` if not.

    X25519 itself ignores the top bit and reduces what is left (RFC 7748, section 5), so other
    spellings of a key would agree on the same secrets.
    """
    if len(public) != KEY or int.from_bytes(public, "little") >= FIELD:
        raise _bad_key("A key for agreement (X25519) is not in canonical form.")
    return public


def check_ed25519(public: bytes) -> bytes:
    """Return ``public`` if it may be an account key; raise SecurityError ``bad-key`` if not.

    Refused are the keys of small order, for which signatures exist that fit any message, in all
    14 encodings, and every other key that is not canonical.
    """
    y = int.from_bytes(public, "little") & (2**255 - 1)
    if len(public) != KEY or y >= FIELD or y in SMALL_ORDER:
        raise _bad_key("An account key (Ed25519) is not canonical, or too weak to be one.")
    return public


def check_kem(public: bytes) -> bytes:
    """Return ``public`` if it is an ML-KEM-768 key (FIPS 203, 7.2); raise ``bad-key`` if not."""
    _kem_public(public)
    return public


class X25519Private:
    """A private key for Diffie-Hellman agreement; ``repr`` hides it."""

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY:
            raise _bad_key("A private key for agreement (X25519) has the wrong length.")
        self.raw = raw
        self._key = x25519.X25519PrivateKey.from_private_bytes(raw)
        self.public = self._key.public_key().public_bytes_raw()

    def exchange(self, peer: bytes) -> bytes:
        """Agree on a secret with the owner of ``peer``.

        Raises:
            SecurityError: ``bad-key``, when ``peer`` is not canonical or the result is all zero.
        """
        key = x25519.X25519PublicKey.from_public_bytes(check_x25519(peer))
        try:
            return self._key.exchange(key)
        except ValueError:
            raise _bad_key("A key for agreement (X25519) leads to no secret.") from None

    def __repr__(self) -> str:
        return "X25519Private(…)"


class Ed25519Private:
    """A private key for signatures, made from its 32-byte seed; ``repr`` hides it."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != KEY:
            raise _bad_key("A private key for signatures (Ed25519) has the wrong length.")
        self.seed = seed
        self._key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of ``message`` (RFC 8032)."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return "Ed25519Private(…)"


class KemPrivate:
    """A private key of ML-KEM-768, made from its 64-byte seed (d | z); ``repr`` hides it."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != KEM_SEED:
            raise _bad_key("A private key of ML-KEM-768 has the wrong length.")
        self.seed = seed
        self._key = mlkem.MLKEM768PrivateKey.from_seed_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Return the secret inside ``ciphertext``, or, silently, another one if it was altered.

        (FIPS 203, section 6.3: implicit rejection. What was sealed with it then does not open.)

        Raises:
            SecurityError: ``bad-encoding``, when the ciphertext has the wrong length.
        """
        if len(ciphertext) != KEM_CIPHERTEXT:
            text = f"An ML-KEM-768 ciphertext has {len(ciphertext)} bytes, not {KEM_CIPHERTEXT}."
            raise SecurityError("bad-encoding", text)
        return self._key.decapsulate(ciphertext)

    def __repr__(self) -> str:
        return "KemPrivate(…)"


def generate_x25519(random: Random = random_bytes) -> X25519Private:
    """Make a new private key."""
    return X25519Private(random(KEY))


def generate_ed25519(random: Random = random_bytes) -> Ed25519Private:
    """Make a new private key."""
    return Ed25519Private(random(KEY))


def generate_kem(random: Random = random_bytes) -> KemPrivate:
    """Make a new private key."""
    return KemPrivate(random(KEM_SEED))


def verify_ed25519(public: bytes, signature: bytes, message: bytes) -> None:
    """Check that the owner of ``public`` signed ``message``.

    Raises:
        SecurityError: ``bad-signature``; ``bad-key`` when no signature by such a key counts.
    """
    key = ed25519.Ed25519PublicKey.from_public_bytes(check_ed25519(public))
    try:
        key.verify(signature, message)
    except InvalidSignature:
        text = "A signature does not fit: what it stands under was altered, or signed by another."
        raise SecurityError("bad-signature", text) from None


def encapsulate(public: bytes) -> tuple[bytes, bytes]:
    """Return (ciphertext, secret) for the owner of ``public``; raise ``bad-key`` for a bad one."""
    secret, ciphertext = _kem_public(public).encapsulate()
    return ciphertext, secret


def seal(key: bytes, plaintext: bytes) -> bytes:
    """Seal ``plaintext`` with Fernet, as raw bytes, with the time 0; use each key for one context.

    Fernet's text form is malleable, so tokens travel raw and are spelled again on opening.
    """
    token = Fernet(base64.urlsafe_b64encode(key)).encrypt_at_time(plaintext, 0)
    return base64.urlsafe_b64decode(token)


def open_sealed(key: bytes, token: bytes) -> bytes:
    """Open what :func:`seal` made.

    Raises:
        SecurityError: ``bad-token``, with one text whatever is wrong.
    """
    whole_blocks = len(token) > TOKEN_OVERHEAD and (len(token) - TOKEN_OVERHEAD) % 16 == 0
    if not whole_blocks or not token.startswith(TOKEN_START):
        raise _bad_token()
    try:
        return Fernet(base64.urlsafe_b64encode(key)).decrypt(base64.urlsafe_b64encode(token))
    except InvalidToken:
        raise _bad_token() from None


def _kem_public(public: bytes) -> mlkem.MLKEM768PublicKey:
    """Load an encapsulation key; OpenSSL checks its length and that all coefficients are < q."""
    try:
        return mlkem.MLKEM768PublicKey.from_public_bytes(public)
    except ValueError:
        raise _bad_key(
            "An ML-KEM-768 key is not one: its length or a coefficient is out."
        ) from None


def _bad_key(text: str) -> SecurityError:
    return SecurityError("bad-key", text + " It is damaged, or somebody is attacking.")


def _bad_token() -> SecurityError:
    text = "Something sealed does not open: it was altered, or sealed for another key."
    return SecurityError("bad-token", text)
