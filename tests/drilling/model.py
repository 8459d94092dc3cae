"""The drill without processes, threads and waiting: devices of the client, and a simulated server.

What the real drill does in minutes this does in seconds, and a seed repeats all of it, so that many
courses of events can be tried, and one that fails can be made shorter. What is demanded at the end
is the same (:mod:`verdict`).
"""

from __future__ import annotations

import copy
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

from bpost.client.models import Errand, Frame, Outgoing, Want
from bpost.protocol.fields import canonical
from bpost.protocol.replies import Delivery, SendAccepted
from bpost.protocol.requests import Send
from bpost.protocol.shape import Reply, Request
from tests.client.simulated import SimulatedAccount, SimulatedDevice, SimulatedLink, SimulatedServer
from tests.drilling.faults import altered
from tests.drilling.verdict import Verdict, Written, judge, user_of

KEPT = ("bpost.db", "key", "profile.json")
FATES = ("drop", "double", "delay", "alter")


@dataclass
class ServerCopy:
    """What a server's folder held at some time."""

    accounts: dict[str, SimulatedAccount]
    last_refs: dict[str, str | None]
    stored: dict[tuple[str, str, str], Reply]
    cursors: dict[str, int]


class ModelServer(SimulatedServer):
    """A simulated server that knows a frame that it has, and can be put back."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: dict[tuple[str, str, str], Reply] = {}

    def _send(self, user: str, device: str, request: Send) -> Reply:
        key = (device, str(request.ref), canonical(request.to))
        known = self.stored.get(key)
        if known is None:
            known = super()._send(user, device, request)
            if isinstance(known, SendAccepted):
                self.stored[key] = known
        return known


class ModelLink(SimulatedLink):
    """A line on which frames and answers are lost, and frames altered."""

    def __init__(self, link: SimulatedLink, fate: Callable[[], str], chance: random.Random) -> None:
        super().__init__(link._server, *link._who)
        self._fate = fate
        self._chance = chance

    def post(self, request: Request) -> None:
        fate = self._fate()
        if fate == "drop":
            return
        if fate == "alter" and isinstance(request, Send):
            request = replace(request, body=altered(request.body, self._chance))
        answer = self._server.answer(*self._who, request)
        if fate != "delay":  # the answer is lost
            self.answers.append(answer)


class Model:
    """A town of simulated devices in a folder; :meth:`run` it once."""

    def __init__(
        self,
        seed: str,
        folder: Path,
        say: Callable[[str], None],
        *,
        alters: bool = True,
        names: tuple[str, ...] = ("alice", "bob"),
        seconds: tuple[str, ...] = ("alice",),
    ) -> None:
        self.names, self.seconds = names, seconds
        self.chance = random.Random(seed)  # noqa: S311
        self.folder = folder
        self.say = say
        self.alters = alters
        self.server = ModelServer()
        self.devices: dict[str, SimulatedDevice] = {}
        self.wrote: list[Written] = []
        self.accepted: set[str] = set()
        self.restored: set[str] = set()
        self.copies: dict[str, Path] = {}
        self.server_copy: ServerCopy | None = None
        self.talked: set[tuple[str, str]] = set()
        self.bad = False
        self._held: dict[str, list[Delivery]] = {}
        self._numbers = 0
        self._seconds = 0.0

    # Course

    def gather(self) -> None:
        for name in self.names:
            self._add(name, None)
            self.server.account(name).contacts += [one for one in self.names if one != name]
        for name in self.seconds:
            self._add(f"{name}-b", self.devices[name])
        self.settle(60)

    def _add(self, device: str, of: SimulatedDevice | None) -> None:
        self.server.account(user_of(device))
        with mock.patch("tests.client.simulated.os.urandom", self.chance.randbytes):
            made = SimulatedDevice(self.server, user_of(device), self.folder / device, of)
        self.devices[device] = made
        made.work()

    def run(self, steps: int) -> Verdict:
        self.gather()
        self.bad = True
        kinds: list[tuple[Callable[[], None], int]] = [
            (self.write, 30),
            (self.deliver, 40),
            (self.work, 10),
            (self.reconnect, 4),
            (self.copy_device, 2),
            (self.restore_device, 2),
            (self.copy_server, 1),
            (self.restore_server, 1),
            (self.twin, 1),
        ]
        ops, weights = [k for k, _ in kinds], [w for _, w in kinds]
        for _ in range(steps):
            self.tick(self.chance.choice((0.1, 0.5, 2.0, 5.0)))
            self.chance.choices(ops, weights)[0]()
        self.bad = False
        self.say("-- the end")
        self.settle(60)
        for device in sorted(self.devices):
            for name in self.names:
                if name != user_of(device):
                    self._write(device, name, f"farewell {device} {name}")
        self.settle(60)
        return self.verdict()

    def verdict(self) -> Verdict:
        dumps = {device: {"shown": self.dump(device)} for device in self.devices}
        wrote = [replace(one, left=one.id in self.accepted) for one in self.wrote]
        verdict = judge(dumps, wrote, self.restored, Counter())
        for device, left in self.left().items():
            if any(left):
                verdict.wrong.append(f"{device} never ended: {left}")
        return verdict

    def dump(self, device: str) -> dict[str, list[Any]]:
        me = self.devices[device]
        return {
            name: [
                [m.id, m.sender.lower(), m.own, m.kind, m.text, m.status, m.failure]
                for m in me.history(name)
            ]
            for name in self.names
        }

    def left(self) -> dict[str, list[int]]:
        found = {}
        for name, device in self.devices.items():
            with device.store.reading():
                counts = [device.store.count(t) for t in (Errand, Outgoing)]
                counts.append(device.store.count(Frame, Frame.refused == 0))
                counts.append(device.store.count(Want, Want.lost == 0))
            found[name] = counts
        return found

    def settle(self, rounds: int) -> None:
        """Let mail flow on good lines and time pass, until nobody has anything left to do."""
        still = 0
        for number in range(rounds):
            self.tick(60.0 if number % 8 else 3700.0)
            for name in sorted(self.devices):
                if number % 8 == 0:
                    self._connect(name)
                self._take(name, self._held.pop(name, []))
                self._take(name, self.devices[name].pending())
                self.work(name)
            busy = any(any(one) for one in self.left().values())
            still = 0 if busy else still + 1
            if still > 2:
                return

    # What happens

    def tick(self, seconds: float) -> None:
        self._seconds += seconds
        for device in self.devices.values():
            device.seconds += seconds

    def any(self) -> str:
        return self.chance.choice(sorted(self.devices))

    def fate(self) -> str:
        if not self.bad or self.chance.random() > 0.12:
            return ""
        fate = self.chance.choice(FATES)
        return fate if self.alters or fate != "alter" else "drop"

    def write(self) -> None:
        device = self.any()
        to = self.chance.choice([n for n in self.names if n != user_of(device)])
        self._numbers += 1
        self._write(device, to, f"message {self._numbers}")

    def _write(self, device: str, to: str, text: str) -> None:
        message = self.devices[device].write(to, text, work=False)
        self.say(f"{device} writes to {to}: {text}")
        self.wrote.append(Written(message.id, device, to, text))
        if not self.bad or self.chance.random() < 0.8:
            self.work(device)

    def work(self, name: str = "") -> None:
        name = name or self.any()
        device = self.devices[name]
        if not isinstance(device.link, ModelLink):
            device.link = ModelLink(device.link, self.fate, self.chance)
            device.dispatch.link = device.link  # type: ignore[assignment]
        while True:
            device.dispatch.work()
            answers, device.link.answers = device.link.answers, []
            if not answers:
                return
            for reply in answers:
                if isinstance(reply, SendAccepted):
                    self.accepted.add(str(reply.ref))
                device.take_answer(reply)

    def deliver(self) -> None:
        name = self.any()
        device = self.devices[name]
        coming: list[Delivery] = []
        for one in [*self._held.pop(name, []), *device.pending()]:
            fate = self.fate()
            if fate:
                self.say(f"{name}: seq {one.seq} of {one.sender}: {fate}")
            if fate == "delay":
                self._held.setdefault(name, []).append(one)
            elif fate == "alter":
                coming.append(replace(one, body=altered(one.body, self.chance)))
            else:
                coming += {"drop": [], "double": [one, one]}.get(fate, [one])
        self._take(name, coming)
        self.work(name)

    def _take(self, name: str, deliveries: Iterable[Delivery]) -> None:
        self.devices[name].take(deliveries)

    def reconnect(self) -> None:
        self._connect(self.any())

    def _connect(self, name: str) -> None:
        self._held.pop(name, None)
        self.devices[name].connect()
        self.work(name)

    def copy_device(self) -> None:
        name = self.any()
        self.say(f"{name} is copied")
        self.copies[name] = self._copy(name, "copies")

    def _copy(self, name: str, where: str) -> Path:
        device = self.devices[name]
        device.store.checkpoint()
        to = self.folder / where / name
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir(parents=True)
        for one in KEPT:
            shutil.copy2(device.keystore.folder / one, to / one)
        return to

    def restore_device(self) -> None:
        if self.copies:
            name = self.chance.choice(sorted(self.copies))
            self.say(f"{name} is restored")
            self._put_back(name, self.copies.pop(name))

    def _put_back(self, name: str, source: Path) -> None:
        device = self.devices[name]
        device.store.close()
        for end in ("-wal", "-shm"):
            Path(f"{device.keystore.database}{end}").unlink(missing_ok=True)
        for one in KEPT:
            shutil.copy2(source / one, device.keystore.folder / one)
        self.restored.add(name)
        self._held.pop(name, None)
        device.open()
        self.work(name)

    def copy_server(self) -> None:
        self.say("the server is copied")
        now = (self.server.accounts, self.server.last_refs, self.server.stored)
        cursors = {name: device.cursor for name, device in self.devices.items()}
        self.server_copy = ServerCopy(*copy.deepcopy(now), cursors)

    def restore_server(self) -> None:
        kept = self.server_copy
        if kept is None:
            return
        self.say("the server is restored")
        now = copy.deepcopy((kept.accounts, kept.last_refs, kept.stored))
        self.server.accounts, self.server.last_refs, self.server.stored = now
        for name, cursor in kept.cursors.items():
            self.devices[name].cursor = cursor
        for name in sorted(self.devices):
            self._connect(name)

    def twin(self) -> None:
        """Copy a profile, use the copy for a while, and then the first one again."""
        name = self.any()
        to = self.chance.choice([n for n in self.names if n != user_of(name)])
        self.say(f"{name} is used in two copies by turns")
        kept = self._copy(name, "twins")
        for turn in range(2):
            self._numbers += 1
            self._write(name, to, f"twin {self._numbers} {turn}")
            self.work(name)
            self.tick(self.chance.choice((0.5, 5.0, 20.0)))
            now = self._copy(name, "swapped")
            self._put_back(name, kept)
            self._numbers += 1
            kept = now.rename(self.folder / f"{name} {self._numbers}")

    def close(self) -> None:
        for device in self.devices.values():
            device.close()
