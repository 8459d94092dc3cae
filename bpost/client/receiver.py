"""The thread that receives: it connects, logs in, reads, and connects again when that ends.

Mail is acknowledged only after the transaction that stored it: after 64 messages, or 200 ms.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from bpost.client.courier import Courier
from bpost.client.credentials import Credentials
from bpost.client.enrol import Entrance
from bpost.client.events import ConnectionChanged, ConnectionState, Event, SignedOut
from bpost.client.link import Link
from bpost.client.parts import Parts
from bpost.client.profile import Memory
from bpost.client.ring import REMOVED_TEXT
from bpost.client.timing import Acknowledgements, Sleep, backoff
from bpost.errors import (
    BPostError,
    ConnectionClosed,
    Refused,
    SecurityError,
    StoreError,
    TimedOut,
    TransportError,
)
from bpost.protocol.codes import Reason
from bpost.protocol.fields import canonical
from bpost.protocol.replies import (
    Closing,
    Delivery,
    KeyCount,
    SendAccepted,
    SendRefused,
    SignalDelivery,
)
from bpost.protocol.requests import Acknowledge, Signal
from bpost.protocol.shape import Reply

log = logging.getLogger(__name__)

FINAL = frozenset(
    {Reason.WRONG_PASSWORD, Reason.DISABLED, Reason.NO_SUCH_DEVICE, Reason.NO_SUCH_USER}
)
"""Refusals of a log-in after which trying again makes no sense."""

PASSING = frozenset({Reason.RATE_LIMITED, Reason.BUSY, Reason.INTERNAL})
"""Refusals of a message that is sent again later."""

ELSEWHERE = 16
"""As after so many failures is waited where a copy of this profile has logged in: no ping-pong."""

LOOK_SECONDS = 5.0
JOIN_SECONDS = 3.0
AT_ONCE = 64


class Receiver:
    """Keeps a profile connected; :meth:`start` gives it its thread."""

    def __init__(
        self,
        parts: Parts,
        courier: Courier,
        entrance: Entrance,
        memory: Memory,
        credentials: Credentials,
    ) -> None:
        self._parts = parts
        self._profile = parts.profile
        self._courier = courier
        self._entrance = entrance
        self._memory = memory
        self._credentials = credentials
        self._acks = Acknowledgements(parts.profile.limits)
        self._sleep = Sleep()
        # Guards what follows; EventQueue's is the only lock taken while it is held.
        self._changed = threading.Condition()
        self._state = ConnectionState.OFFLINE
        self._link: Link | None = None
        self._failure: BPostError | None = None
        self._tries = 0
        self._now = False
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="bpost-receiver", daemon=True)

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands."""
        with self._changed:
            return self._state

    @property
    def link(self) -> Link:
        """The link that is logged in; raise TransportError if there is none."""
        with self._changed:
            if self._link is None:
                raise TransportError(
                    f"There is no connection to {self._entrance.address}. Try again later."
                )
            return self._link

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Acknowledge what is stored, disconnect, and end the thread."""
        with self._changed:
            self._stopped = True
            link = self._link
            self._changed.notify_all()
        if link is not None:
            self.acknowledge()
            link.close()
        else:
            self._entrance.abort.now()
        if self._thread.is_alive():  # one that still looks up a name ends by itself
            self._thread.join(JOIN_SECONDS)

    def reconnect(self) -> None:
        """Try to connect now."""
        with self._changed:
            self._now = True
            self._changed.notify_all()

    def wait_first(self, timeout: float) -> BPostError | None:
        """Wait until the first try to connect has ended; return why it failed, if it did."""
        with self._changed:
            self._changed.wait_for(lambda: self._tries, timeout)
            if not self._tries:
                return TimedOut(f"The server at {self._entrance.address} has not answered yet.")
            return None if self._link else self._failure

    def acknowledge(self) -> None:
        """Tell the server now what is stored, if it does not know yet."""
        with self._changed:
            link = self._link
        seq = self._acks.take()
        if link is not None and seq is not None:
            try:
                link.post(Acknowledge(seq))
            except TransportError as error:  # the server hands it out again, and it is passed over
                log.info("not acknowledged: %s", type(error).__name__)

    # The thread

    def _run(self) -> None:
        failures = 0
        while not self._is_stopped():
            self._tell(ConnectionState.CONNECTING)
            try:
                link = self._connect()
            except BPostError as error:
                if not self._goes_on(error):
                    return
                failures += 1
                self._pause(failures, error)
                continue
            failures, why = 1, self._stay(link)
            reason = why.reason if isinstance(why, Refused) else ""
            if reason == Reason.NO_SUCH_DEVICE and not self._goes_on(why):
                return
            if reason == Reason.CONFLICT:
                failures = ELSEWHERE
            self._pause(failures, why)
        self._tell(ConnectionState.OFFLINE)

    def _connect(self) -> Link:
        """Connect and log in."""
        link = self._entrance.link()
        try:
            known = self._profile.device
            device = link.log_in(self._profile.username, self._credentials.password, known)
            if known and device != known:
                raise Refused(Reason.NO_SUCH_DEVICE, "The server took this device for another.")
            self._profile.set_device(device)
            with self._profile.change() as events:
                events += self._parts.rollback.check(link.last_ref)
        except BaseException:
            link.close()
            raise
        self._memory.update(device=device, pin=link.pin)
        return link

    def _goes_on(self, error: BPostError) -> bool:
        """Say whether to try again after a failed connection; tell it if not."""
        signed_out = isinstance(error, Refused) and error.reason in FINAL
        final = signed_out or isinstance(error, SecurityError)
        if final:
            self._tell(ConnectionState.REFUSED, text=str(error))
        if isinstance(error, Refused) and signed_out:
            self._profile.events.put(SignedOut(error.reason, str(error)))
        self._note_try(error)
        return not final

    def _stay(self, link: Link) -> BPostError:
        """Read until the connection ends; return why it did."""
        self._acks.take()
        with self._changed:
            self._link = link
            stopped = self._stopped
        self._courier.connected(link)
        self._tell(ConnectionState.CONNECTED)
        self._note_try(None)
        try:
            while not stopped:
                self._read(link)
            return ConnectionClosed()
        except (TransportError, StoreError, Refused) as error:
            return error
        except Exception as error:
            name = type(error).__name__  # and no traceback, which may quote content
            log.error("receiving broke on %s", name)  # noqa: TRY400
            return TransportError("This program made a mistake. Please report that.")
        finally:
            self._courier.disconnected()
            with self._changed:
                self._link = None
            link.close()

    def _read(self, link: Link) -> None:
        """Take what has come, store it, and acknowledge."""
        if self._sleep.is_over():
            raise ConnectionClosed("This computer was asleep.")
        frames = self._gather(link)
        self._take([frame for frame in frames if not link.answer(frame)])
        if not self._acks.seconds():
            self.acknowledge()

    def _gather(self, link: Link) -> list[Reply]:
        """Wait for a frame, and take those that have come with it."""
        frames: list[Reply] = []
        wait = min(LOOK_SECONDS, self._acks.seconds())
        try:
            while len(frames) < AT_ONCE:
                frame = link.receive(wait)
                wait = 0.0
                if frame is not None:
                    frames.append(frame)
        except TimedOut:
            pass
        except TransportError:
            if not frames:
                raise
        return frames

    def _take(self, frames: Sequence[Reply]) -> None:
        """Deal with frames that nobody asked for, in one transaction."""
        kept = [one for one in frames if isinstance(one, Delivery | SendAccepted | SendRefused)]
        if kept:
            with self._profile.change() as events:
                for one in kept:
                    events += self._store(one)
            if self._profile.removed:
                raise Refused(Reason.NO_SUCH_DEVICE, REMOVED_TEXT)
        for frame in frames:
            if isinstance(frame, Delivery) and frame.seq is not None:
                self._acks.add(frame.seq)
            elif isinstance(frame, SendAccepted | SendRefused):
                self._answer(frame)
            elif isinstance(frame, SignalDelivery):
                self._signalled(frame)
            elif isinstance(frame, KeyCount):
                self._courier.wake(lambda dispatch: dispatch.keys_low())
            elif isinstance(frame, Closing):
                raise Refused(frame.reason, frame.explanation)
        if kept:
            self._courier.wake()

    def _store(self, frame: Delivery | SendAccepted | SendRefused) -> list[Event]:
        """Store what a frame says, within a transaction."""
        outbox = self._parts.outbox
        if isinstance(frame, Delivery):
            return self._parts.mailbox.take(frame)
        if frame.ref is None:
            return []
        if isinstance(frame, SendAccepted):
            return outbox.accept(frame)
        if frame.reason in PASSING:
            return []
        return outbox.refuse(frame.ref, frame.explanation or "The server refused the message.")

    def _signalled(self, frame: SignalDelivery) -> None:
        """Answer what a device says that wants to join the account."""
        name = self._profile.username
        if canonical(frame.sender) == self._profile.name:
            for body in self._parts.linking.take(frame.body):
                self.link.post(Signal(name, body, name))

    def _answer(self, frame: SendAccepted | SendRefused) -> None:
        """Tell the courier that a frame is not under way any more."""
        ref = frame.ref or ""
        if isinstance(frame, SendRefused) and frame.reason in PASSING:
            self._courier.wake(lambda dispatch: dispatch.put_off(ref))
        else:
            self._courier.wake(lambda dispatch: dispatch.answered(ref))

    def _pause(self, failures: int, error: BPostError) -> None:
        """Wait before the next try; less after a sleep, and when somebody asks for it."""
        seconds = backoff(failures, self._profile.limits)
        if not self._is_stopped():
            self._tell(ConnectionState.WAITING, seconds, str(error))
        until = time.monotonic() + seconds
        with self._changed:
            while not (self._stopped or self._now or self._sleep.is_over()):
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(min(1.0, left))
            self._now = False

    def _is_stopped(self) -> bool:
        with self._changed:
            return self._stopped

    def _note_try(self, failure: BPostError | None) -> None:
        """Let those go who wait for the first try."""
        with self._changed:
            self._tries += 1
            self._failure = failure
            self._changed.notify_all()

    def _tell(self, state: ConnectionState, retry: float | None = None, text: str = "") -> None:
        """Tell where the connection stands."""
        try:
            with self._profile.store.reading():
                waiting = self._parts.outbox.waiting()
        except StoreError:
            waiting = 0
        with self._changed:
            self._state = state
            self._profile.events.put(ConnectionChanged(state, retry, waiting, text))
