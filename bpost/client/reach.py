"""Whom a text was sealed for, compared with the devices there were when the server stored it.

A device that joins while a message is on its way would miss it: nobody had heard of it. So the
server's answer to a message names the devices of both sides, and who sealed it for fewer asks for
their signed lists and sends it again, as the same message. What the server names is only a hint:
nothing is sealed for a device that is not on a signed list. All methods are called within a
transaction of the profile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from bpost.client.models import Addressed
from bpost.client.profile import Profile
from bpost.protocol.replies import SendAccepted


class Reach:
    """The texts on their way, with the devices that each was sealed for."""

    def __init__(self, profile: Profile) -> None:
        self._name = profile.name
        self._store = profile.store

    def note(self, ref: str, message: str, peer: str, there: Mapping[str, Iterable[str]]) -> None:
        """Note the devices, by user, that the frame ``ref`` and its copy are for."""
        row = {
            "ref": ref,
            "message": message,
            "peer": peer,
            "devices": _spelled(there.get(peer, ())),
            "own": _spelled(there.get(self._name, ())),
        }
        self._store.run(Addressed.insert(row))

    def compare(self, reply: SendAccepted) -> None:
        """Forget a text that was for everyone, and keep one that was not to be looked after."""
        row = self._store.one(Addressed, Addressed.ref == reply.ref)
        if row is None:
            return
        told, own = _spelled(reply.devices or ()), _spelled(reply.own or ())
        is_told = reply.devices is not None and reply.own is not None
        if not is_told or (told, own) == (row.devices, row.own):
            self.forget(row)
        else:
            change = Addressed.update(told=told, told_own=own)
            self._store.run(change.where(Addressed.ref == row.ref))

    def short(self) -> list[Addressed]:
        """Return the texts whose devices were others than the server then knew."""
        told = cast(Any, Addressed.told).is_null(False)
        return self._store.all(Addressed, told)

    def forget(self, row: Addressed) -> None:
        """Be done with a text."""
        self._store.remove(Addressed, Addressed.ref == row.ref)

    def told(self, row: Addressed) -> dict[str, str]:
        """Return what else the server named, by user; equal texts name the same devices."""
        named = {row.peer: (row.devices, row.told), self._name: (row.own, row.told_own)}
        return {user: str(told) for user, (sealed, told) in named.items() if told != sealed}

    def addressed(self, row: Addressed) -> set[str]:
        """Return all devices that a text was sealed for."""
        return {*row.devices.split(), *row.own.split()}


def _spelled(devices: Iterable[str]) -> str:
    return " ".join(sorted(devices))
