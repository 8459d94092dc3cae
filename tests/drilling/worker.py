"""A process with the real clients of some devices: it is told on stdin what they do.

Each line is a JSON object with a command; each gets one line as its answer. What happens inside is
written to a journal as it happens, so that a kill loses none of it.
"""

from __future__ import annotations

import gc
import json
import os
import random
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from bpost.client import Client, ConnectionState
from bpost.client.dispatch import Dispatch
from bpost.client.events import SecurityNotice
from bpost.client.healing import Healing
from bpost.client.journal import Journal
from bpost.client.models import Errand, Frame, Outgoing, Receipt, Want
from bpost.client.outbox import Outbox
from bpost.client.wants import Wants
from bpost.errors import BPostError
from bpost.net.ws_client import connect
from tests.client.town import LIMITS, password_keys, password_of
from tests.drilling.faults import GATHER_SECONDS, NONE, FaultyConnection, Rates

HASTY = replace(
    LIMITS,
    missing_seconds=0.3,
    inquiry_seconds=15.0,
    request_seconds=5.0,
    inquiries=10_000,
    events=1_000_000,
)
"""The program's hours as seconds: what it does in days, the drill sees in minutes."""


RECEIPT_SECONDS = 1.5
"""Receipts wait a little longer, so that fewer frames carry them."""


class Worker:
    """The devices of one process, by their names: those of their profile folders."""

    def __init__(self, task: dict[str, Any]) -> None:
        self._task = task
        self._clients: dict[str, Client] = {}
        self._rates = NONE
        self._chance = random.Random(f"{task['seed']} {task['worker']} {task['life']}")  # noqa: S311
        self._journal = os.open(task["journal"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def tell(self, line: str) -> None:
        """Write down that something happened."""
        os.write(self._journal, f"{line}\n".encode())

    def patches(self) -> ExitStack:
        """Put the faults into the channel, cheap passwords, and counters for the figures."""
        stack = ExitStack()
        for target, new in (
            ("bpost.client.account.derive_password_keys", password_keys),
            ("bpost.client.link.connect", self._connect),
            ("bpost.client.dispatch.RECEIPT_SECONDS", RECEIPT_SECONDS),
        ):
            stack.enter_context(mock.patch(target, new))
        stack.enter_context(mock.patch.object(Dispatch, "work", _leisurely(Dispatch.work)))
        self._count(stack, Wants, "forget", lambda wants: [f"healed {w.cause}" for w in wants])
        self._count(
            stack, Healing, "_lose", lambda want, reason: [f"lost {reason}"] * (not want.lost)
        )
        self._count(stack, Journal, "count_again", lambda *_: ["resent"])
        self._count(stack, Outbox, "accept", lambda reply: [f"stored {reply.ref}"])
        return stack

    def _count(
        self, stack: ExitStack, owner: type, name: str, lines: Callable[..., list[str]]
    ) -> None:
        """Have each call of a method written down."""
        before = getattr(owner, name)

        def counted(this: Any, *args: Any) -> Any:
            for line in lines(*args):
                self.tell(line)
            return before(this, *args)

        stack.enter_context(mock.patch.object(owner, name, counted))

    def _connect(self, *args: Any, **kwargs: Any) -> Any:
        inside = connect(*args, **kwargs)
        chance = random.Random(self._chance.random())  # noqa: S311
        return FaultyConnection(inside, chance, self._rates, self.tell)

    # Commands

    def rates(self, message: float, other: float, alters: bool) -> None:
        """Let connections that are made from now on be so bad."""
        self._rates = Rates(message, other, alters)

    def register(self, devices: list[str]) -> None:
        """Register a user for each device."""
        for device in devices:
            client = self._client(device)
            client.register(_user(device), password_of(_user(device)))

    def befriend(self, pairs: list[tuple[str, str]]) -> None:
        """Add contacts."""
        for device, name in pairs:
            self._clients[device].add_contact(name)

    def open(self, devices: list[str]) -> list[str]:
        """Open profiles, or join accounts as new devices; return what went wrong."""
        with ThreadPoolExecutor(8) as pool:
            return [text for text in pool.map(self._log_in, devices) if text]

    def close(self, devices: list[str]) -> None:
        """Close the clients of devices, in order."""
        for device in devices:
            self._clients.pop(device).close()

    def reconnect(self) -> None:
        """Begin a new connection for each client, to which the present rates apply."""
        for client in self._clients.values():
            link = client._run.receiver._link
            if link is not None:
                link.close("cut by the drill")

    def write(self, items: list[tuple[str, str, str]]) -> int:
        """Write messages, and note each once it is in the outbox."""
        for device, to, text in items:
            message = self._clients[device].send(to, text)
            self.tell(f"wrote {message.id} {device} {to} {text}")
        return len(items)

    def flush(self, device: str, seconds: float) -> bool:
        """Wait until the server has what a device wrote, or some seconds."""
        return self._clients[device].flush(seconds)

    def status(self) -> dict[str, list[int]]:
        """Return for each device what is left to do: nothing, where all are 0."""
        return {device: _left(client) for device, client in self._clients.items()}

    def dump(self, device: str) -> dict[str, Any]:
        """Return all that a device shows."""
        client = self._clients[device]
        shown = {
            talk.name.lower(): [
                [m.id, m.sender.lower(), m.own, m.kind, m.text, m.status, m.failure]
                for m in client.history(talk.name, limit=1_000_000)
            ]
            for talk in client.conversations()
        }
        notices = []
        while (event := client.next_event(0)) is not None:
            if isinstance(event, SecurityNotice):
                notices.append(event.cause)
        return {"shown": shown, "notices": notices, "id": client.device}

    def _client(self, device: str) -> Client:
        folder = Path(self._task["folder"]) / device
        self._clients[device] = Client(
            self._task["url"], folder, pin=self._task["pin"], limits=HASTY
        )
        return self._clients[device]

    def _log_in(self, device: str) -> str:
        try:
            self._client(device).log_in(_user(device), password_of(_user(device)))
        except BPostError as error:
            return f"{device}: {type(error).__name__}: {error}"
        return ""


def _user(device: str) -> str:
    return device.partition("-")[0]


def _leisurely(work: Callable[[Dispatch], float]) -> Callable[[Dispatch], float]:
    """Let what there is to send gather a little before each round of a courier."""

    def waited(dispatch: Dispatch) -> float:
        time.sleep(GATHER_SECONDS)
        return work(dispatch)

    return waited


def _left(client: Client) -> list[int]:
    """Return whether a client is offline, and how much it still has to do."""
    store = client._run.profile.store
    offline = client.state is not ConnectionState.CONNECTED
    with store.reading():
        counts = [store.count(t) for t in (Errand, Outgoing, Receipt)]
        counts.append(store.count(Frame, Frame.refused == 0))
        counts.append(store.count(Want, Want.lost == 0))
    return [int(offline), *counts]


def main() -> int:
    """Do what stdin says until it ends."""
    task = json.loads(sys.stdin.readline())
    gc.set_threshold(100_000)
    worker = Worker(task)
    with worker.patches():
        for line in sys.stdin:
            command = json.loads(line)
            answer = getattr(worker, command.pop("do"))(**command)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
        for client in worker._clients.values():
            client.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
