"""The listener: a thread that accepts, and a thread for each connection.

The accepting thread does nothing but accept: TLS, the WebSocket handshake and all that follows run
in the connection's own thread, so a silent client delays nobody.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from bpost.errors import BPostError, LocalError
from bpost.net.drainer import Drainer
from bpost.net.request import RequestError
from bpost.net.tls import ServerTLS
from bpost.net.turns import Turns
from bpost.net.ws_server import ServerConnection, accept
from bpost.protocol.codes import Reason
from bpost.protocol.replies import Closing
from bpost.server.addresses import meter_key
from bpost.server.log import incident
from bpost.server.office import Office
from bpost.server.presence import POLICY
from bpost.server.rules import RULES
from bpost.server.session import Session

BACKLOG = 1024
PAUSE_SECONDS = 0.1
"""How long accepting rests when the machine has no descriptor or thread left."""
WAKE_SECONDS = 0.5
STUCK_SECONDS = 10.0
"""After so long without a look, the accepting thread is taken for stuck."""
STOP_SECONDS = 8.0
TURN_SECONDS = 0.0001
"""By how much each connection lengthens the turns of all: docs/performance.md has the figures."""
GOING_AWAY = 1001

SLOW = Closing(Reason.SLOW_READER, "You did not read; your mail waits for you.").text()
LATE = Closing(Reason.NOT_LOGGED_IN, "You did not log in in time.").text()
CROWDED = Closing(Reason.BUSY, "There are too many connections from your address.").text()
RESTARTING = "The server is closing. Connect again in a moment."


@dataclass(eq=False, slots=True)
class _Visit:
    """A connection on its way through the server: a socket, then a WebSocket with a session."""

    sock: socket.socket
    host: str
    connection: ServerConnection | None = field(default=None)
    session: Session | None = field(default=None)


_Part = Callable[[], bool]
"""Does a part of a connection's life; tells whether another thread goes on with it."""


@dataclass(frozen=True)
class Census:
    """The connections now, with the bytes that wait for them; and how many came since the start."""

    arriving: int
    connected: int
    queued: int
    accepted: int
    turned_away: int


class Listener:
    """Accepts connections on one address, for one office."""

    def __init__(self, office: Office, tls: ServerTLS) -> None:
        self._office = office
        self._tls = tls
        self._log = office.log
        self._drainer = Drainer(lambda error: self._log.failure("drainer", error, incident()))
        self._origins = frozenset(office.config.origins)
        self._thread: threading.Thread | None = None
        self._listening: socket.socket | None = None
        # Guards the visits and whether there may be more; told when a visit has ended.
        self._changed = threading.Condition()
        self._visits: set[_Visit] = set()
        self._here: Counter[str] = Counter()  # how many of them an address has
        self._stopping = False
        self._turn = sys.getswitchinterval()
        self._accepted = 0
        self._turned_away = 0
        # Written by the accepting thread alone: when it was last ready, and what kept it.
        self._ready = 0.0
        self._kept = ""

    def start(self) -> int:
        """Listen; return the port, which may have been chosen now.

        Raises:
            LocalError: the address cannot be listened on.
        """
        config = self._office.config
        try:
            listening = self._listening = _listen(config.host, config.port)
        except (OSError, UnicodeError) as error:  # a name with an empty or too long part
            raise LocalError(_cannot_listen(config.host, config.port, error)) from error
        port = int(listening.getsockname()[1])
        self._drainer.start()
        self._ready = time.monotonic()
        self._thread = threading.Thread(
            target=self._accept, args=(listening,), name="bpost-accept", daemon=True
        )
        self._thread.start()
        return port

    def stop(self) -> None:
        """Accept no more, tell the clients, and wait for their threads for some seconds."""
        with self._changed:
            self._stopping = True
            visits = list(self._visits)
        if self._thread is None or self._listening is None:
            self._drainer.stop()
            return
        _cut(self._listening)
        self._thread.join()
        last = Closing(Reason.BUSY, RESTARTING).text()
        for visit in visits:
            if visit.connection is None:
                _cut(visit.sock)
            else:
                visit.connection.close(GOING_AWAY, "closing", last)
        with self._changed:
            self._changed.wait_for(lambda: not self._visits, STOP_SECONDS)
        self._drainer.stop()

    def census(self) -> Census:
        """Count the connections."""
        with self._changed:
            visits, accepted, away = list(self._visits), self._accepted, self._turned_away
        connected = [visit.connection for visit in visits if visit.connection is not None]
        queued = sum(connection.queued for connection in connected)
        return Census(len(visits) - len(connected), len(connected), queued, accepted, away)

    @property
    def trouble(self) -> str:
        """What keeps new connections out, in a sentence; empty where nothing does."""
        with self._changed:
            full = len(self._visits) >= self._office.config.connections
        if self._stopping or self._thread is None:
            return "The server is closing."
        if not self._thread.is_alive() or time.monotonic() - self._ready > STUCK_SECONDS:
            return "The thread that accepts connections does not go on."
        if self._kept:
            return f"New connections cannot be accepted: {self._kept}."
        return "There are as many connections as may be (--connections)." if full else ""

    def _accept(self, listening: socket.socket) -> None:
        with listening:
            while not self._stopping:
                self._ready = time.monotonic()
                try:
                    sock, address = listening.accept()
                except TimeoutError:
                    self._kept = ""
                    continue
                except OSError as error:
                    self._rest(error)
                    continue
                self._kept = ""
                self._receive(sock, str(address[0]))

    def _receive(self, sock: socket.socket, host: str) -> None:
        """Give a new connection its thread, or turn it away."""
        visit = _Visit(sock, host)
        if not self._enter(visit):
            sock.close()
            return
        try:
            self._give_thread(visit, partial(self._arrive, visit))
        except RuntimeError as error:
            self._leave(visit)
            sock.close()
            self._rest(error)

    def _enter(self, visit: _Visit) -> bool:
        key, config = meter_key(visit.host), self._office.config
        proxied = config.proxies.covers(visit.host)
        with self._changed:
            full = len(self._visits) >= config.connections
            crowded = self._here[key] >= config.connections_from(visit.host) and not proxied
            welcome = not (full or crowded or self._stopping)
            self._turned_away += full or crowded
            self._accepted += welcome
            if welcome:
                self._visits.add(visit)
                self._here[key] += 1
                self._pace()
        if full or crowded:
            self._log.warning("turned away", address=visit.host, full=full)
        return welcome

    def _settle(self, visit: _Visit, peer: str) -> bool:
        """Count a visit where a proxy says that it is from; False for one too many."""
        before, key = meter_key(visit.host), meter_key(peer)
        if before == key:
            return True
        with self._changed:
            self._forget(before)
            visit.host = peer
            self._here[key] += 1
            crowded = self._here[key] > self._office.config.connections_from(peer)
            self._turned_away += crowded
        if crowded:
            self._log.warning("turned away", address=peer, full=False)
        return not crowded

    def _forget(self, key: str) -> None:
        """Count one fewer; holds the lock."""
        self._here[key] -= 1
        if not self._here[key]:
            del self._here[key]

    def _leave(self, visit: _Visit) -> None:
        with self._changed:
            self._visits.discard(visit)
            self._pace()
            self._forget(meter_key(visit.host))
            self._changed.notify_all()

    def _pace(self) -> None:
        """Let waiting threads ask for their turn less often the more there are of them.

        However many wait, all their asking together costs the same, a few per cent of a core.
        Where they take turns hardly any wait. Holds the lock.
        """
        if self._office.turns.watching:
            return
        sys.setswitchinterval(max(self._turn, len(self._visits) * TURN_SECONDS))

    def _rest(self, error: Exception) -> None:
        """Pause, so that what is missing can come back."""
        if not self._stopping:
            self._kept = getattr(error, "strerror", None) or str(error)
            self._log.failure("accepting", error)
            threading.Event().wait(PAUSE_SECONDS)

    def _give_thread(self, visit: _Visit, part: _Part) -> None:
        """Let a new thread do one part of a connection's life.

        Raises:
            RuntimeError: the system has no thread left.
        """
        thread = threading.Thread(
            target=self._do, args=(visit, part), name="bpost-connection", daemon=True
        )
        thread.start()

    def _do(self, visit: _Visit, part: _Part) -> None:
        """Do one part of a connection's life: the body of its thread."""
        goes_on = False
        try:
            goes_on = part()
        except Exception as error:
            self._log.failure("connection", error, incident())
        finally:
            if not goes_on:
                self._end(visit)

    def _end(self, visit: _Visit) -> None:
        try:
            if visit.session is not None:
                visit.session.leave()
        finally:
            self._leave(visit)

    def _arrive(self, visit: _Visit) -> bool:
        """Shake hands and log in, then leave the connection to another thread and say so.

        For a thread that has done that keeps a stack and caches that have grown by it: 23 KiB,
        half of what all else of an idle connection needs (docs/performance.md).
        """
        connection = self._welcome(visit)
        if connection is None:
            return False
        session = visit.session = self._meet(connection)
        connection.set_deadline(self._office.limits.log_in_seconds, LATE)

        def greet(text: str) -> None:
            session.hear(text)
            if session.account is not None:
                connection.pause()

        if not self._serve(connection, greet):
            return False
        stay = partial(self._serve, connection, session.hear, self._office.turns)
        try:
            self._give_thread(visit, stay)
        except RuntimeError:
            return stay()  # in this one then
        return True

    def _serve(
        self,
        connection: ServerConnection,
        hear: Callable[[str], None],
        turns: Turns | None = None,
    ) -> bool:
        """Serve until the connection ends, or pauses, and tell whether it goes on."""
        ending = connection.serve(hear, turns)
        if ending is None:
            return True
        self._log.debug("ended", connection=connection.id, code=ending.code, how=ending.text)
        return False

    def _meet(self, connection: ServerConnection) -> Session:
        return Session(self._office, connection, RULES)

    def _welcome(self, visit: _Visit) -> ServerConnection | None:
        """Do the handshakes; return None for a client that did not manage."""
        try:
            connection = accept(
                visit.sock,
                self._tls.context,
                self._office.limits,
                self._drainer,
                origins=self._origins,
                slow_reader=SLOW,
                proxies=self._office.config.proxies,
            )
        except (BPostError, RequestError, ssl.SSLError, OSError) as error:
            self._log.debug("no handshake", error=type(error).__name__)
            return None
        with self._changed:
            visit.connection = connection
            stopping = self._stopping
        if stopping:
            connection.close(GOING_AWAY, "closing")
        elif not self._settle(visit, connection.peer):
            connection.close(POLICY, Reason.BUSY, CROWDED)
        self._log.debug("connected", connection=connection.id, address=connection.peer)
        return connection


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket on the first address that ``host`` stands for."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
        listening.settimeout(WAKE_SECONDS)
    except OSError:
        listening.close()
        raise
    return listening


def _cut(sock: socket.socket) -> None:
    """Wake the thread that waits for this socket, where the system does that."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is gone already


def _cannot_listen(host: str, port: int, error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"There is no address {host!r} on this machine. Choose another with --host."
    return (
        f"Cannot listen on {host} port {port}: {error.strerror or error}. "
        "Another server may be running there; choose another port with --port, or 0 for a free one."
    )
