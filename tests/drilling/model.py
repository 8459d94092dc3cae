"""The small drill: without processes, threads and waiting, on a simulated server.

What the real drill does in minutes this does in seconds. Copies of profiles and of the server are
put back in any order, frames are lost and altered, and a seed repeats all of it but for the keys.
So many courses of events can be tried, and one that fails can be looked into. What is demanded at
the end is the same (:mod:`verdict`).
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from bpost.client.models import Errand, Frame, Outgoing, Want
from bpost.protocol.replies import Delivery, SendAccepted
from tests.client.simulated import SimulatedDevice
from tests.drilling.faults import altered
from tests.drilling.model_server import ModelLink, ModelServer, ServerCopy
from tests.drilling.verdict import Verdict, Written, judge, user_of

KEPT = ("bpost.db", "key", "profile.json")
FATES = ("drop", "double", "delay", "alter")
BAD = 0.12
"""How likely something happens to a frame."""

PAUSES = (0.1, 0.5, 2.0, 5.0)
MINUTE, HOUR = 60.0, 3700.0
ROUNDS = 60
"""After so many rounds of everybody's mail whatever is still open is so for ever."""


class Model:
    """Some simulated devices in a folder; :meth:`run` it once, and :meth:`close` it."""

    def __init__(
        self,
        seed: str,
        folder: Path,
        say: Callable[[str], None] = lambda _text: None,
        *,
        names: tuple[str, ...] = ("alice", "bob"),
        seconds: tuple[str, ...] = ("alice",),
    ) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.devices: dict[str, SimulatedDevice] = {}
        self._names, self._seconds = names, seconds
        self._folder = folder
        self._say = say
        self._server = ModelServer()
        self._wrote: list[Written] = []
        self._accepted: set[str] = set()
        self._restored: set[str] = set()
        self._copies: dict[str, Path] = {}
        self._server_copy: ServerCopy | None = None
        self._held: dict[str, list[Delivery]] = {}
        self._numbers = 0
        self._bad = False

    def run(self, steps: int) -> Verdict:
        """Let so many things happen, one after the other; return what came of it."""
        self._gather()
        self._bad = True
        kinds: dict[Callable[[], None], int] = {
            self._write: 30,
            self._deliver: 30,
            self._work: 10,
            self._reconnect: 3,
            self._copy_device: 4,
            self._restore_device: 4,
            self._copy_server: 2,
            self._restore_server: 2,
            self._twin: 2,
        }
        for _ in range(steps):
            self._pass(self.chance.choice(PAUSES))
            self.chance.choices(list(kinds), list(kinds.values()))[0]()
        self._bad = False
        self._say("the last words, on good lines")
        self._settle()
        for device in sorted(self.devices):
            for name in self._others(device):
                self._send(device, name, f"farewell {device} {name}")
        self._settle()
        return self._judge()

    def close(self) -> None:
        """Close all devices."""
        for device in self.devices.values():
            device.close()

    # Who there is

    def _gather(self) -> None:
        for name in self._names:
            self._add(name, None)
            self._server.account(name).contacts += [one for one in self._names if one != name]
        for name in self._seconds:
            self._add(f"{name}-b", self.devices[name])
        self._settle()

    def _add(self, device: str, of: SimulatedDevice | None) -> None:
        self._server.account(user_of(device))
        with mock.patch("tests.client.simulated.os.urandom", self.chance.randbytes):
            made = SimulatedDevice(self._server, user_of(device), self._folder / device, of)
        self.devices[device] = made
        made.work()

    def _any(self) -> str:
        return self.chance.choice(sorted(self.devices))

    def _others(self, device: str) -> list[str]:
        return [name for name in self._names if name != user_of(device)]

    # Mail

    def _write(self) -> None:
        device = self._any()
        self._numbers += 1
        self._send(device, self.chance.choice(self._others(device)), f"message {self._numbers}")

    def _send(self, device: str, to: str, text: str) -> None:
        message = self.devices[device].write(to, text, work=False)
        self._say(f"{device} writes to {to}: {text}")
        self._wrote.append(Written(message.id, device, to, text))
        if not self._bad or self.chance.random() < 0.8:
            self._work(device)

    def _work(self, name: str = "") -> None:
        device = self.devices[name or self._any()]
        if not isinstance(device.link, ModelLink):
            device.link = ModelLink(device.link, self._fate, self.chance)
            device.dispatch.link = device.link  # type: ignore[assignment]
        while True:
            device.dispatch.work()
            answers, device.link.answers = device.link.answers, []
            if not answers:
                return
            for reply in answers:
                if isinstance(reply, SendAccepted):
                    self._accepted.add(str(reply.ref))
                device.take_answer(reply)

    def _deliver(self) -> None:
        name = self._any()
        device, coming = self.devices[name], list[Delivery]()
        for one in [*self._held.pop(name, []), *device.pending()]:
            fate = self._fate()
            if fate:
                self._say(f"{name}: seq {one.seq} of {one.sender}: {fate}")
            if fate == "delay":
                self._held.setdefault(name, []).append(one)
            elif fate == "alter":
                coming.append(replace(one, body=altered(one.body, self.chance)))
            else:
                coming += {"drop": [], "double": [one, one]}.get(fate, [one])
        self._take(name, coming)

    def _take(self, name: str, deliveries: Iterable[Delivery]) -> None:
        self.devices[name].take(deliveries)
        self._work(name)

    def _fate(self) -> str:
        return self.chance.choice(FATES) if self._bad and self.chance.random() < BAD else ""

    def _reconnect(self) -> None:
        self._connect(self._any())

    def _connect(self, name: str) -> None:
        self._held.pop(name, None)
        self.devices[name].connect()
        self._work(name)

    # Copies

    def _copy_device(self) -> None:
        name = self._any()
        self._say(f"{name} is copied")
        self._copies[name] = self._copy(name, "copies")

    def _copy(self, name: str, where: str) -> Path:
        device, to = self.devices[name], self._folder / where / name
        device.store.checkpoint()
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir(parents=True)
        for one in KEPT:
            shutil.copy2(device.keystore.folder / one, to / one)
        return to

    def _restore_device(self) -> None:
        if self._copies:
            name = self.chance.choice(sorted(self._copies))
            self._say(f"{name} is restored from an old copy")
            self._put_back(name, self._copies.pop(name))

    def _put_back(self, name: str, source: Path) -> None:
        device = self.devices[name]
        device.store.close()
        for end in ("-wal", "-shm"):
            Path(f"{device.keystore.database}{end}").unlink(missing_ok=True)
        for one in KEPT:
            shutil.copy2(source / one, device.keystore.folder / one)
        self._restored.add(name)
        self._held.pop(name, None)
        device.open()
        self._work(name)

    def _twin(self) -> None:
        """Copy a profile, use the copy for a while, and then the first one again."""
        name = self._any()
        to = self.chance.choice(self._others(name))
        self._say(f"{name} is used in two copies by turns")
        kept = self._copy(name, "twins")
        for turn in range(2):
            self._numbers += 1
            self._send(name, to, f"twin {self._numbers} {turn}")
            self._work(name)
            self._pass(self.chance.choice((1.5, 5.0, 20.0)))
            now = self._copy(name, "swapped")
            self._put_back(name, kept)
            kept = now.rename(self._folder / f"{name} {self._numbers}")

    def _copy_server(self) -> None:
        self._say("the server is copied")
        cursors = {name: device.cursor for name, device in self.devices.items()}
        self._server_copy = self._server.copied(cursors)

    def _restore_server(self) -> None:
        if self._server_copy is None:
            return
        self._say("the server is restored from an old copy")
        self._server.put_back(self._server_copy)
        for name, cursor in self._server_copy.cursors.items():
            self.devices[name].cursor = cursor
        for name in sorted(self.devices):
            self._connect(name)

    # The end

    def _pass(self, seconds: float) -> None:
        """Let time pass."""
        for device in self.devices.values():
            device.seconds += seconds

    def _settle(self) -> None:
        """Let mail flow and time pass, until nobody has anything left to do."""
        still = 0
        for number in range(ROUNDS):
            self._pass(MINUTE if number % 8 else HOUR)
            for name in sorted(self.devices):
                if number % 8 == 0:
                    self._connect(name)
                self._take(name, [*self._held.pop(name, []), *self.devices[name].pending()])
            still = 0 if any(any(left) for left in self._left().values()) else still + 1
            if still > 2:
                return

    def _left(self) -> dict[str, list[int]]:
        """Return for each device what it still has to do."""
        found = {}
        for name, device in self.devices.items():
            with device.store.reading():
                counts = [device.store.count(table) for table in (Errand, Outgoing)]
                counts.append(device.store.count(Frame, Frame.refused == 0))
                counts.append(device.store.count(Want, Want.lost == 0))
            found[name] = counts
        return found

    def _judge(self) -> Verdict:
        dumps = {device: {"shown": self._dump(device)} for device in self.devices}
        wrote = [replace(one, left=one.id in self._accepted) for one in self._wrote]
        verdict = judge(dumps, wrote, self._restored, Counter())
        verdict.wrong += [
            f"{n} never ended: {left}" for n, left in self._left().items() if any(left)
        ]
        return verdict

    def _dump(self, device: str) -> dict[str, list[Any]]:
        """Return what a device shows, line by line."""
        return {
            name: [
                [m.id, m.sender.lower(), m.own, m.kind, m.text, m.status, m.failure]
                for m in self.devices[device].history(name)
            ]
            for name in self._names
        }
