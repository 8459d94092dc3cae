"""A session: who is speaking on one connection, and what may be said. No threads, no sockets.

The username in a frame is a claim; who is speaking was settled by the password at log-in. Every
request goes the same way: is it legal now, is it not too often, is the claim true; then the rule
for it, from ``entry``, ``directory`` or ``devices``, answers or refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from bpost.errors import FrameError, Refused, StoreError
from bpost.protocol.codes import SEPARATOR, Code, Reason
from bpost.protocol.fields import canonical
from bpost.protocol.frames import answer_to, parse_request
from bpost.protocol.replies import Closing, Refusal, SendRefused
from bpost.protocol.requests import Acknowledge, AddContact, LogIn, Register, Send, Signal
from bpost.protocol.shape import Reply, Request
from bpost.protocol.states import is_legal
from bpost.server.bus import Expelled
from bpost.server.desk import Desk
from bpost.server.log import incident
from bpost.server.mailroom import Posting
from bpost.server.office import Office
from bpost.server.presence import POLICY
from bpost.server.rates import wait_text
from bpost.server.records import Account, Letter
from bpost.server.wire import Wire

ELSEWHERE = "This device has logged in on another connection."

_COUNTED: Mapping[type[Request], str] = {Send: "send", LogIn: "log-in", Register: "register"}
"""What is counted apart."""

Rule = Callable[["Session", Any], Reply | None]
Rules = Mapping[type[Request], Rule]


class Session:
    """The rules of one connection. Its thread calls :meth:`hear`, and :meth:`leave` at the end."""

    __slots__ = ("_afterwards", "_rules", "account", "desk", "office", "wire")

    def __init__(self, office: Office, wire: Wire, rules: Rules) -> None:
        self.office = office
        self.wire = wire
        self.account: Account | None = None
        self.desk: Desk | None = None
        self._rules = rules
        self._afterwards: list[Callable[[], None]] = []

    def hear(self, text: str) -> None:
        """Answer one frame from the client, and do what is to be done after the answer."""
        try:
            request = parse_request(text, self.office.limits)
        except FrameError as error:
            self._misunderstand(text, error)
            return
        reply = self.answer(request)
        if reply is not None:
            self.wire.send(reply.text())
        while self._afterwards:
            self._safely(self._afterwards.pop(0))

    def answer(self, request: Request) -> Reply | None:
        """Return the answer to a request; None where there is none, or none yet."""
        try:
            self._check(request)
            return self._rules[type(request)](self, request)
        except Refused as error:
            return self._refuse(request, error.reason, error.text)
        except StoreError as error:
            self.office.log.failure("request", error, connection=self.wire.id)
            return self._refuse(
                request, Reason.BUSY, "The server cannot do this now. Try again later."
            )
        except Exception as error:
            name = incident()
            self.office.log.failure("request", error, name, connection=self.wire.id)
            text = f"The server made a mistake, noted as {name}."
            return self._refuse(request, Reason.INTERNAL, text)

    def _refuse(self, request: Request, reason: str, text: str) -> Reply | None:
        self.office.outcomes.add(_COUNTED.get(type(request), "other"), reason)
        return refusal(request, reason, text)

    def afterwards(self, work: Callable[[], None]) -> None:
        """Have ``work`` done after the answer to the current request was sent."""
        self._afterwards.append(work)

    @property
    def me(self) -> Account:
        """The user who is logged in. Raises Refused where nobody is."""
        if self.account is None:
            raise Refused(Reason.NOT_LOGGED_IN, "Log in first.")
        return self.account

    @property
    def mine(self) -> Desk:
        """The desk of the device that is logged in. Raises Refused where none is."""
        if self.desk is None:
            raise Refused(Reason.NOT_LOGGED_IN, "Log in first.")
        return self.desk

    def admit(self, account: Account, device: str) -> None:
        """Log the connection in; mail begins to flow after the answer.

        Raises:
            Refused: the device is gone.
        """
        self._leave_desk()
        desk = self.office.desk(self.wire, account.id, device)
        self.account, self.desk = account, desk
        older = self.office.presence.enter(desk)
        if older is not None:
            notice = Expelled(account.id, Reason.CONFLICT, ELSEWHERE)
            self.office.presence.expel(older, notice)
        self.wire.set_deadline(None)
        self.afterwards(desk.open)

    def leave(self) -> None:
        """Log the connection out, which has ended or is about to."""
        self._leave_desk()
        self.account = None

    def _leave_desk(self) -> None:
        desk, self.desk = self.desk, None
        self._afterwards.clear()
        if desk is not None:
            self.office.presence.leave(desk)
            self._safely(self.office.cursors.write)

    def _check(self, request: Request) -> None:
        """Refuse what may not be said now, by anyone or by this user."""
        if self.account is None or not isinstance(request, Send | Acknowledge):
            self._slow_down()
        if not is_legal(request, self.account is not None):
            raise Refused(Reason.NOT_LOGGED_IN, "Log in first.")
        claimed = request.claimed
        if self.account is None or claimed is None:
            return
        if canonical(claimed) != self.account.canonical:
            self._slow_down()
            self._note("refused sender", code=request.head[0], claimed=claimed)
            raise Refused(Reason.NOT_YOU, "You are logged in under another name.")

    def overdo(self, text: str) -> NoReturn:
        """Refuse what comes too often; a stranger is out for it, and who does not stop then."""
        self._note("rate limited", says=text)
        if self.account is None:
            self._end(Reason.RATE_LIMITED, text)
        self.strain()
        raise Refused(Reason.RATE_LIMITED, text)

    def strain(self) -> None:
        """Count what costs work and is of no use; end the connection where it does not stop."""
        wait = self.office.rates.excess.take(self.wire.id)
        if wait:
            self._note("flooded", address=self.wire.peer)
            self._end(Reason.RATE_LIMITED, f"Far too much at once. {wait_text(wait)}")

    def _slow_down(self) -> None:
        wait = self.office.rates.requests.take(self.wire.id)
        if wait:
            self.overdo(f"Too many requests. {wait_text(wait)}")

    def _misunderstand(self, text: str, error: FrameError) -> None:
        """Answer what is no frame; where it has no number to answer to, end the connection."""
        try:
            self._slow_down()
        except Refused as refused:
            self._end(refused.reason, refused.text)
            return
        reply = answer_to(error)
        number = text[:4].partition(SEPARATOR)[0]
        if reply is not None:
            self.wire.send(reply.text())
        elif number.isascii() and number.isdigit() and len(number) < 4:
            if int(number) not in set(Code):
                self.wire.send(SEPARATOR.join((number, "Error", error.reason, str(error))))
        else:
            self._end(error.reason, str(error))

    def _end(self, reason: str, explanation: str) -> None:
        self.wire.close(POLICY, reason, Closing(reason, explanation).text())

    def _note(self, event: str, **fields: str) -> None:
        name = self.account.name if self.account else ""
        self.office.log.warning(event, connection=self.wire.id, user=name, **fields)

    def _safely(self, work: Callable[[], None]) -> None:
        """Do what no answer depends on; the clerk makes good what fails here."""
        try:
            work()
        except StoreError as error:
            self.office.log.failure("session", error, connection=self.wire.id)


def send(session: Session, request: Send) -> SendRefused | None:
    """Rule of code 0: hand the letter to the mailroom, which answers when it is stored."""
    me, office = session.me, session.office
    wait = office.rates.sends.take(me.id)
    if wait:
        session.overdo(f"Too many messages. {wait_text(wait)}")
    to = canonical(request.to)
    letter = Letter(me.id, me.name, session.mine.device, to, request.body, request.ref)
    office.mailroom.post(Posting(letter, session.wire, request.to))
    return None


def acknowledge(session: Session, request: Acknowledge) -> None:
    """Rule of code 5: everything up to ``seq`` is safe with the device."""
    if not session.mine.acknowledge(request.seq):
        session.strain()  # it said so before


def refusal(request: Request, reason: str, text: str) -> Reply | None:
    """Return the "Error" that answers ``request``; None for those that are never answered."""
    if isinstance(request, Send):
        return SendRefused(request.to, request.ref, reason, text)
    if isinstance(request, Acknowledge | Signal):
        return None
    subject = request.contact if isinstance(request, AddContact) else None
    return Refusal(Code(int(request.head[0])), reason, text, subject)
