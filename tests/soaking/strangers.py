"""Those who send rubbish: past TLS, HTTP and WebSocket, and names and passwords at random."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable

from bench.stock import name_of
from bpost.net.frames import TEXT
from bpost.protocol.codes import SEPARATOR
from tests.net.harness import UPGRADE, blind_context, raw_frame
from tests.soaking.task import Task

PATIENCE = 15.0
"""How long a stranger waits for the server to say or close something."""

PAUSE_SECONDS = 2.0
SIGNS = "abc0123456789\x1f\x1f\x1f\n\0é\ud7ff🙂"

Visit = Callable[[], Awaitable[None]]


class Stranger:
    """One who has no account, and tries everything."""

    def __init__(
        self, task: Task, number: int, tell: Callable[[str], None], counts: Counter[str]
    ) -> None:
        self._task = task
        self._tell = tell
        self._counts = counts
        self._chance = random.Random(f"{task.seed} stranger {number}")  # noqa: S311
        self._context = blind_context()

    async def live(self) -> None:
        """Come again and again; end by being cancelled."""
        visits: tuple[Visit, ...] = (
            self._silent,
            self._no_tls,
            self._no_http,
            self._wrong_http,
            self._wrong_frames,
            self._wrong_texts,
            self._wrong_password,
        )
        while True:
            await asyncio.sleep(self._chance.expovariate(1 / PAUSE_SECONDS))
            try:
                await asyncio.wait_for(self._chance.choice(visits)(), 4 * PATIENCE)
                self._counts["strangers"] += 1
            except (OSError, EOFError, asyncio.TimeoutError):
                self._counts["strangers who were cut off"] += 1

    async def _silent(self) -> None:
        await self._rubbish([], tls=False)

    async def _no_tls(self) -> None:
        await self._rubbish([self._chance.randbytes(600)], tls=False)

    async def _no_http(self) -> None:
        await self._rubbish([self._chance.randbytes(self._chance.randrange(1, 20_000))])

    async def _wrong_http(self) -> None:
        lines = list(UPGRADE)
        lines[self._chance.randrange(len(lines))] = self._text(40).replace("\0", "").strip()
        await self._rubbish([_request(lines)])

    async def _wrong_frames(self) -> None:
        await self._rubbish(
            [_request(UPGRADE), *(self._frame() for _ in range(self._chance.randrange(1, 8)))]
        )

    async def _wrong_texts(self) -> None:
        """Say frames of the protocol without having logged in, and others that there are not."""
        name = self._name()
        texts = [
            SEPARATOR.join(("0", name, "hello", self._name(), "ref")),
            SEPARATOR.join(("5", "OK", "1000000")),
            SEPARATOR.join((str(self._chance.randrange(120)), name, self._text(30))),
            self._text(200),
        ]
        self._chance.shuffle(texts)
        await self._rubbish([_request(UPGRADE), *(_frame(text) for text in texts)])

    async def _wrong_password(self) -> None:
        """Guess, for an account that is there and for one that is not."""
        password = "B" * 42 + self._chance.choice("AEIMQUYcgkosw048")
        frames = [
            _frame(SEPARATOR.join(("1", name, password, "new")))
            for name in (self._name(), f"nobody{self._chance.randrange(1000)}")
        ]
        await self._rubbish([_request(UPGRADE), *frames])

    async def _rubbish(self, parts: Iterable[bytes], *, tls: bool = True) -> None:
        """Connect and send that; then listen for a while, or leave at once."""
        context = self._context if tls else None
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self._task.port, ssl=context, ssl_handshake_timeout=60.0 if tls else None
        )
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(self._chance.choice((0.0, 0.01, 0.3)))
            heard = await self._listen(reader)
            if f"1{SEPARATOR}OK".encode() in heard or f"2{SEPARATOR}OK".encode() in heard:
                self._tell(f"strange a stranger was let in: {heard[-200:]!r}")
        finally:
            writer.transport.abort()

    async def _listen(self, reader: asyncio.StreamReader) -> bytes:
        heard = b""
        ends = asyncio.get_running_loop().time() + self._chance.choice((0.0, 1.0, PATIENCE))
        while (left := ends - asyncio.get_running_loop().time()) > 0:
            try:
                more = await asyncio.wait_for(reader.read(65536), left)
            except asyncio.TimeoutError:
                break
            if not more:
                break
            heard += more
        return heard

    def _name(self) -> str:
        return name_of(self._chance.randrange(self._task.ring))

    def _text(self, most: int) -> str:
        return "".join(self._chance.choices(SIGNS, k=self._chance.randrange(1, most)))

    def _frame(self) -> bytes:
        """Return a frame that is wrong in some way, or in none."""
        chance = self._chance
        return raw_frame(
            chance.randrange(16),
            chance.randbytes(chance.randrange(200)),
            fin=chance.random() < 0.8,
            rsv=chance.choice((0, 0, 0, 4, 1)),
            mask=chance.choice((b"\1\2\3\4", b"\1\2\3\4", None)),
            length=chance.choice((None, None, None, 1 << 62)),
        )


def _request(lines: Iterable[str]) -> bytes:
    return "\r\n".join((*lines, "", "")).encode()


def _frame(text: str) -> bytes:
    return raw_frame(TEXT, text.encode())
