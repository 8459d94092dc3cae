"""What goes wrong in a drill: kills of either side, and folders that are put back as they were."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.client.programs import ServerProcess
from tests.drilling.crew import Crew
from tests.drilling.verdict import user_of
from tests.support import patience

KEPT = ("bpost.db", "bpost.db-wal", "key", "profile.json")


@dataclass
class Place:
    """Where a drill happens: its folder, its processes, its chance, and who listens to it.

    ``talked`` are the pairs of users of whom the first has written to the second.
    """

    folder: Path
    server: ServerProcess
    crews: list[Crew]
    chance: random.Random
    say: Callable[[str], None]
    talked: set[tuple[str, str]] = field(default_factory=set)

    @property
    def profiles(self) -> Path:
        """The folder of the profiles."""
        return self.folder / "profiles"


@dataclass
class Copies:
    """Folders as they were, to be put back; and whose were."""

    server: Path | None = None
    devices: dict[str, Path] = field(default_factory=dict)
    restored: set[str] = field(default_factory=set)


class Disasters:
    """Does harm to a place, and counts it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.copies = Copies()
        self.counts: Counter[str] = Counter()
        self._turns = 0

    def course(self, rounds: int, restores: bool) -> list[list[Callable[[], None]]]:
        """Return what happens after each round; with or without folders that are put back."""
        kinds = [self._kill_server, self._kill_worker]
        if restores:
            kinds += [
                self._copy_devices,
                self._restore_devices,
                self._copy_server,
                self._kill_server,
                self._restore_server,
                self._kill_worker,
                self._twin,
            ]
        plan: list[list[Callable[[], None]]] = [[] for _ in range(rounds)]
        for number, kind in enumerate(kinds * max(1, rounds // 6)):
            plan[number % (rounds - 1)].append(kind)
        return plan

    def _pause(self) -> None:
        """Let them get into the middle of something."""
        time.sleep(self.place.chance.uniform(0.1, 1.5))

    def _kill_server(self) -> None:
        self._pause()
        self.counts["kills of the server"] += 1
        self.place.say("the server is killed")
        self.place.server.kill()
        self._pause()
        self.place.server.start()

    def _kill_worker(self) -> None:
        """Kill a process with all its clients, and begin anew."""
        self._pause()
        crew = self.place.chance.choice(self.place.crews)
        self.counts["kills of clients"] += 1
        self.place.say(f"the clients of worker {crew.number} are killed")
        crew.kill()
        crew.start()
        crew.do("open", devices=crew.devices)
        crew.write_rest()

    def _copy_server(self) -> None:
        """Copy the server's folder, of a server that was killed."""
        self.place.server.kill()
        self.copies.server = self.place.folder / "server-copy"
        shutil.rmtree(self.copies.server, ignore_errors=True)
        shutil.copytree(self.place.server.folder, self.copies.server)
        self.place.server.start()

    def _restore_server(self) -> None:
        """Put the old copy of the server's folder back."""
        if self.copies.server is None:
            return
        self._pause()
        self.counts["restored servers"] += 1
        self.place.say("the server is restored from an old copy")
        self.place.server.kill()
        shutil.rmtree(self.place.server.folder)
        shutil.copytree(self.copies.server, self.place.server.folder)
        self.place.server.start()

    def _copy_devices(self) -> None:
        """Copy the profiles of some devices, while nobody uses them."""
        for crew in self.place.crews:
            devices = self.place.chance.sample(crew.devices, min(2, len(crew.devices)))
            crew.do("close", devices=devices)
            for device in devices:
                self.copies.devices[device] = self._copy(device, "copies")
            crew.do("open", devices=devices)

    def _copy(self, device: str, where: str) -> Path:
        to = self.place.folder / where / device
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir(parents=True)
        _copy_files(self.place.profiles / device, to)
        return to

    def _restore_devices(self) -> None:
        """Put old copies of profiles back."""
        for crew in self.place.crews:
            devices = [d for d in crew.devices if d in self.copies.devices]
            if not devices:
                continue
            device = self.place.chance.choice(devices)
            self.counts["restored clients"] += 1
            self.place.say(f"{device} is restored from an old copy")
            crew.do("close", devices=[device])
            _copy_files(self.copies.devices.pop(device), self.place.profiles / device)
            self.copies.restored.add(device)
            crew.do("open", devices=[device])

    def _twin(self) -> None:
        """Copy a profile, use the copy for a while, and then the first one again."""
        crew = self.place.chance.choice(self.place.crews)
        device = self.place.chance.choice(crew.devices)
        names = {user_of(one) for each in self.place.crews for one in each.devices}
        to = self.place.chance.choice(sorted(names - {user_of(device)}))
        self.place.talked.add((user_of(device), to))
        self.counts["copied clients"] += 1
        self.place.say(f"{device} is used in two copies by turns")
        crew.do("close", devices=[device])
        self._turns += 1
        kept = self._copy(device, "twins")
        for turn in range(2):
            crew.do("open", devices=[device])
            crew.do("write", items=[(device, to, f"twin {self._turns} {turn} {device}")])
            crew.do("flush", device=device, seconds=patience(5))
            crew.do("close", devices=[device])
            now = self._copy(device, "swapped")
            _copy_files(kept, self.place.profiles / device)
            kept = now.rename(kept.with_name(f"{device} {self._turns} {turn}"))
        self.copies.restored.add(device)
        crew.do("open", devices=[device])


def _copy_files(source: Path, to: Path) -> None:
    """Make the profile in ``to`` the one in ``source``."""
    for name in KEPT:
        (to / name).unlink(missing_ok=True)
        if (source / name).exists():
            shutil.copy2(source / name, to / name)
    (to / "bpost.db-shm").unlink(missing_ok=True)
