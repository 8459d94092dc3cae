"""What runs while somebody is logged in: the open profile, its parts, and the two threads."""

from __future__ import annotations

import time
from contextlib import suppress

from bpost.client.courier import Courier
from bpost.client.credentials import Credentials
from bpost.client.enrol import Entrance
from bpost.client.events import ConnectionState, ContactsChanged
from bpost.client.keystore import Remembered
from bpost.client.parts import assemble
from bpost.client.profile import Memory, Profile
from bpost.client.receiver import Receiver
from bpost.client.upkeep import Upkeep
from bpost.errors import StoreError
from bpost.protocol.fields import canonical


class Running:
    """The life of a profile from log-in to log-out."""

    def __init__(self, entrance: Entrance, profile: Profile) -> None:
        known = entrance.keystore.read_remembered()
        pin = known.pin if known else entrance.address.pin
        facts = Remembered(entrance.server, profile.username, profile.device, pin)
        self.profile = profile
        self.parts = assemble(profile)
        self.credentials = Credentials(entrance.keys)
        self.upkeep = Upkeep(self.parts, self.credentials)
        self.courier = Courier(self.parts, self.upkeep)
        memory = Memory(entrance.keystore, facts)
        self.receiver = Receiver(self.parts, self.courier, entrance, memory, self.credentials)

    def start(self) -> None:
        """Start the threads."""
        self.courier.start()
        self.receiver.start()

    def stop(self) -> None:
        """End the threads, and close the profile; what waits is sent another time."""
        try:
            self.receiver.stop()
            self.courier.stop()
            with suppress(StoreError):  # a full disk: the next program empties the log
                self.profile.store.checkpoint()
        finally:
            self.profile.store.close()

    def wait_announced(self, seconds: float) -> None:
        """Wait until the server has stored all that could be sealed, or the time is over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.receiver.state is ConnectionState.CONNECTED:
            with self.profile.store.reading():
                if not self.parts.outbox.frames(0, 1):
                    return
            self.courier.wait(0.05)

    def ask_again(self, name: str) -> None:
        """Ask for the devices of ``name`` before the next message, and send what waited."""
        peer = canonical(name)
        self.courier.wake(lambda dispatch: dispatch.ask_again(peer))
        self.courier.wake(lambda dispatch: dispatch.send_again())

    def set_blocked(self, name: str, blocked: bool) -> None:
        """Note that a user was blocked, or not any more."""
        with self.profile.change() as events:
            self.parts.people.set_blocked(name, blocked)
            events.append(ContactsChanged())
