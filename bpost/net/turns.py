"""Whose turn it is: the threads of many connections work one after another.

Python runs one thread at a time. A thread that the network wakes queues for the interpreter, and
each one that leaves it for a moment, as for every call of the system, wakes another of the queue in
vain: with thousands of connections that is most of the work (docs/performance.md). So the threads
sleep here, each at a bell of its own. One has the turn; when it would wait, it rings for the next
whose socket has something to read. Hardly anyone queues for the interpreter then.

Nothing but speed depends on the turn: it guards no data. Who is about to wait for something else
gives it away first (:meth:`Turns.step_aside`), and where that was forgotten, it goes to another
after ``PATIENCE``. It needs epoll, so Linux; elsewhere each thread waits for its own socket.
"""

from __future__ import annotations

import contextlib
import heapq
import math
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

TICK = 0.1
"""How late a wait with a deadline may end, so that many end together."""

PATIENCE = 0.01
"""After so long with one turn a thread is taken for waiting elsewhere."""

_EPOLL: Any = getattr(select, "epoll", None)
_ONCE = getattr(select, "EPOLLONESHOT", 0)
_READABLE = getattr(select, "EPOLLIN", 0) | _ONCE


Tend = Callable[[float], float | None]
"""Does what is due at a time of the monotonic clock, without waiting, and returns until when to
wait on; None where that is for the waiting thread to do."""


class Seat:
    """The place of one thread among those that take turns."""

    __slots__ = ("bell", "due", "fd", "late", "tend", "thread", "timed", "turns", "waiting")

    def __init__(self, turns: Turns, fd: int, tend: Tend | None = None) -> None:
        """Take a place, to wait for the descriptor ``fd``, or with -1 for turns alone.

        When the time of a wait is over, ``tend`` is asked first, in the watching thread: what it
        does there costs no waking.
        """
        self.tend = tend
        self.turns = turns
        self.fd = fd
        self.bell = threading.Lock()
        self.bell.acquire()
        # Guarded by the lock of the turns: whether it waits, until when, by which timer, and
        # whether that is what rang.
        self.waiting = self.late = False
        self.due = self.timed = math.inf
        self.thread = 0

    def wait(self, deadline: float | None) -> None:
        """Give the turn away; return with a turn when there is something to read, or an end.

        Raises:
            TimeoutError: the monotonic clock passed ``deadline``.
        """
        self.thread = threading.get_ident()
        self.turns.await_data(self, math.inf if deadline is None else deadline)
        self.bell.acquire()
        if self.late:
            raise TimeoutError("the network did nothing in time")

    def take(self, *, at_once: bool = False) -> None:
        """Return with a turn: ``at_once`` the next one, else after all who are ready now."""
        self.thread = threading.get_ident()
        if not self.turns.ask(self, at_once):
            self.bell.acquire()

    def pass_on(self) -> None:
        """Give the turn away, if it is still here."""
        self.turns.pass_on(self)

    def leave(self) -> None:
        """Give up the place; call it before the descriptor is closed."""
        self.turns.dismiss(self)


class Turns:
    """Gives the turns; its thread watches the sockets while nobody has one."""

    def __init__(self) -> None:
        self._epoll: Any = None
        self._thread = threading.Thread(target=self._run, name="bpost-turns", daemon=True)
        # Guards all below and the state of the seats; what it calls never waits.
        self._lock = threading.Lock()
        self._seats: dict[int, Seat] = {}
        self._ready: deque[Seat] = deque()
        self._holder: Seat | None = None
        self._given = 0
        self._timers: list[tuple[float, int, Seat]] = []
        self._timed = 0
        self._stopped = False
        # Where the watching thread rests while somebody has the turn, and whether it does.
        self._rest = threading.Lock()
        self._rest.acquire()
        self._resting = False

    def start(self) -> None:
        """Begin to watch, where the system can."""
        if _EPOLL is not None:
            self._epoll = _EPOLL()
            self._thread.start()

    def stop(self) -> None:
        """End the thread, when no connection is left."""
        self._stopped = True
        if self._epoll is not None:
            self._thread.join()
            self._epoll.close()

    @property
    def watching(self) -> bool:
        """Whether connections take turns here."""
        return self._epoll is not None

    def seat(self, fd: int, tend: Tend | None = None) -> Seat | None:
        """Return a place for the thread that reads ``fd``; None where it must wait by itself."""
        if self._epoll is None:
            return None
        seat = Seat(self, fd, tend)
        try:
            self._epoll.register(fd, _ONCE)
        except OSError:  # as many are watched as may be
            return None
        with self._lock:
            self._seats[fd] = seat
        return seat

    def step_aside(self) -> None:
        """Give away the turn of the calling thread, if it has it: it is about to wait."""
        holder = self._holder
        if holder is not None and holder.thread == threading.get_ident():
            self.pass_on(holder)

    # For the seats.

    def await_data(self, seat: Seat, due: float) -> None:
        """Have the bell of ``seat`` rung when it can read, or at ``due``; its turn is over."""
        with self._lock:
            self._epoll.modify(seat.fd, _READABLE)
            seat.waiting, seat.late, seat.due = True, False, due
            if due < seat.timed:
                self._set_timer(seat)
            if self._holder is seat:
                self._go_on()

    def ask(self, seat: Seat, at_once: bool) -> bool:
        """Tell whether ``seat`` has the turn now; else its bell will ring."""
        with self._lock:
            if self._holder is None:
                self._holder = seat
                self._given += 1
            if self._holder is seat:
                return True
            if at_once:
                self._ready.appendleft(seat)
            else:
                self._ready.append(seat)
            return False

    def pass_on(self, seat: Seat) -> None:
        """Give the turn of ``seat`` to the next, if it has it."""
        with self._lock:
            if self._holder is seat:
                self._go_on()

    def dismiss(self, seat: Seat) -> None:
        """Forget a seat."""
        with self._lock:
            seat.waiting, seat.due = False, math.inf
            if self._seats.get(seat.fd) is seat:
                del self._seats[seat.fd]
                self._epoll.unregister(seat.fd)
            if self._holder is seat:
                self._go_on()

    # All below hold the lock.

    def _go_on(self) -> None:
        """Give the turn to the next, or to nobody; then the thread watches again."""
        if not self._ready and self._epoll is not None:
            self._collect(self._epoll.poll(0))
        self._give()
        if self._holder is None and self._resting:
            self._resting = False
            self._rest.release()

    def _give(self) -> None:
        self._given += 1
        if self._ready:
            self._holder = self._ready.popleft()
            self._holder.bell.release()
        else:
            self._holder = None

    def _collect(self, events: Sequence[tuple[int, int]]) -> None:
        """Note who can go on: those whose sockets are among ``events``."""
        for fd, _ in events:
            seat = self._seats.get(fd)
            if seat is not None and seat.waiting:
                seat.waiting = False
                self._ready.append(seat)

    def _set_timer(self, seat: Seat) -> None:
        """Look at ``seat`` when it is due: a seat has one timer."""
        self._timed += 1
        seat.timed = seat.due
        heapq.heappush(self._timers, (seat.due, self._timed, seat))

    def _overdue(self, now: float) -> list[Seat]:
        """Return those who still wait when their time is over."""
        found: list[Seat] = []
        while self._timers and self._timers[0][0] <= now:
            at, _, seat = heapq.heappop(self._timers)
            if at != seat.timed:
                continue  # an earlier one took its place
            seat.timed = math.inf
            if now < seat.due < math.inf:
                self._set_timer(seat)
            elif seat.due <= now and seat.waiting:
                found.append(seat)
        return found

    def _put_off(self, seat: Seat, due: float | None) -> None:
        """Let ``seat`` wait until ``due``, or no longer, if it still does."""
        if due is None and seat.waiting:
            seat.waiting, seat.late = False, True
            self._ready.append(seat)
        elif due is not None:
            seat.due = due
            if due < seat.timed:
                self._set_timer(seat)

    # The thread.

    def _tend(self) -> None:
        """Do for those whose time is over what can be done here; ring for the others."""
        now = time.monotonic()
        if self._timers and self._timers[0][0] <= now:
            with self._lock:
                overdue = self._overdue(now)
            for seat in overdue:
                due = None
                if seat.tend is not None:
                    # What fails here fails again in the thread of the connection, which it costs.
                    with contextlib.suppress(Exception):
                        due = seat.tend(now)
                with self._lock:
                    self._put_off(seat, due)

    def _run(self) -> None:
        while not self._stopped:
            events = self._epoll.poll(TICK)
            self._tend()
            with self._lock:
                self._collect(events)
                if self._holder is None:
                    self._give()
                self._resting = self._holder is not None
            while self._resting and not self._stopped:
                given = self._given
                if not self._rest.acquire(timeout=PATIENCE):
                    self._relieve(given)

    def _relieve(self, given: int) -> None:
        """Take the turn from a thread that has had it since ``given``: it must be waiting."""
        self._tend()
        with self._lock:
            if self._resting and self._given == given:
                self._collect(self._epoll.poll(0))
                self._give()
                self._resting = self._holder is not None
