"""The server of the small drill, which can be put back, and a line to it that loses and alters."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from bpost.protocol.fields import canonical
from bpost.protocol.replies import SendAccepted
from bpost.protocol.requests import Send
from bpost.protocol.shape import Reply, Request
from tests.client.simulated import SimulatedAccount, SimulatedLink, SimulatedServer
from tests.drilling.faults import altered

Fate = Callable[[], str]


@dataclass(frozen=True)
class ServerCopy:
    """What a server's folder held at some time; ``cursors`` are how far each device had read."""

    accounts: dict[str, SimulatedAccount]
    last_refs: dict[str, str | None]
    stored: dict[tuple[str, str, str], Reply]
    cursors: dict[str, int]


class ModelServer(SimulatedServer):
    """A simulated server that stores each frame once, and can be put back."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: dict[tuple[str, str, str], Reply] = {}

    def answer(self, user: str, device: str, request: Request) -> Reply:
        """Answer a request; what comes again is not the last message of its device."""
        last = self.last_refs.get(device)
        known = isinstance(request, Send) and _key(device, request) in self.stored
        reply = super().answer(user, device, request)
        if known:
            self.last_refs[device] = last
        return reply

    def copied(self, cursors: dict[str, int]) -> ServerCopy:
        """Return a copy of its folder."""
        now = copy.deepcopy((self.accounts, self.last_refs, self.stored))
        return ServerCopy(*now, cursors)

    def put_back(self, kept: ServerCopy) -> None:
        """Be as it was; the copy may be put back once more."""
        then = copy.deepcopy((kept.accounts, kept.last_refs, kept.stored))
        self.accounts, self.last_refs, self.stored = then

    def _send(self, user: str, device: str, request: Send) -> Reply:
        key = _key(device, request)
        known = self.stored.get(key)
        if known is None:
            known = super()._send(user, device, request)
            if isinstance(known, SendAccepted):
                self.stored[key] = known
        return known


class ModelLink(SimulatedLink):
    """A line on which frames and answers are lost, and frames altered."""

    def __init__(self, link: SimulatedLink, fate: Fate, chance: random.Random) -> None:
        super().__init__(link._server, *link._who)
        self._fate = fate
        self._chance = chance

    def post(self, request: Request) -> None:
        """Send a frame, or what becomes of it; where it is late, its answer is lost."""
        fate = self._fate()
        if fate == "drop":
            return
        if fate == "alter" and isinstance(request, Send):
            request = replace(request, body=altered(request.body, self._chance))
        answer = self._server.answer(*self._who, request)
        if fate != "delay":
            self.answers.append(answer)

    def close(self, _why: str) -> None:
        """Do nothing: a line with a frame that was not answered is replaced sooner or later."""


def _key(device: str, request: Send) -> tuple[str, str, str]:
    return device, str(request.ref), canonical(request.to)
