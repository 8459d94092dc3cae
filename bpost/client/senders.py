"""Whose device a frame came from that could not be read, where the frame does not say.

Nothing in it names a device any more, or none that is known: it may be one that joined since, or
the first that is heard of somebody. So the server is asked for that user's devices, and then all of
them are asked for the frame. All methods are called within a transaction of the profile.
"""

from __future__ import annotations

from bpost.client.devices import Devices
from bpost.client.models import Inquiry, Want
from bpost.client.profile import Profile
from bpost.client.wants import Wants


class Senders:
    """The frames whose device is not known yet."""

    def __init__(self, profile: Profile, devices: Devices, wants: Wants) -> None:
        self._profile = profile
        self._devices = devices
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

    def find(self) -> None:
        """Have every device asked for what came from one of them, where they are known by now."""
        for want in self._wants.of_nobody():
            devices = self._devices.devices(want.peer)
            if devices and self._is_sure(want):
                self._wants.spread(want, devices)

    def _is_sure(self, want: Want) -> bool:
        """Say whether the devices were learned after a frame came, so that its own is there."""
        return self._learned.get(want.peer, 0) > want.noted
