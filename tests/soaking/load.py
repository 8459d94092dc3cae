"""A load process of the soak: ``python -m tests.soaking.load TASK``; does what stdin says.

It is never killed, and outlives every life of the server. What its residents see goes into the
journal, a line each, of which :mod:`tests.soaking.verdict` knows the words.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any

from bench.load import ACKNOWLEDGE_SECONDS
from tests.soaking.resident import Resident
from tests.soaking.strangers import Stranger
from tests.soaking.task import Task


class Load:
    """The residents and the strangers of one process."""

    def __init__(self, task: Task) -> None:
        self._journal = open(task.path, "w", encoding="utf-8")  # noqa: SIM115 - closed by run
        self._counts: Counter[str] = Counter()
        numbers = range(task.first, task.first + task.count)
        self._residents = [Resident(task, one, self._tell, self._counts) for one in numbers]
        strangers = range(task.first, task.first + task.strangers)
        self._strangers = [Stranger(task, one, self._tell, self._counts) for one in strangers]

    async def run(self) -> None:
        """Live until told that it is over, or until nobody tells any more."""
        residents = [asyncio.ensure_future(one.live()) for one in self._residents]
        others = [asyncio.ensure_future(one.live()) for one in self._strangers]
        others.append(asyncio.ensure_future(self._acknowledge()))
        commands = asyncio.ensure_future(self._obey(others))
        await asyncio.wait([commands, *residents, *others], return_when=asyncio.FIRST_EXCEPTION)
        for one in (commands, *residents, *others):
            if one.done() and not one.cancelled():
                one.result()
        self._journal.close()

    async def _obey(self, others: Iterable[asyncio.Future[None]]) -> None:
        """Do what is told, until the residents are to go."""
        loop = asyncio.get_running_loop()
        while command := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
            if command == "calm":
                self._each(Resident.calm)
            elif command == "go":
                self._each(Resident.go)
                for one in others:
                    one.cancel()
            print(json.dumps(self._status()), flush=True)
        if not command:
            self._each(Resident.go)
            for one in others:
                one.cancel()

    def _each(self, work: Any) -> None:
        for resident in self._residents:
            work(resident)

    def _status(self) -> dict[str, Any]:
        """Return how far everybody is; the journal is then on the disk as far as that."""
        self._journal.flush()
        answered: dict[str, int] = {}
        for resident in self._residents:
            for to, seq in resident.answered.items():
                answered[to] = max(seq, answered.get(to, 0))
        return {
            "answered": answered,
            "seen": {one.name: one.seen for one in self._residents},
            "unanswered": sum(len(one.unanswered) for one in self._residents),
            "inside": sum(one.inside for one in self._residents),
            "counts": self._counts,
        }

    async def _acknowledge(self) -> None:
        while True:
            await asyncio.sleep(ACKNOWLEDGE_SECONDS)
            for resident in self._residents:
                resident.acknowledge()

    def _tell(self, line: str) -> None:
        self._journal.write(line + "\n")


if __name__ == "__main__":
    # The library notes each connection that a kill cuts in its handshake, with a traceback.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    asyncio.run(Load(Task.read(sys.argv[1])).run())
