"""Payloads from this device to one other device: sealed for it alone, outside the chain.

All methods are called within a transaction of the profile.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping

from bpost.client.devices import Devices
from bpost.client.journal import Journal
from bpost.client.keylog import KeyLog
from bpost.client.models import Errand, Frame
from bpost.client.profile import Profile
from bpost.client.sealing import seal_body
from bpost.crypto.session import Sessions, seal
from bpost.errors import SecurityError, UsageError
from bpost.protocol.canonical_json import Json
from bpost.protocol.payload import Payload, direct_conversation

log = logging.getLogger(__name__)

KEPT_SECONDS = 24 * 3600
"""An errand that could not be run for so long is dropped: it will be asked for anew."""


class Errands:
    """What waits to be said to single devices."""

    def __init__(
        self, profile: Profile, devices: Devices, journal: Journal, keylog: KeyLog
    ) -> None:
        self._profile = profile
        self._store = profile.store
        self._devices = devices
        self._journal = journal
        self._keylog = keylog

    def send(
        self, peer: str, device: str, other: str, type_: str, content: Mapping[str, Json]
    ) -> None:
        """Have a payload sealed for a device of ``peer``.

        ``other`` names the conversation: ``peer``, unless that is this account itself.
        """
        row = {
            "peer": peer,
            "device": device,
            "other": other,
            "type": type_,
            "content": json.dumps(content),
            "noted": self._profile.now(),
        }
        self._store.run(Errand.insert(row))

    def peers(self) -> list[str]:
        """Return whom something is to be said to."""
        return list(dict.fromkeys(row.peer for row in self._store.all(Errand, order=Errand.row)))

    def seal_for(self, peer: str) -> None:
        """Seal what can be sealed for devices of ``peer``; the rest waits, but not for ever."""
        there = self._devices.reachable(peer)
        oldest = self._profile.now() - KEPT_SECONDS * 1000
        for row in self._store.all(Errand, Errand.peer == peer, order=Errand.row):
            if row.device in there:
                try:
                    with self._store.savepoint():
                        there[row.device] = self._seal(row, there[row.device])
                except (UsageError, SecurityError) as error:  # it never will: let the others pass
                    log.warning("a %s could not be sealed: %s", row.type, type(error).__name__)
            elif row.noted >= oldest and row.device in self._devices.devices(peer):
                continue
            self._store.remove(Errand, Errand.row == row.row)

    def _seal(self, row: Errand, before: Sessions) -> Sessions:
        """Make the frame of an errand; return the sessions after that."""
        profile = self._profile
        payload = Payload(
            type=row.type,
            id=str(uuid.uuid4()),
            sender=profile.name,
            device=profile.device,
            to=row.other,
            conversation=direct_conversation(profile.name, row.other),
            number=1,
            previous="",
            sent=profile.now(),
            recipients={row.peer: (row.device,)},
            content=json.loads(row.content),
            log=self._keylog.head_for({row.peer: (row.device,)}),
        )
        body = seal_body(payload.to_bytes())
        after, sealed = seal(before, body.secret, profile.now(), limits=profile.limits)
        self._devices.put_sessions(after.account_public, after)
        envelope = body.envelope(profile.device, {row.device: sealed})
        self._store.run(Frame.insert(ref=payload.id, peer=row.peer, body=envelope))
        self._journal.posted(payload.id, "", row.peer, envelope)
        return after
