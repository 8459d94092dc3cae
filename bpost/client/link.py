"""One connection to the server: frames out from any thread, answers back to whoever asked.

Requests but 0, 5 and 12 are answered in the order in which they came (PROTOCOL), so those that
wait stand in a queue. One thread reads; it hands every frame to :meth:`Link.answer` first.
"""

from __future__ import annotations

import collections
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TypeVar

from bpost.errors import ConnectionClosed, FrameError, Refused, TimedOut
from bpost.limits import Limits
from bpost.net.abort import Abort
from bpost.net.address import ServerAddress
from bpost.net.ws_client import connect
from bpost.protocol.codes import Reason
from bpost.protocol.frames import parse_reply
from bpost.protocol.replies import Closing, LoggedIn, Refusal
from bpost.protocol.requests import LogIn
from bpost.protocol.shape import Reply, Request
from bpost.protocol.states import is_answer

R = TypeVar("R", bound=Reply)

log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Question:
    """A request whose answer is waited for."""

    request: Request
    answered: threading.Event = field(default_factory=threading.Event)
    reply: Reply | None = None


class Link:
    """A connection, logged in or not yet."""

    def __init__(self, address: ServerAddress, limits: Limits, abort: Abort | None = None) -> None:
        """Connect; raise as :func:`bpost.net.ws_client.connect` does."""
        self._connection = connect(address, limits=limits, abort=abort)
        self._limits = limits
        self.pin = self._connection.pin
        self.last_ref: str | None = None
        """Of the last message of this device that the server has, as it said at the log-in."""
        self._questions: collections.deque[_Question] = collections.deque()
        self._ended: str | None = None
        # Keeps requests and their questions in one order; held while sending.
        self._turn = threading.Lock()
        # Guards _questions and _ended; taken after _turn, nothing is called while it is held.
        self._lock = threading.Lock()

    def post(self, request: Request) -> None:
        """Send a frame whose answer is not waited for; raise TransportError."""
        self._connection.send(request.text())

    def request(self, request: Request, expected: type[R]) -> R:
        """Send a request and wait while another thread reads; return the answer.

        Raises:
            Refused: the server said no.
            TransportError: the connection ended, or no answer came in time (which ends it).
        """
        question = _Question(request)
        with self._turn:
            with self._lock:
                self._check()
                self._questions.append(question)
            self._connection.send(request.text())
        if not question.answered.wait(self._limits.request_seconds):
            text = "The server did not answer in time. The connection is made anew."
            self.close(text)
            raise TimedOut(text)
        with self._lock:
            if question.reply is None:
                self._check()
        return _checked(question.reply, expected)

    def ask(self, request: Request, expected: type[R]) -> R:
        """Send a request and read until its answer comes: for a link that no thread reads.

        What else arrives is passed over; the server hands it out again.

        Raises: as :meth:`request`.
        """
        self._connection.send(request.text())
        deadline = time.monotonic() + self._limits.request_seconds
        while True:
            reply = self.receive(max(0.0, deadline - time.monotonic()))
            if isinstance(reply, Closing):
                raise Refused(reply.reason, reply.explanation)
            if reply is not None and is_answer(request, reply):
                return _checked(reply, expected)

    def log_in(self, username: str, password: str, device: str) -> str:
        """Log in, as ``device`` or, where that is empty, as a new one; return the device's id.

        Raises: as :meth:`ask`.
        """
        answer = self.ask(LogIn(username, password, device or "new"), LoggedIn)
        if answer.device is None or answer.device in ("plain", "new"):
            raise Refused(Reason.NO_SUCH_DEVICE, "The server gave this device no id.")
        self.last_ref = answer.last_ref
        return answer.device

    def receive(self, timeout: float | None) -> Reply | None:
        """Read one frame; None for one that this version does not know.

        Raises:
            TimedOut: none came in time; may be called again.
            ConnectionClosed: the connection has ended.
        """
        text = self._connection.receive(timeout)
        try:
            return parse_reply(text, self._limits)
        except FrameError as error:
            log.warning("a frame of the server could not be read: %s", error)
            return None

    def answer(self, reply: Reply) -> bool:
        """Give an answer to who waits for it; return False for what nobody asked for."""
        with self._lock:
            if not self._questions or not is_answer(self._questions[0].request, reply):
                return False
            question = self._questions.popleft()
        question.reply = reply
        question.answered.set()
        return True

    def close(self, why: str = "The connection was closed.") -> None:
        """End the connection and let everyone who waits go; any thread, again too."""
        with self._lock:
            self._ended = self._ended or why
            waiting = list(self._questions)
            self._questions.clear()
        for question in waiting:
            question.answered.set()
        self._connection.close()

    def _check(self) -> None:
        if self._ended is not None:
            raise ConnectionClosed(self._ended)


def _checked(reply: Reply | None, expected: type[R]) -> R:
    """Return an answer of the expected type; raise Refused for a refusal."""
    if isinstance(reply, Refusal):
        raise Refused(reply.reason or "refused", reply.explanation or "The server refused this.")
    if not isinstance(reply, expected):
        raise ConnectionClosed("The connection ended before the server answered.")
    return reply
