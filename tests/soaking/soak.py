"""The course of a soak: lives that end in a kill, one that does not, and the reckoning."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.stock import Stock, fill
from bpost.server.store import FILE
from tests.client.programs import ServerProcess
from tests.soaking.crew import Crew, State
from tests.soaking.task import Task
from tests.soaking.verdict import History, Verdict
from tests.soaking.watch import HEAD, KIB, Life, Sample, growth, left_over, line
from tests.support import patience

FLAT_SECONDS = 1200.0
"""A life has to last so long before it can be called flat: the database's cache fills at first."""

DOWN_SECONDS = 2.0
"""A server that was killed comes back within this time."""


@dataclass(frozen=True)
class Plan:
    """How large a soak is, in seconds and in messages a second, all together.

    One kill falls into each ``every`` seconds. When nothing has moved for ``still`` seconds at the
    end, what has not arrived is lost.
    """

    seed: str
    kills: int = 60
    every: float = 60.0
    last: float = 1200.0
    residents: int = 200
    rate: float = 100.0
    processes: int = 2
    strangers: int = 3
    stay: float = 60.0
    away: float = 12.0
    look: float = 1.0
    still: float = 120.0
    folder: Path | None = None

    @property
    def judges_memory(self) -> bool:
        """Whether the last part is long enough to say that memory is flat."""
        return self.last >= FLAT_SECONDS

    def tasks(self, port: int, folder: Path) -> list[Task]:
        """Return what each load process does."""
        online = self.stay / (self.stay + self.away)
        return [
            Task(
                seed=self.seed,
                port=port,
                first=self.residents * part // self.processes,
                count=self.residents * (part + 1) // self.processes
                - self.residents * part // self.processes,
                ring=self.residents,
                rate=self.rate / self.residents / online,
                stay=self.stay,
                away=self.away,
                strangers=self.strangers,
                journal=str(folder / f"journal-{part}"),
            )
            for part in range(self.processes)
        ]


class Soak:
    """One soak, in a folder of its own; :meth:`run` it once, and :meth:`close` it."""

    def __init__(self, plan: Plan, say: Callable[[str], None] = lambda _text: None) -> None:
        self.plan = plan
        self.state = State()
        self.lives: list[Life] = []
        self._say = say
        self._chance = random.Random(plan.seed)  # noqa: S311
        self.folder = Path(tempfile.mkdtemp(prefix="soak-", dir=plan.folder))
        fill(self.folder / "server", Stock(plan.residents, plan.residents))
        self._server = ServerProcess(self.folder / "server", "--log-level", "warning")
        self._crew: Crew | None = None

    def run(self) -> Verdict:
        """Do all of it; return what came of it."""
        time.sleep(2 * self.plan.look)
        before = self._sample()
        self._crew = crew = Crew(self.plan.tasks(self._server.port, self.folder))
        self._say(line(HEAD))
        self._live_with_kills()
        self._say("no kills from here")
        steady = self.lives[-1]
        self._look_on(time.monotonic() + self.plan.last, steady)
        self._end_life(steady)
        self._say("nobody writes any more")
        self._settle(crew)
        self._say("everybody leaves")
        crew.tell("go")
        after = self._empty(before)
        crew.end()
        self._server.stop()
        return self._judge(steady, before, after)

    def close(self, *, keep: bool = False) -> None:
        """End what still runs, and remove the folder unless it is to be kept."""
        if self._crew is not None:
            self._crew.end()
        if self._server.process.poll() is None:
            self._server.stop()
        if keep:
            self._say(f"kept in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _live_with_kills(self) -> None:
        """Kill the server at a random moment of each minute, or whatever ``every`` is."""
        began = time.monotonic()
        self.lives.append(Life(1))
        for number in range(self.plan.kills):
            moment = began + self.plan.every * (number + self._chance.random())
            self._look_on(moment, self.lives[-1])
            self._end_life(self.lives[-1])
            self._server.kill()
            time.sleep(self._chance.uniform(0, min(DOWN_SECONDS, self.plan.every / 4)))
            down = time.monotonic()
            self._server.start()
            self.lives.append(Life(number + 2, start_seconds=time.monotonic() - down))

    def _look_on(self, until: float, life: Life) -> None:
        """Watch the server until then."""
        while (left := until - time.monotonic()) > 0:
            self._is_alive()
            life.samples.append(self._sample())
            time.sleep(min(self.plan.look, left))

    def _end_life(self, life: Life) -> None:
        self._is_alive()
        life.samples.append(self._sample())
        assert self._crew is not None
        state = self._crew.tell()
        life.promised = state.messages - self.state.messages
        self.state = state
        self._say(line(life.row()))

    def _is_alive(self) -> None:
        status = self._server.process.poll()
        if status is not None:
            raise AssertionError(f"The server ended by itself, with {status}: {self._log()}")

    def _sample(self) -> Sample:
        return Sample.of(self._server.process.pid, self._server.folder)

    def _settle(self, crew: Crew) -> None:
        """Wait until everybody has everything, or nothing moves any more."""
        crew.tell("calm")
        moved = time.monotonic()
        while time.monotonic() < moved + patience(self.plan.still):
            before, self.state = self.state, crew.tell()
            now = self.state
            if not now.unanswered and not now.behind and now.inside == self.plan.residents:
                return
            if (now.seen, now.unanswered) != (before.seen, before.unanswered):
                moved = time.monotonic()
            time.sleep(0.2)

    def _empty(self, before: Sample) -> Sample:
        """Wait until the server holds no connections any more, or for long enough."""
        deadline = time.monotonic() + patience(self.plan.still)
        while left_over(before, after := self._sample()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return after

    def _judge(self, steady: Life, before: Sample, after: Sample) -> Verdict:
        history = History()
        assert self._crew is not None
        for journal in self._crew.journals:
            with journal.open(encoding="utf-8") as lines:
                history.read(lines)
        history.read_database(self._server.folder / FILE)
        verdict = Verdict(history)
        for text in growth(steady) if self.plan.judges_memory else ():
            verdict.wrong("not flat", text)
        for text in left_over(before, after):
            verdict.wrong("left over", text)
        for text in self._log():
            verdict.wrong("in the log", text)
        command = [sys.executable, "-m", "bpost.server.admin", "--data", str(self._server.folder)]
        done = subprocess.run([*command, "check"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            verdict.wrong("damaged", done.stdout + done.stderr)
        self._count(history, before, after)
        return verdict

    def _count(self, history: History, before: Sample, after: Sample) -> None:
        counts = self.state.counts
        counts["messages written"] = len(history.sent)
        counts["messages promised"] = len(history.promised)
        counts["messages delivered"] = sum(map(len, history.got.values()))
        counts["messages stored"] = sum(map(len, history.stored.values()))
        counts["kills"] = self.plan.kills
        counts["KiB of memory before anyone came"] = before.memory // KIB
        counts["KiB of memory when all had left"] = after.memory // KIB
        counts["threads before anyone came"] = before.threads
        counts["threads when all had left"] = after.threads
        counts["descriptors before anyone came"] = before.descriptors
        counts["descriptors when all had left"] = after.descriptors

    def _log(self) -> list[str]:
        """Return what the server said that is of faults."""
        log = (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")
        return [one for one in log.splitlines() if " ERROR " in one or "Traceback" in one]
