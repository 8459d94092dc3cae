"""The course of a drill: who writes what to whom, and what goes wrong meanwhile.

All of it follows from the seed, but for how the threads of three processes and more meet: a seed
repeats the disasters, and very nearly what comes of them.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.client.programs import ServerProcess
from tests.drilling.crew import Crew
from tests.drilling.disasters import Disasters, Place
from tests.drilling.verdict import Verdict, judge, read_journals, user_of
from tests.support import patience

MESSAGE, OTHER = 0.006, 0.001
"""How likely each of five things happens to a frame with a message, and to any other."""


@dataclass(frozen=True)
class Plan:
    """How large a drill is."""

    seed: str
    users: int = 20
    messages: int = 10_000
    rounds: int = 16
    workers: int = 3
    restores: bool = True
    alters: bool = True

    @property
    def names(self) -> list[str]:
        """The users, each with one device of that name."""
        return [f"user{number:02}" for number in range(self.users)]

    @property
    def seconds(self) -> list[str]:
        """The second devices: a quarter of the users has one."""
        return [f"{name}-b" for name in self.names[: self.users // 4]]


class Drill:
    """One drill, in a folder of its own; :meth:`run` it once."""

    def __init__(self, plan: Plan, say: Callable[[str], None] = lambda _text: None) -> None:
        self.plan = plan
        self._say = say
        self._chance = random.Random(plan.seed)  # noqa: S311
        shm = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(prefix="drill-", dir=shm if shm.is_dir() else None))
        self._profiles = self.folder / "profiles"
        self._profiles.mkdir()
        self._server = ServerProcess(self.folder / "server")
        self._crews = [
            Crew(number, plan.seed, self._profiles, self._server) for number in range(plan.workers)
        ]
        place = Place(self.folder, self._server, self._crews, self._chance, say)
        self._disasters = Disasters(place)
        self._talked = place.talked
        self._written = 0

    def run(self) -> Verdict:
        """Do all of it; return what came of it."""
        began = time.monotonic()
        self._gather()
        self._each(lambda crew: crew.rates(MESSAGE, OTHER, self.plan.alters))
        self._each(lambda crew: crew.do("reconnect"))
        for number, disasters in enumerate(
            self._disasters.course(self.plan.rounds, self.plan.restores)
        ):
            self._round(number)
            for disaster in disasters:
                disaster()
        self._each(lambda crew: crew.rates(0.0, 0.0))
        self._each(lambda crew: crew.do("reconnect"))
        self._say("the last words, on good lines")
        self._quiet()
        self._farewell()
        self._quiet()
        dumps = {d: crew.do("dump", device=d) for crew in self._crews for d in crew.devices}
        figures, wrote = read_journals([crew.journal for crew in self._crews])
        figures.update(self._disasters.counts)
        verdict = judge(dumps, wrote, self._disasters.copies.restored, figures)
        verdict.figures["seconds"] = int(time.monotonic() - began)
        return verdict

    def close(self, *, keep: bool = False) -> None:
        """End the processes, and remove the folder unless it is to be kept."""
        for crew in self._crews:
            crew.stop()
        self._server.stop()
        if keep:
            self._say(f"kept in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    # Who there is

    def _gather(self) -> None:
        """Register everybody as contacts of each other, and let the second devices join."""
        for number, name in enumerate(self.plan.names):
            self._crews[number % len(self._crews)].devices.append(name)
        self._together("register", lambda crew: {"devices": crew.devices})
        names = self.plan.names
        self._together(
            "befriend",
            lambda crew: {"pairs": [(d, n) for d in crew.devices for n in names if n != d]},
        )
        for number, device in enumerate(self.plan.seconds):
            crew = self._crews[(number + 1) % len(self._crews)]
            crew.devices.append(device)
            failed = crew.do("open", devices=[device])
            assert not failed, failed

    # What they write

    def _round(self, number: int) -> None:
        """Let everybody write their share of a round's messages."""
        count = self.plan.messages // self.plan.rounds
        last = number == self.plan.rounds - 1
        count = self.plan.messages - self._written if last else count
        items = [self._message(self._written + one) for one in range(count)]
        self._written += count
        for crew in self._crews:
            crew.end()
            crew.write([item for item in items if item[0] in crew.devices])
        self._say(f"round {number + 1}: {self._written} messages")

    def _message(self, number: int) -> tuple[str, str, str]:
        device = self._chance.choice(self.plan.names + self.plan.seconds)
        user = user_of(device)
        near = [name for name in self.plan.names if name != user]
        at = self.plan.names.index(user)
        friends = [near[(at + step) % len(near)] for step in (0, 1, 2, 5)]
        to = self._chance.choice(friends)
        self._talked.add((user, to))
        return device, to, f"message {number}"

    def _farewell(self) -> None:
        """Let every device write once more to everybody it is in touch with: gaps show by that."""
        devices = self.plan.names + self.plan.seconds
        both = self._talked | {(there, here) for here, there in self._talked}
        pairs = {(d, n) for d in devices for n in self.plan.names if (user_of(d), n) in both}
        items = [(d, n, f"farewell {d} {n}") for d, n in sorted(pairs)]
        self._together("write", lambda c: {"items": [i for i in items if i[0] in c.devices]})

    # Waiting

    def _quiet(self) -> None:
        """Wait until nobody has anything left to do, twice in a row."""
        deadline, still = time.monotonic() + patience(120), 0
        while still < 3:
            busy = {
                device: left
                for crew in self._crews
                for device, left in crew.do("status").items()
                if any(left)
            }
            still = 0 if busy else still + 1
            if time.monotonic() > deadline:
                raise AssertionError(f"this never ended: {busy}")
            time.sleep(0.3)

    def _each(self, work: Callable[[Crew], object]) -> None:
        for crew in self._crews:
            work(crew)

    def _together(self, command: str, arguments: Callable[[Crew], dict[str, object]]) -> None:
        """Have all workers do something at the same time."""
        for crew in self._crews:
            crew.begin(command, **arguments(crew))
        for crew in self._crews:
            crew.end()
