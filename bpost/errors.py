"""The exceptions of BPost: one tree, sorted by whose fault it is.

    BPostError
    ├── LocalError            this program, its caller or its machine: a bad argument, a full disk
    │   ├── UsageError        a call that makes no sense now, or a value that cannot be
    │   ├── ProfileError      the profile folder cannot be used (locked, not ours, damaged)
    │   └── StoreError        the database cannot be used (missing, newer, damaged, full)
    ├── RemoteError           the other side said something wrong, or said no
    │   ├── FrameError        what arrived is no frame of the protocol
    │   └── Refused           the server answered "Error" (PROTOCOL: Reasons)
    ├── SecurityError         something that may be an attack: a signature, a token, a pin
    │   ├── AccountLost       the password is right, and the key of the account is not to be had
    │   └── UntrustedCertificate   a server whose certificate nobody vouches for yet
    └── TransportError        the network: refused, cut, timed out
        ├── ConnectionClosed  the connection ended, in order or not
        └── TimedOut          a deadline passed

Programs look at the type and the attributes, people read ``str(error)``: one or more full
sentences that say what happened, why, and what to do next. No message holds a secret.
"""

from __future__ import annotations


class BPostError(Exception):
    """The root of all errors that BPost raises on purpose."""


class LocalError(BPostError):
    """This program, its caller or its machine is at fault."""


class UsageError(LocalError):
    """A call that makes no sense in this state, or a value that cannot be."""


class ProfileError(LocalError):
    """The profile folder cannot be used."""


class StoreError(LocalError):
    """The database cannot be used."""


class RemoteError(BPostError):
    """The other side said something wrong, or said no."""


class FrameError(RemoteError):
    """What arrived is no frame of the protocol; ``reason`` is one of its stable words.

    As far as they could be read: ``code``, ``ref`` and ``subject`` (the recipient or contact).
    """

    def __init__(self, text: str, reason: str = "bad-frame") -> None:
        super().__init__(text)
        self.reason = reason
        self.code: int | None = None
        self.ref: str | None = None
        self.subject: str | None = None


class Refused(RemoteError):
    """The server answered "Error": ``reason`` for programs, ``text`` for people."""

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(text or f"The server refused: {reason}.")
        self.reason = reason
        self.text = text


class SecurityError(BPostError):
    """Something that may be an attack; ``cause`` is a stable word of the closed list below."""

    CAUSES = frozenset(
        {
            "bad-signature",
            "bad-key",
            "bad-token",
            "bad-encoding",
            "bad-bundle",
            "bundle-expired",
            "old-device-list",
            "unknown-device",
            "device-changed",
            "account-key-changed",
            "wrong-recipient",
            "wrong-sender",
            "wrong-author",
            "wrong-conversation",
            "replayed",
            "restored",
            "duplicate",
            "used-key",
            "no-session",
            "unknown-prekey",
            "skipped-too-far",
            "out-of-keys",
            "too-large",
            "newer-version",
            "older-version",
            "weak-parameters",
            "vault-missing",
            "bad-vault",
            "untrusted-certificate",
            "pin-mismatch",
            "plaintext-server",
            "exposed-file",
            "log-forked",
            "log-restored",
            "log-false-key",
            "log-own-key",
            "log-old-list",
            "log-broken",
        }
    )

    def __init__(self, cause: str, text: str) -> None:
        if cause not in self.CAUSES:
            raise ValueError(f"{cause!r} is not one of the listed causes")
        super().__init__(text)
        self.cause = cause


class AccountLost(SecurityError):
    """The account's key is not to be had: what is left is to begin anew, if the user says so."""


class UntrustedCertificate(SecurityError):
    """A certificate that nobody vouches for; ``pin`` is what a person may compare and trust.

    ``reason`` says why it is not trusted; the text of the error also says what to do about it.
    """

    def __init__(self, reason: str, pin: str) -> None:
        advice = (
            f"If the server's owner tells you the same pin, {pin}, you can trust it by its pin."
        )
        super().__init__("untrusted-certificate", f"{reason} {advice}")
        self.reason = reason
        self.pin = pin


class TransportError(BPostError):
    """The network is at fault."""


class ConnectionClosed(TransportError):
    """The connection ended; ``code`` is the WebSocket close code where there was one."""

    def __init__(self, text: str = "The connection was closed.", code: int | None = None) -> None:
        super().__init__(text)
        self.code = code


class TimedOut(TransportError):
    """A deadline passed."""
