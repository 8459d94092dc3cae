"""A user of the soak: comes and goes, writes, reads slowly at times, and remembers everything.

What it wrote and was not answered is sent again with the same ``ref`` over the next connection.
What it got is acknowledged; after a kill of the server it may come again, the same, and no other.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator

from picows import WSError, ws_connect

from bench.stock import PASSWORD, device_of, name_of
from bpost.net.tls import client_context
from tests.soaking.line import Line
from tests.soaking.task import Item, Task, friends_of

TROUBLE = (OSError, asyncio.TimeoutError, WSError, ssl.SSLError)
CONNECT_SECONDS = 120.0
ACKNOWLEDGE_AFTER = 64
BURST = 12
SLOW_SECONDS = 15.0

Tell = Callable[[str], None]


class Resident:
    """Account ``number``; :meth:`live` until told to :meth:`calm` down and to :meth:`go`."""

    def __init__(self, task: Task, number: int, tell: Tell, counts: Counter[str]) -> None:
        self.name = name_of(number)
        self.seen = 0
        self.answered: dict[str, int] = {}
        self.unanswered: dict[str, tuple[Item, str]] = {}
        self._task = task
        self._device = device_of(number)
        self._friends = friends_of(number, task.ring)
        self._unknown = set(self._friends[:-1])
        self._tell = tell
        self._counts = counts
        self._chance = random.Random(f"{task.seed} resident {number}")  # noqa: S311
        self._context = client_context(pin="")
        self._written = 0
        self._got: list[Item] = []
        self._next: int | None = None
        self._unacknowledged = 0
        self._line: Line | None = None
        self._entered = asyncio.Event()
        self._calm = asyncio.Event()
        self._gone = asyncio.Event()
        self._pause = self._mean_messages() / task.rate

    @property
    def inside(self) -> bool:
        """Whether it is logged in now."""
        return self._line is not None and self._line.open and self._entered.is_set()

    def calm(self) -> None:
        """Write nothing more; come, and stay."""
        self._calm.set()

    def go(self) -> None:
        """Leave for good, at once."""
        self._calm.set()
        self._gone.set()

    async def live(self) -> None:
        """Visit the post office again and again."""
        await self._rest(self._chance.uniform(0, self._task.away))
        while not self._gone.is_set():
            try:
                await self._visit()
            except TROUBLE:
                self._counts["connections that failed"] += 1
                await asyncio.sleep(self._chance.uniform(0.2, 1.0))
            else:
                await self._rest(self._chance.expovariate(1 / self._task.away))

    def acknowledge(self) -> None:
        """Tell the server what has arrived."""
        if self._unacknowledged and self._line is not None:
            self._unacknowledged = 0
            self._line.say("5", "OK", str(self.seen))

    # Coming and going

    async def _visit(self) -> None:
        """Connect, log in, do something for a while, and leave in one way or another."""
        line = self._line = Line(self._hear)
        self._entered, self._next = asyncio.Event(), None
        url = f"wss://127.0.0.1:{self._task.port}/"
        connecting = ws_connect(
            lambda: line,
            url,
            ssl_context=self._context,
            websocket_handshake_timeout=CONNECT_SECONDS,
            read_buffer_init_size=4096,
        )
        await asyncio.wait_for(connecting, CONNECT_SECONDS)
        if not line.open:  # the library says nothing where the upgrade never came to its end
            raise ConnectionResetError
        try:
            line.say("1", self.name, PASSWORD, self._device)
            await _first(CONNECT_SECONDS, self._entered.wait(), line.over.wait())
            if self.inside:
                self._counts["log-ins"] += 1
                self._write_again(line)
                await self._stay(line)
        finally:
            if line.open:
                await self._part(line)
            line.cut()

    async def _stay(self, line: Line) -> None:
        ends = asyncio.get_running_loop().time() + self._chance.expovariate(1 / self._task.stay)
        while line.open and not self._calm.is_set():
            pause = self._chance.expovariate(1 / self._pause)
            await _first(pause, line.over.wait(), self._calm.wait())
            if asyncio.get_running_loop().time() > ends:
                return
            if line.open and not self._calm.is_set():
                await self._act(line)
        if line.open:
            await _first(None, line.over.wait(), self._gone.wait())

    async def _part(self, line: Line) -> None:
        """Leave: mostly in order, sometimes in the middle of a word."""
        if self._calm.is_set() or self._chance.random() < 0.6:
            self.acknowledge()
            line.leave()
            await _first(5.0, line.over.wait())
        elif self._chance.random() < 0.5:
            self._counts["cuts in mid-frame"] += 1
            item, to = self._new()
            fields = self._frame(item, to)
            line.say_half(*fields, part=self._chance.random())
            await asyncio.sleep(self._chance.choice((0.0, 0.0, 0.1, 1.0)))
        else:
            self._counts["cuts"] += 1

    async def _rest(self, seconds: float) -> None:
        await _first(0.0 if self._calm.is_set() else seconds, self._calm.wait(), self._gone.wait())

    # Doing

    def _actions(self) -> Iterator[tuple[int, float, Callable[[Line], Awaitable[None]]]]:
        """Yield what it can do: how likely, how many messages that is, and how."""
        yield 800, 1, self._write
        yield 20, BURST / 2, self._write_many
        yield 8, 1, self._write_and_cut
        yield 8, 0, self._be_slow
        yield 80, 0, self._signal
        yield 60, 0, self._ask

    def _mean_messages(self) -> float:
        weights = [(weight, messages) for weight, messages, _ in self._actions()]
        return sum(w * m for w, m in weights) / sum(w for w, _ in weights)

    async def _act(self, line: Line) -> None:
        actions = list(self._actions())
        (chosen,) = self._chance.choices(actions, [weight for weight, _, _ in actions])
        await chosen[2](line)

    async def _write(self, line: Line) -> None:
        line.say(*self._frame(*self._new()))

    async def _write_many(self, line: Line) -> None:
        for _ in range(self._chance.randrange(1, BURST)):
            await self._write(line)

    async def _write_and_cut(self, line: Line) -> None:
        """Lose the answer: write, and be gone before it is there, or as it comes."""
        self._counts["cuts before the answer"] += 1
        line.stop_reading()
        await self._write(line)
        await asyncio.sleep(self._chance.choice((0.0, 0.01, 0.05, 0.2)))
        line.cut()

    async def _be_slow(self, line: Line) -> None:
        """Read nothing for some seconds, while others write."""
        self._counts["slow readings"] += 1
        line.stop_reading()
        await _first(self._chance.uniform(1, SLOW_SECONDS), line.over.wait(), self._calm.wait())
        line.read_on()

    async def _signal(self, line: Line) -> None:
        line.say("12", self.name, "typing", self._chance.choice(self._friends))

    async def _ask(self, line: Line) -> None:
        questions = (
            ("9", "list"),
            ("8", "list"),
            ("11", "get"),
            ("10", "count", self._device),
            ("7", self.name, self._friends[0]),
        )
        line.say(*self._chance.choice(questions))

    def _new(self) -> tuple[Item, str]:
        """Write down a new message; from now on it is this resident's to bring home."""
        self._written += 1
        item, to = Item(self.name, self._written), self._chance.choice(self._friends)
        self.unanswered[item.ref] = item, to
        self._tell(f"sent {item.author} {item.count} {to}")
        return item, to

    def _write_again(self, line: Line) -> None:
        for item, to in self.unanswered.values():
            self._counts["sent again"] += 1
            line.say(*self._frame(item, to))

    def _frame(self, item: Item, to: str) -> tuple[str, ...]:
        return "0", self.name, item.body(), to, item.ref

    # Hearing

    def _hear(self, fields: list[str]) -> None:
        """Take a frame of the server."""
        try:
            self._take(fields)
        except (IndexError, ValueError):
            self._tell(f"strange {self.name} does not understand {' '.join(fields)[:200]!r}")

    def _take(self, fields: list[str]) -> None:
        kind = fields[0], fields[1]
        if kind == ("1", "OK"):
            self._enter()
        elif kind == ("0", "WillBeSent"):
            self._answered(*fields[2:5])
        elif fields[0] == "5":
            self._delivered(fields[1], fields[2], int(fields[3]))
        elif fields[0] == "12":
            self._counts["signals"] += 1
        elif fields[1] == "OK":
            self._counts["other answers"] += 1
            if fields[0] == "4":
                self._unknown.discard(fields[3])
        elif kind == ("99", "busy"):
            self._counts["sent away by a server that closes"] += 1
        else:
            self._tell(f"strange {self.name} hears {' '.join(fields)[:200]!r}")

    def _enter(self) -> None:
        """Be inside; make friends, until that is known to be done."""
        for friend in sorted(self._unknown):
            if self._line is not None:
                self._line.say("4", self.name, friend)
        self._entered.set()

    def _answered(self, to: str, ref: str, seq: str) -> None:
        author, _, count = ref.partition("-")
        self._tell(f"answered {author} {count} {to} {seq}")
        self.answered[to] = max(self.answered.get(to, 0), int(seq))
        self.unanswered.pop(ref, None)

    def _delivered(self, body: str, author: str, seq: int) -> None:
        """Check a message against what there was, and against the one before on this line."""
        item = Item.of_body(body)
        if item is None or item.author != author:
            self._tell(f"strange {self.name} gets from {author} as {seq}: {body[:60]!r}")
            return
        if self._next is not None and seq != self._next:
            self._tell(f"strange {self.name} gets {seq} after {self._next - 1}")
        self._next = seq + 1
        if seq == self.seen + 1:
            self._tell(f"got {self.name} {seq} {author} {item.count}")
            self._got.append(item)
            self.seen = seq
        elif seq > self.seen:
            self._tell(f"strange {self.name} has {self.seen} and gets {seq}")
        elif self._got[seq - 1] != item:
            self._tell(f"strange {self.name} gets {item.ref} as {seq}: {self._got[seq - 1].ref}")
        else:
            self._counts["delivered again"] += 1
        self._unacknowledged += 1
        if self._unacknowledged >= ACKNOWLEDGE_AFTER:
            self.acknowledge()


async def _first(seconds: float | None, *waits: Awaitable[object]) -> None:
    """Wait until one of them is done, or so long."""
    tasks = [asyncio.ensure_future(one) for one in waits]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
