"""The sessions with one remote device, as a value and as bytes (Signal, "The Sesame Algorithm").

A session is what one handshake made. Two devices may have several: both began at the same moment,
or one lost its state and began anew. The one that a message last came in on is used to send.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bpost.crypto.codec import Reader, Writer
from bpost.crypto.handshake import Address
from bpost.crypto.message import VERSION as MESSAGE_VERSION
from bpost.crypto.primitives import KEY, equal
from bpost.crypto.ratchet_state import TIME, Ratchet
from bpost.errors import SecurityError, UsageError
from bpost.limits import MIB, Limits

VERSION = 1
ASSOCIATED = 64
LIMITS = Limits()

_NAME = 64
_STATE = 4 * MIB


@dataclass(frozen=True)
class Session:
    """One session; ``base_key`` names it, ``associated`` is the AD of its handshake.

    ``greeting`` is the outer part of the prekey messages that the initiator sends until the first
    answer, and empty from then on, and always on the other side. ``unanswered`` counts the
    messages that came since one was sent. A ``retired`` session only receives.
    """

    base_key: bytes
    associated: bytes = field(repr=False)
    ratchet: Ratchet = field(repr=False)
    started: int
    greeting: bytes = field(default=b"", repr=False)
    unanswered: int = 0
    retired: bool = False

    def is_stale(self, now: int, limits: Limits) -> bool:
        """Say whether the session has waited too long for its first answer."""
        waited = now - self.started
        return bool(self.greeting) and waited >= limits.stale_session_seconds * 1000

    @property
    def is_fresh(self) -> bool:
        """Whether it was begun here and nothing was sent on it yet."""
        sending = self.ratchet.sending
        return bool(self.greeting) and sending is not None and sending.number == 0

    def is_used_up(self, limits: Limits) -> bool:
        """Say whether the sending chain is at its end."""
        sending = self.ratchet.sending
        return sending is None or sending.number >= limits.counter


@dataclass(frozen=True)
class Sessions:
    """All sessions with one device, the one to send on first; the client stores one per device.

    ``account_public`` and ``identity`` are the keys that the sessions were made with, ``version``
    the highest version of messages that the device has used.
    """

    remote: Address
    account_public: bytes
    identity: bytes
    sessions: tuple[Session, ...] = ()
    version: int = MESSAGE_VERSION

    @property
    def current(self) -> Session | None:
        """The session that is used to send."""
        return next((one for one in self.sessions if not one.retired), None)

    @property
    def unanswered(self) -> int:
        """How many messages came in since one was sent on the session they came in on."""
        return self.current.unanswered if self.current else 0

    @property
    def skipped_keys(self) -> int:
        """How many keys of messages that have not come are stored."""
        return sum(len(one.ratchet.skipped) for one in self.sessions)

    def needs_new_session(self, now: int, limits: Limits = LIMITS) -> bool:
        """Say whether a new bundle must be fetched and :func:`session.start` called to send.

        So it is with no session, after 30 days without a first answer, and at the counter's end.
        """
        current = self.current
        return current is None or current.is_stale(now, limits) or current.is_used_up(limits)

    def answer_due(self, limits: Limits = LIMITS) -> bool:
        """Say whether an empty message should be sent, so that the ratchet turns."""
        return self.unanswered >= limits.one_sided

    def find(self, base_key: bytes) -> Session | None:
        """Return the session that ``base_key`` names."""
        return next((one for one in self.sessions if one.base_key == base_key), None)

    def check_remote(
        self, remote: Address, account_public: bytes | None, identity: bytes | None = None
    ) -> None:
        """Check that these are the sessions with ``remote``, and with these keys of it if given.

        Raises:
            SecurityError: ``account-key-changed``, ``device-changed``; ``older-version`` when the
                device has used a version of messages that this program does not speak.
            UsageError: these are the sessions with another device.
        """
        if not self.remote.same(remote):
            raise UsageError("These sessions are with another device.")
        who = self.remote.username
        if account_public is not None and not equal(account_public, self.account_public):
            text = f"The account key of {who!r} is not the one known until now."
            raise SecurityError("account-key-changed", text + " Compare the safety numbers.")
        if identity is not None and not equal(identity, self.identity):
            text = f"A device of {who!r} has another key than before: an id belongs to one key."
            raise SecurityError("device-changed", text + " The message is refused.")
        if self.version > MESSAGE_VERSION:
            text = f"A device of {who!r} went back from version {self.version} of messages to"
            raise SecurityError("older-version", f"{text} {MESSAGE_VERSION}: it is refused.")

    def under(self, account_public: bytes) -> Sessions:
        """Return the value under the account key that took over from the one known until now.

        The sessions themselves are between the devices, whose own keys stay as they are.
        """
        return replace(self, account_public=account_public)

    def put_first(self, session: Session, limits: Limits) -> Sessions:
        """Return the value with ``session`` new or moved to the front; the last may drop out."""
        others = tuple(one for one in self.sessions if one.base_key != session.base_key)
        return replace(self, sessions=(session, *others)[: limits.sessions_per_device])

    def to_bytes(self) -> bytes:
        """Return the value as bytes, for the sealed store only."""
        writer = Writer().number(VERSION, 1).number(self.version, 1)
        writer.text(self.remote.username).text(self.remote.device)
        writer.fixed(self.account_public, KEY).fixed(self.identity, KEY)
        writer.number(len(self.sessions), 1)
        for one in self.sessions:
            _write_session(writer, one)
        return writer.done()

    @classmethod
    def from_bytes(cls, data: bytes) -> Sessions:
        """Read what :meth:`to_bytes` wrote; raise SecurityError for anything else."""
        reader = Reader(data, "stored session")
        reader.version(VERSION)
        version = reader.number(1)
        value = cls(
            remote=Address(reader.text(_NAME), reader.text(_NAME)),
            account_public=reader.fixed(KEY),
            identity=reader.fixed(KEY),
            sessions=tuple(_read_session(reader) for _ in range(reader.number(1))),
            version=version,
        )
        reader.end()
        return value


def _write_session(writer: Writer, session: Session) -> None:
    writer.fixed(session.base_key, KEY).fixed(session.associated, ASSOCIATED)
    writer.blob(session.ratchet.to_bytes()).number(session.started, TIME)
    writer.blob(session.greeting).number(session.unanswered, 4).number(session.retired, 1)


def _read_session(reader: Reader) -> Session:
    return Session(
        base_key=reader.fixed(KEY),
        associated=reader.fixed(ASSOCIATED),
        ratchet=Ratchet.from_bytes(reader.blob(_STATE)),
        started=reader.number(TIME),
        greeting=reader.blob(_STATE),
        unanswered=reader.number(4),
        retired=bool(reader.number(1, 1)),
    )
