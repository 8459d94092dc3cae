"""A TLS connection that looks like a socket and that several threads may use at once.

An OpenSSL connection must never be used by two threads at the same time, and CPython does not
guard it (CPython issues 143756, 151508, 137583). So the TLS engine works in memory, under a lock
that is never held across the network, and only ciphertext that it made goes to the socket: there
is no way for a byte to leave in clear, and the engine knows no descriptor.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time

from bpost.net.sockets import prepare, wait
from bpost.net.turns import Seat, Tend, Turns

RECORD = 16 * 1024
# What passes through a BIO at once: its buffer grows to that and never shrinks again.
SLICE = 4 * 1024
CHUNK = 64 * 1024
DRAIN = 8 * 1024 * 1024
# How many bytes of records without data (KeyUpdates, tickets) a peer may be ahead of its data,
# and how much each record with data allows: its own header and tag, and a little more.
IDLE = 48 * 1024
IDLE_PER_RECORD = 64
# The first byte that a TLS peer sends: a handshake record or an alert (RFC 8446, section 5.1).
_FIRST_BYTES = (0x16, 0x15)


class PlaintextPeerError(OSError):
    """The peer answered in clear where TLS was due."""


class TLSStream:
    """TLS over a connected TCP socket, which belongs to the stream from now on.

    One thread reads at a time; any thread may send, and close. Failures are OSErrors, as with a
    socket: TimeoutError, BrokenPipeError, ssl.SSLError.
    """

    __slots__ = (
        "_broken",
        "_ended",
        "_idle",
        "_incoming",
        "_outgoing",
        "_owed",
        "_read_lock",
        "_ready",
        "_reply_waits",
        "_seat",
        "_sock",
        "_timeout",
        "_tls",
        "_tls_lock",
        "_wire_lock",
    )

    def __init__(
        self,
        sock: socket.socket,
        context: ssl.SSLContext,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
    ) -> None:
        """Prepare the socket and the engine; :meth:`handshake` must follow."""
        prepare(sock)
        self._sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side, server_hostname=server_hostname
        )
        # Guards receiving, _ready, _ended, _idle; held while waiting for the network; taken first.
        self._read_lock = threading.Lock()
        # Guards sending, so that ciphertext leaves in the order it was made, and _owed; taken
        # after _read_lock.
        self._wire_lock = threading.Lock()
        # Guards _tls and both BIOs; never held across the network; taken after _wire_lock.
        self._tls_lock = threading.Lock()
        self._ready: bytes | memoryview = b""
        self._owed: bytes | memoryview = b""
        self._ended = False
        self._idle = 0
        self._broken = False
        self._reply_waits = False
        self._timeout: float | None = None
        self._seat: Seat | None = None

    # Opening.

    def handshake(self, deadline: float) -> None:
        """Do the TLS handshake before ``deadline`` (monotonic); no other thread sends yet.

        Raises:
            PlaintextPeerError: the peer does not speak TLS.
            OSError: the peer left, or OpenSSL refused it (ssl.SSLError).
        """
        with self._read_lock, self._wire_lock:
            heard = False
            while not self._shake_hands():
                self._push(deadline)
                data = self._receive(deadline)
                if not data:
                    raise ConnectionResetError("the peer left during the TLS handshake")
                if not heard and data[0] not in _FIRST_BYTES:
                    raise PlaintextPeerError("the peer does not speak TLS")
                heard = True
                self._incoming.write(data)
            self._push(deadline)

    def _shake_hands(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError:
            with contextlib.suppress(OSError):
                self._push(None, patient=False)  # the alert that says why
            raise
        return True

    def certificate(self) -> bytes:
        """Return the peer's certificate (DER)."""
        with self._tls_lock:
            return self._tls.getpeercert(binary_form=True) or b""

    def version(self) -> str:
        """Return the version of TLS that was agreed on."""
        with self._tls_lock:
            return self._tls.version() or ""

    # Receiving.

    def recv(self, size: int) -> bytes:
        """Return up to ``size`` bytes, or none at the end; waits as :meth:`settimeout` says."""
        with self._read_lock:
            if not self._ready:
                self._ready = self._fill(self._timeout)
            data = self._ready
            self._ready = b"" if len(data) <= size else memoryview(data)[size:]
            return bytes(data[:size])

    def receive(self, timeout: float | None) -> bytes:
        """Return all that has been decrypted, waiting for at least one byte; none at the end.

        Raises:
            TimeoutError: nothing came in ``timeout`` seconds; reading may go on.
        """
        with self._read_lock:
            if not self._ready:
                return self._fill(timeout)
            data, self._ready = self._ready, b""
            return bytes(data)

    def _fill(self, timeout: float | None) -> bytes:
        """Wait until something is decrypted and return all of it. Holds the read lock."""
        deadline = None if timeout is None else time.monotonic() + timeout
        data, raw = b"", None
        while not self._ended:
            data = self._decrypt(raw)
            if self._reply_waits:
                self._flush_reply()
            if data:
                break
            if raw and deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError("nothing but records without data came in time")
            if not self._ended:
                raw = self._receive(deadline)
        return data

    def _decrypt(self, raw: bytes | None) -> bytes:
        """Feed the engine and take all that it has decrypted (a selector could not see it)."""
        parts: list[bytes] = []
        with self._tls_lock:
            try:
                if not raw:
                    if raw is not None:
                        self._incoming.write_eof()
                    self._read_records(parts)
                else:
                    view = memoryview(raw)
                    for start in range(0, len(raw), SLICE):
                        self._incoming.write(view[start : start + SLICE])
                        self._read_records(parts)
            except ssl.SSLError:
                # Out of step for good. What was sound before it is handed out first.
                self._ended = True
                self._abort()
                if not parts:
                    raise
            # A KeyUpdate to answer, or an alert. Set before the wire is tried: see _free_wire.
            self._reply_waits = self._outgoing.pending > 0
            if raw:
                self._count_idle(len(raw), parts)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _count_idle(self, received: int, parts: list[bytes]) -> None:
        """Bound what costs work or memory and brings no data. Holds the TLS lock."""
        brought = sum(map(len, parts)) + IDLE_PER_RECORD * len(parts)
        self._idle = max(0, self._idle + received - brought)
        if self._idle > IDLE or self._outgoing.pending > IDLE:
            self._ended = True
            self._abort()
            raise ConnectionAbortedError("the peer sends records without data and no end")

    def _read_records(self, parts: list[bytes]) -> None:
        """Take what the engine can decrypt now. Holds the TLS lock."""
        try:
            while part := self._tls.read(RECORD):
                parts.append(part)
                if not (self._incoming.pending or self._tls.pending()):
                    return
            self._ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLEOFError:
            self._ended = True  # cut off: the frames above show what is missing

    def _receive(self, deadline: float | None) -> bytes:
        while True:
            if self._seat is None:
                wait(self._sock, deadline)
            else:
                self._seat.wait(deadline)
            with contextlib.suppress(BlockingIOError, InterruptedError):
                return self._sock.recv(CHUNK)

    def sit(self, turns: Turns | None, tend: Tend | None = None) -> None:
        """Let the reading thread take turns; with None it waits by itself again."""
        if self._seat is not None:
            self._seat.leave()
        self._seat = None if turns is None else turns.seat(self._sock.fileno(), tend)

    def drain(self, deadline: float) -> None:
        """Throw away what the peer still sends, until it has finished, or ``deadline``.

        A socket closed with unread bytes resets the connection and destroys what is under way.
        """
        left = DRAIN
        with self._read_lock, contextlib.suppress(OSError):
            while left > 0 and (data := self._receive(deadline)):
                left -= len(data)

    # Sending.

    def send(self, data: bytes | memoryview) -> int:
        """Send all of ``data``, waiting as :meth:`settimeout` says; a timeout breaks the stream."""
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        seconds = -1 if deadline is None else max(0.0, deadline - time.monotonic())
        if not self._wire_lock.acquire(timeout=seconds):
            self._abort()
            raise TimeoutError("another send did not end in time")
        try:
            self._encrypt(data)
            self._push(deadline)
        finally:
            self._wire_lock.release()
        self._free_wire()
        return len(data)

    sendall = send

    def try_send(self, data: bytes = b"") -> int:
        """Send ``data`` after what is owed, without waiting; return how many bytes are owed now.

        Call it again, without data, until nothing is owed: bytes that the socket did not take
        stay here, encrypted.
        """
        with self._wire_lock:
            if data:
                self._encrypt(data)
            self._push(None, patient=False)
            owed = len(self._owed)
        self._free_wire()
        return owed

    def wait_to_send(self, deadline: float | None) -> None:
        """Wait until the socket may take more; TimeoutError after ``deadline`` (monotonic).

        For the thread that will close the stream, and no other.
        """
        wait(self._sock, deadline, writing=True)

    def _encrypt(self, data: bytes | memoryview) -> None:
        """Turn ``data`` into ciphertext that is owed, a slice at a time. Holds the wire lock."""
        if self._broken:
            raise BrokenPipeError("the connection is closed")
        parts = [bytes(self._owed)] if self._owed else []
        view = memoryview(data)
        with self._tls_lock:
            for start in range(0, len(data), SLICE):
                self._tls.write(view[start : start + SLICE])
                parts.append(self._outgoing.read())
        self._owed = parts[0] if len(parts) == 1 else b"".join(parts)

    def _push(self, deadline: float | None, *, patient: bool = True) -> None:
        """Give the socket what it takes; all of it, if ``patient``. Holds the wire lock."""
        try:
            while self._owed or self._take():
                try:
                    sent = self._sock.send(self._owed)
                    self._owed = b"" if sent == len(self._owed) else memoryview(self._owed)[sent:]
                except (BlockingIOError, InterruptedError):
                    if not patient:
                        return
                    wait(self._sock, deadline, writing=True)
        except OSError:
            # What was half sent can never be taken back, nor anything follow it.
            self._owed = b""
            self._abort()
            raise

    def _take(self) -> bool:
        with self._tls_lock:
            self._owed = self._outgoing.read()
            self._reply_waits = False
        return bool(self._owed)

    def _flush_reply(self) -> None:
        """Send what reading produced, unless a sender has the wire: then that one does."""
        if self._wire_lock.acquire(blocking=False):
            try:
                with contextlib.suppress(OSError):
                    self._push(None, patient=False)
            finally:
                self._wire_lock.release()
            self._free_wire()

    def _free_wire(self) -> None:
        """Look again after releasing the wire: a reader may have found it busy just before."""
        if self._reply_waits and not self._owed:
            self._flush_reply()

    # Closing.

    def finish(self) -> None:
        """Say that nothing more will be sent: close_notify, then FIN.

        Send everything first, since what the socket has not taken is lost; then :meth:`drain`.
        """
        with self._wire_lock:
            if self._broken:
                return
            self._broken = True
            with self._tls_lock, contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            with contextlib.suppress(OSError):
                self._push(None, patient=False)
                self._sock.shutdown(socket.SHUT_WR)

    def shutdown(self, how: int = socket.SHUT_RDWR) -> None:
        """End sending in order (SHUT_WR), or all at once, which wakes every thread."""
        if how == socket.SHUT_WR:
            self.finish()
        else:
            self._abort()

    def cut(self) -> None:
        """End it for a peer that goes on talking: nothing of either side counts any more.

        The last close resets the connection, so that a peer whose sending is stuck learns of it.
        """
        self._ended = True  # the system may hold megabytes that nobody wants any more
        with contextlib.suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._abort()

    def _abort(self) -> None:
        self._broken = True
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Wake every thread, let them leave, and only then give the descriptor back.

        A descriptor closed under another thread would become the next connection's.
        """
        self._abort()
        with self._read_lock, self._wire_lock:
            self._sock.close()

    # What else a socket has.

    def settimeout(self, seconds: float | None) -> None:
        """Bound each :meth:`recv` and :meth:`send` that begins from now on."""
        self._timeout = seconds

    def gettimeout(self) -> float | None:
        """Return what :meth:`settimeout` set."""
        return self._timeout

    def fileno(self) -> int:
        """Return the descriptor, to wait for; -1 when closed."""
        return self._sock.fileno()
