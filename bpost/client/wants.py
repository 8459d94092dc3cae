"""What is missing here, and of whom: numbers that were left out, frames that could not be read.

All methods are called within a transaction of the profile. :mod:`healing` asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bpost.client.causes import GAP
from bpost.client.models import Inquiry, Want
from bpost.client.profile import Profile

NUMBERS = 1_000
"""Of a wider gap, only so many messages are asked for: the newest ones."""

FRAMES = 1_000
"""So many unreadable frames of one person are asked for at a time; more are only shown."""


class Wants:
    """Everything that is missing in a profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._store = profile.store

    def miss_numbers(
        self, peer: str, device: str, conversation: str, numbers: Iterable[int], entry: int
    ) -> None:
        """Note numbers of a chain that did not come; ``entry`` is the row of their notice."""
        common = {
            "peer": peer,
            "device": device,
            "conversation": conversation,
            "entry": entry,
            "cause": GAP,
            "noted": self._profile.now(),
        }
        for number in numbers:
            self._store.run(Want.insert(number=number, **common))

    def miss_frame(
        self,
        peer: str,
        device: str,
        conversation: str,
        frame: tuple[str, int],
        entry: int,
        cause: str,
    ) -> None:
        """Note a frame, as hash and place in the mailbox, of a device; ``""`` is not known which.

        Whether there is room for it is asked first.
        """
        self._store.run(
            Want.insert(
                peer=peer,
                device=device,
                conversation=conversation,
                hash=frame[0],
                seq=frame[1],
                entry=entry,
                cause=cause,
                noted=self._profile.now(),
            )
        )

    def has_room(self, peer: str) -> bool:
        """Say whether one more frame of ``peer`` can be asked for."""
        return self._store.count(Want, Want.peer == peer, Want.hash != "", ~_lost()) < FRAMES

    def of_nobody(self) -> list[Want]:
        """Return the frames of which it is not known which device has sent them."""
        return self._store.all(Want, Want.device == "", ~_lost(), order=Want.id)

    def spread(self, want: Want, devices: Iterable[str]) -> None:
        """Expect a frame of each of ``devices``: one of them has sent it."""
        kept = ("peer", "conversation", "hash", "seq", "entry", "cause", "noted")
        values = {name: getattr(want, name) for name in kept}
        for device in devices:
            self._store.run(Want.insert(device=device, **values))
        self.forget([want])

    def of_number(self, peer: str, device: str, conversation: str, number: int) -> list[Want]:
        """Return what is noted about a number of a chain."""
        return self._store.all(
            Want,
            Want.peer == peer,
            Want.device == device,
            Want.conversation == conversation,
            Want.number == number,
        )

    def of_frame(self, peer: str, device: str, hash_: str) -> list[Want]:
        """Return what is noted about a frame."""
        if not hash_:
            return []
        return self._store.all(Want, Want.peer == peer, Want.device == device, Want.hash == hash_)

    def of_entry(self, entry: int) -> list[Want]:
        """Return what a placeholder or notice stands for."""
        return self._store.all(Want, Want.entry == entry) if entry else []

    def expected(self) -> list[Want]:
        """Return everything that may still come, in the order in which it was missed."""
        return self._store.all(Want, ~_lost(), order=Want.id)

    def forget(self, wants: Iterable[Want]) -> None:
        """Forget what has come."""
        for want in wants:
            self._store.remove(Want, Want.id == want.id)

    def lose(self, want: Want, reason: str) -> None:
        """Note that something is not expected any more, and why: that is its cause now."""
        self._store.run(Want.update(lost=True, cause=reason).where(Want.id == want.id))
        want.lost, want.cause = True, reason

    def ask_sooner(self, peer: str, device: str) -> None:
        """Let the last request to a device count for nothing: it or its answer was not readable."""
        asked = (Want.peer == peer) & (Want.device == device) & (Want.tries > 0) & ~_lost()
        self._store.run(Want.update(asked=0, tries=Want.tries - 1).where(asked))
        inquiry = (Inquiry.peer == peer) & (Inquiry.device == device)
        self._store.run(Inquiry.update(answered=True).where(inquiry))

    def tidy(self) -> None:
        """Forget what was lost so long ago that nobody sends it again."""
        kept = int(2 * self._profile.limits.resend_seconds * 1000)
        self._store.remove(Want, Want.lost, Want.noted < self._profile.now() - kept)


def _lost() -> Any:
    return Want.lost
