"""Whose device a frame came from that could not be read, where the frame does not say.

Nothing in it names a device any more, or none that is known: it may be one that joined since, or
the first that is heard of somebody. So the server is asked for that user's devices, and then all of
them are asked for the frame. Or it is of this very device: what one sends to the own others is
handed out to all. All methods are called within a transaction of the profile.
"""

from __future__ import annotations

from bpost.client.devices import Devices
from bpost.client.journal import Journal
from bpost.client.models import Inquiry, Want
from bpost.client.profile import Profile
from bpost.client.wants import Wants


class Senders:
    """The frames whose device is not known yet."""

    def __init__(self, profile: Profile, devices: Devices, journal: Journal, wants: Wants) -> None:
        self._profile = profile
        self._devices = devices
        self._journal = journal
        self._wants = wants
        self._sought: set[str] = set()
        self._learned: dict[str, int] = {}  # when, in milliseconds, somebody's devices were told

    def seek(self, peer: str) -> None:
        """Have the devices of ``peer`` asked for."""
        self._sought.add(peer)

    def take_sought(self) -> set[str]:
        """Return whose devices are to be asked for since this was last asked."""
        sought, self._sought = self._sought, set()
        return sought

    def learned(self, peer: str) -> None:
        """Note that the devices of ``peer`` are known as the server knows them now.

        That is an answer to the request for them, so that the next one may go sooner.
        """
        self._learned[peer] = self._profile.now()
        asked = (Inquiry.peer == peer) & (Inquiry.device == "")
        self._profile.store.run(Inquiry.update(answered=True).where(asked))

    def find(self) -> list[Want]:
        """Have every device asked for what came from one of them, where they are known by now.

        Returns what came from this one.
        """
        own: list[Want] = []
        for want in self._wants.of_nobody():
            devices = self._devices.devices(want.peer)
            if want.peer == self._profile.name and self._journal.frame(
                want.peer, want.hash, want.seq
            ):
                own.append(want)
            elif devices and self._is_sure(want):
                self._wants.spread(want, devices)
        return own

    def _is_sure(self, want: Want) -> bool:
        """Say whether the devices were learned after a frame came, so that its own is there.

        This one is among them until the server has answered for all that it has sent.
        """
        maybe_own = want.peer == self._profile.name and self._journal.is_unsure(want.peer)
        return self._learned.get(want.peer, 0) > want.noted and not maybe_own
