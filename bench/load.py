"""A load process: ``python -m bench.load JOB``. It says ``ready``, waits for a line, and loads.

One thread and one event loop for all connections of the job, on a client library written in C, so
that the load takes as little as can be from the machine that it shares with the server.
"""

from __future__ import annotations

import asyncio
import resource
import ssl
import sys
import time
from collections.abc import Iterable

from picows import ws_connect

from bench.client import Client
from bench.job import UNBOUNDED, Job, Outcome
from bpost.net.tls import client_context

AT_ONCE = 32
"""How many connections log in at the same time."""

CONNECT_SECONDS = 60.0
ACKNOWLEDGE_SECONDS = 0.2
WARM_SECONDS = 0.5
DRAIN_SECONDS = 5.0


class Load:
    """The clients of one job."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._outcome = Outcome()
        self._context: ssl.SSLContext = client_context(pin="")
        self._until = 0.0
        self._clients: list[Client] = []

    async def connect(self) -> None:
        """Log every connection of the job in."""
        gate = asyncio.Semaphore(AT_ONCE)
        numbers = range(self._job.first, self._job.first + self._job.connections)
        self._clients = list(await asyncio.gather(*(self._gated(gate, one) for one in numbers)))

    async def run(self) -> Outcome:
        """Load for as long as the job says; return what came of it."""
        job, outcome = self._job, self._outcome
        before, started = _cpu(), time.perf_counter()
        self._until = started + job.seconds
        tasks = [asyncio.ensure_future(self._acknowledge())]
        tasks += [asyncio.ensure_future(self._visit(one)) for one in self._clients[: job.visitors]]
        tasks += [
            asyncio.ensure_future(self._talk(one, number / job.talkers))
            for number, one in enumerate(self._clients[: job.talkers])
        ]
        self._open_windows()
        if job.expected:
            await self._empty_mailbox(started)
        else:
            await self._count(started)
        await self._drain()
        await _end(tasks)
        outcome.cpu = _cpu() - before
        return outcome

    async def _gated(self, gate: asyncio.Semaphore, number: int) -> Client:
        async with gate:
            return await self._log_in(number)

    async def _log_in(self, number: int) -> Client:
        client = Client(self._job, number, self._outcome)
        told = asyncio.Event()
        client.on_ready = told.set
        await ws_connect(
            lambda: client,
            f"wss://127.0.0.1:{self._job.port}/",
            ssl_context=self._context,
            websocket_handshake_timeout=CONNECT_SECONDS,
            read_buffer_init_size=4096,
        )
        await asyncio.wait_for(told.wait(), CONNECT_SECONDS)
        if not client.ready:
            raise ConnectionError(f"connection {number} could not log in")
        return client

    def _may_send(self) -> bool:
        return time.perf_counter() < self._until and self._outcome.sent < self._job.most

    def _open_windows(self) -> None:
        for client in self._clients if self._job.window else ():
            client.window, client.may_send = self._job.window, self._may_send
            client.fill_window()

    async def _count(self, started: float) -> None:
        """Wait for the end; count what is delivered once all are at it."""
        warm = 0.0 if self._job.most < UNBOUNDED else min(WARM_SECONDS, self._job.seconds / 4)
        await asyncio.sleep(warm)
        at, before = started + warm, self._outcome.delivered
        while time.perf_counter() < self._until and not self._done():
            await asyncio.sleep(0.02)
        self._outcome.rate_seconds = time.perf_counter() - at
        self._outcome.counted = self._outcome.delivered - before

    async def _empty_mailbox(self, started: float) -> None:
        """Log in and read all that waits."""
        self._clients.append(await self._log_in(0))
        while self._outcome.delivered < self._job.expected and time.perf_counter() < self._until:
            await asyncio.sleep(0.005)
        self._outcome.counted = self._outcome.delivered
        self._outcome.rate_seconds = time.perf_counter() - started
        self._outcome.first -= started

    def _done(self) -> bool:
        made = max(self._outcome.sent, self._outcome.log_ins)
        return made >= self._job.most and not any(one.waiting for one in self._clients)

    async def _drain(self) -> None:
        """Let what is under way arrive; all that was sent has to be answered."""
        end = time.perf_counter() + DRAIN_SECONDS
        while time.perf_counter() < end and any(one.waiting for one in self._clients):
            await asyncio.sleep(0.02)

    async def _acknowledge(self) -> None:
        while True:
            await asyncio.sleep(ACKNOWLEDGE_SECONDS)
            for client in self._clients:
                client.acknowledge()

    async def _talk(self, client: Client, phase: float) -> None:
        """Write at a steady pace; a message that is late counts from when it was due."""
        pause = 1 / self._job.rate
        due = time.perf_counter() + phase * pause
        while due < self._until:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            client.write(due)
            due += pause

    async def _visit(self, client: Client) -> None:
        """Leave and come again, over a fresh connection each time."""
        while time.perf_counter() < self._until and self._outcome.log_ins < self._job.most:
            client.ready = False
            client.leave()
            client = await self._log_in(client.number)
            self._outcome.log_ins += 1
            self._outcome.visits.add(time.perf_counter() - client.started)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _end(tasks: Iterable[asyncio.Future[None]]) -> None:
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


async def _main(job: Job) -> None:
    load = Load(job)
    await load.connect()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    print((await load.run()).text(), flush=True)


def main() -> None:
    """Do the job of the command line."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(_main(Job.read(sys.argv[1])))


if __name__ == "__main__":
    main()
