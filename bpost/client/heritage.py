"""Earlier messages between the devices of an account, as the facade shows it."""

from __future__ import annotations

import platform
from collections.abc import Sequence

from bpost.client.account import Account
from bpost.client.records import HandoverInfo
from bpost.errors import UsageError
from bpost.protocol.fields import clean_text

NAME = 40
"""So much of a computer's name is told to the other device."""


class Heritage(Account):
    """An account whose devices hand on what was said before one of them joined."""

    @property
    def history_offered(self) -> bool:
        """Whether to ask the user about fetching the history, once, on a device that joined."""
        running = self._run
        with running.profile.store.reading():
            return not running.profile.removed and running.parts.fetching.offered

    def handovers(self) -> list[HandoverInfo]:
        """Return the history on its way from this device to others, and from others to this."""
        running = self._run
        with running.profile.store.reading():
            return [*running.parts.handing.shown(), *running.parts.fetching.shown()]

    def fetch_history(self, devices: Sequence[str] = ()) -> None:
        """Ask other devices of the account for their history; all of them if none is named.

        It comes as soon as a user there has said yes, and goes on whenever both are connected.

        Raises: UsageError if there is no such device.
        """
        running = self._writing
        with running.profile.change() as events:
            listed = running.parts.devices.devices(running.profile.name)
            if not listed or set(devices) - set(listed):
                raise UsageError("Your account has no such other device. Look at the list again.")
            name = clean_text(platform.node())[:NAME]
            events += running.parts.fetching.begin(devices or listed, name)
        running.courier.wake()

    def decline_history(self) -> None:
        """Note that the user does not want it; `fetch_history` can be called all the same."""
        running = self._run
        with running.profile.change() as events:
            events += running.parts.fetching.decline()

    def give_history(self, device: str, yes: bool = True) -> None:
        """Let an other device of the account that asked have the history, or not.

        Raises: UsageError if it did not ask.
        """
        running = self._writing
        with running.profile.change() as events:
            events += running.parts.handing.decide(device, yes)
        running.courier.wake()
