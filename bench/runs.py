"""The runs: each a load on a fresh server, and the row of figures that comes of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.job import UNBOUNDED, Job, Outcome
from bench.processes import BPOST, SERVERS, Loads, Server
from bench.stock import Stock, fill

Row = dict[str, Any]

UNDER_WAY = 4096
MOST_WINDOW = 16
"""A connection has so many messages under way, and all together about ``UNDER_WAY``."""

MAILBOX_SECONDS = 120.0


@dataclass(frozen=True)
class Settings:
    """What all runs share."""

    seconds: float = 8.0
    size: int = 1024
    processes: int = 1
    servers: tuple[str, ...] = SERVERS
    accounts: int = 0
    messages: int = 0
    most: int = UNBOUNDED
    idle_seconds: float = 30.0


def throughput(settings: Settings, counts: tuple[int, ...]) -> Iterator[Row]:
    """All connections send as fast as they are answered, a few messages under way on each."""
    for count in counts:
        window = max(1, min(MOST_WINDOW, UNDER_WAY // count))
        yield from _compared("throughput", settings, Job(connections=count, window=window))


def latency(settings: Settings, count: int, rate: float) -> Iterator[Row]:
    """All connections write at a steady pace, far from what the server could do."""
    yield from _compared("latency", settings, Job(connections=count, talkers=count, rate=rate))


def connections(settings: Settings, count: int, talkers: int, rate: float) -> Iterator[Row]:
    """Many are logged in and idle; then a few of them talk."""
    job = Job(connections=count, talkers=min(talkers, count), rate=rate)
    for kind in settings.servers:
        yield _idle_and_talk(settings, kind, job)


def logins(settings: Settings, visitors: int) -> Iterator[Row]:
    """Connect, log in, leave, over and over, on fresh TLS connections."""
    yield from _compared("logins", settings, Job(connections=visitors, visitors=visitors))


def mixed(settings: Settings, count: int, talkers: int, rate: float) -> Iterator[Row]:
    """Some talk, some come and go, the rest is idle."""
    job = Job(connections=count, talkers=talkers, rate=rate, visitors=max(1, count // 250))
    yield from _compared("mixed", settings, job)


def mailbox(settings: Settings, waiting: int) -> Iterator[Row]:
    """A device logs in, and finds a full mailbox. The references have nothing to compare with."""
    job = Job(connections=0, seconds=MAILBOX_SECONDS, size=settings.size, expected=waiting)
    with tempfile.TemporaryDirectory() as name:
        fill(Path(name), Stock(2, 2, waiting=waiting, size=settings.size))
        with Server(BPOST, Path(name)) as server:
            before = server.memory()
            with Loads(server, job, 1) as loads:
                loads.ready()
                row = _loaded("mailbox", BPOST, job, server, loads)
            row["grown_mib"] = round((server.memory("VmHWM") - before) / 1024, 1)
    row |= {"waiting": waiting, "connections": 1, "deliveries_ms": None}
    yield row


def _compared(what: str, settings: Settings, job: Job) -> Iterator[Row]:
    """Run one load on each server in turn."""
    for kind in settings.servers:
        with tempfile.TemporaryDirectory() as name:
            fitting, stored = _prepared(settings, kind, job, Path(name))
            with Server(kind, Path(name)) as server:
                with Loads(server, fitting, settings.processes) as loads:
                    loads.ready()
                    row = _loaded(what, kind, fitting, server, loads)
        yield {**row, **stored}


def _idle_and_talk(settings: Settings, kind: str, job: Job) -> Row:
    """Watch a server whose clients are idle, for longer than its pings are apart; then talk."""
    with tempfile.TemporaryDirectory() as name:
        job, stored = _prepared(settings, kind, job, Path(name))
        with Server(kind, Path(name)) as server:
            empty = server.memory()
            with Loads(server, job, settings.processes) as loads:
                loads.ready()
                cpu = server.cpu()
                time.sleep(settings.idle_seconds)
                idle = server.cpu() - cpu
                kib = (server.memory() - empty) / job.connections
                row = _loaded("connections", kind, job, server, loads)
    row["idle_cpu_percent"] = round(100 * idle / settings.idle_seconds, 1)
    row["kib_per_connection"] = round(kib, 1)
    return {**row, **stored}


def _prepared(settings: Settings, kind: str, job: Job, folder: Path) -> tuple[Job, Row]:
    """Fill the database that BPost will open; return the job that fits it, and what is there."""
    stock = Stock.over(settings.accounts, job.connections, settings.messages, settings.size)
    stored: Row = {}
    if kind == BPOST:
        seconds = fill(folder, stock)
        if settings.accounts or settings.messages:
            stored = {"accounts": stock.accounts, "mails": stock.messages}
            stored["fill_seconds"] = round(seconds, 1)
    fitting = replace(
        job,
        ring=job.connections,
        step=stock.step,
        seconds=settings.seconds,
        size=settings.size,
        most=settings.most,
    )
    return fitting, stored


def _loaded(what: str, kind: str, job: Job, server: Server, loads: Loads) -> Row:
    """Let the load go and write down what came of it."""
    cpu = server.cpu()
    outcome = loads.run()
    row = _row(what, kind, job, outcome)
    row["memory_mib"] = round(server.memory("VmHWM") / 1024, 1)
    if outcome.delivered:
        row["cpu_ms_per_1000"] = round(1e6 * (server.cpu() - cpu) / outcome.delivered, 1)
        row["load_cpu_ms_per_1000"] = round(1e6 * outcome.cpu / outcome.delivered, 1)
    return row


def _row(what: str, kind: str, job: Job, outcome: Outcome) -> Row:
    row: Row = {"run": what, "server": kind, "connections": job.connections, "window": job.window}
    row["messages"] = outcome.delivered
    row["per_second"] = round(outcome.counted / outcome.rate_seconds, 1)
    for name in ("sent", "answered", "refused", "lost"):
        row[name] = getattr(outcome, name)
    for name in ("answers", "deliveries", "visits"):
        row[f"{name}_ms"] = getattr(outcome, name).milliseconds()
    if job.expected:
        row["first_ms"] = round(1000 * outcome.first, 1)
    if job.visitors:
        row["log_ins"] = outcome.log_ins
        row["log_ins_per_second"] = round(outcome.log_ins / outcome.rate_seconds, 1)
    return row
