"""The load processes, as the parent sees them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soaking.task import Task
from tests.support import patience

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class State:
    """How far all residents are; ``behind`` are those whose mailbox holds more than they have."""

    promised: dict[str, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    unanswered: int = 0
    inside: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def behind(self) -> int:
        """How many residents have not got all that was promised to them."""
        return sum(seq > self.seen.get(name, 0) for name, seq in self.promised.items())

    @property
    def messages(self) -> int:
        """How many messages have been promised, or a few more."""
        return sum(self.promised.values())

    def add(self, told: dict[str, Any]) -> None:
        """Count in what one process tells."""
        for name, seq in told["answered"].items():
            self.promised[name] = max(seq, self.promised.get(name, 0))
        self.seen.update(told["seen"])
        self.unanswered += told["unanswered"]
        self.inside += told["inside"]
        self.counts.update(told["counts"])


class Crew:
    """All load processes."""

    def __init__(self, tasks: list[Task]) -> None:
        self.journals = [task.path for task in tasks]
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.soaking.load", task.text()],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for task in tasks
        ]

    def tell(self, command: str = "status") -> State:
        """Tell all processes something; return how far they are."""
        state = State()
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(command + "\n")
            process.stdin.flush()
        for process in self._processes:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise AssertionError("A load process ended early; it says why above.")
            state.add(json.loads(line))
        return state

    def end(self) -> None:
        """End the processes: in order where they can."""
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()
        for process in self._processes:
            try:
                process.wait(patience(30))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
