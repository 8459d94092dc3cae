"""Holding the server to what its log of keys says (``docs/keylog.md``).

One for each link, used by the courier's thread. The server is never asked while a transaction is
open. What is wrong with the log is told, and stops only what would be sealed for a wrong key.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from bpost import b64
from bpost.client.following import Following
from bpost.client.gossip import Evidence
from bpost.client.link import Link
from bpost.client.parts import Parts
from bpost.crypto import keylog
from bpost.crypto.keylog import stated_version
from bpost.crypto.succession import prove
from bpost.errors import Refused, SecurityError
from bpost.protocol.fields import canonical
from bpost.protocol.replies import Bundles, EntriesFound, LogEntry
from bpost.protocol.requests import GetBundles, GetEntries

log = logging.getLogger(__name__)


class Auditor:
    """Compares what comes over one link with the log."""

    def __init__(self, parts: Parts, link: Link) -> None:
        self._profile = parts.profile
        self._people = parts.people
        self._keylog = parts.keylog
        self._gossip = parts.gossip
        self._link = link
        self._following = Following(parts, link)
        self._devices = parts.devices
        self._behind: set[str] = set()  # whose list was older than stated when it was looked at

    def settle(self) -> None:
        """Take in the whole log, and see that it has the own key, and no other as one's own."""
        shown = not self._following.absent and self._following.sync()
        if shown:
            self._check_own()
        if shown or self._following.absent:
            self._hear_claims()

    def work(self) -> None:
        """Look at the log again if somebody knows more of it."""
        with self._profile.store.reading():
            has_claims = self._gossip.has_claims()
        if has_claims:
            self.settle()

    def look(self, asked: str, reply: Bundles) -> str:
        """Compare the key that the server hands out for a user with its log.

        Returns why nothing may be sealed for it, or nothing.
        """
        if (
            self._following.absent
            or canonical(reply.contact) != asked
            or asked == self._profile.name
        ):
            return ""  # keys of somebody else are refused by who learns them
        with self._profile.store.reading():
            known = self._keylog.size
        if (reply.logged is None or reply.logged > known) and not self._following.sync():
            return ""
        try:
            self._open_entries(asked)
        except Refused as error:
            return f"The server does not say what its log of keys has of {asked} now. {error}"
        except SecurityError as error:
            return self._broken(error)
        return self._compare(asked, reply)

    def _compare(self, name: str, reply: Bundles) -> str:
        """Return why a key is not that of the log, if so."""
        with self._profile.change() as events:
            peer = self._people.know(reply.contact)
            if self._keylog.last_key(name, reply.logged) == reply.public_key:
                self._gossip.clear("log-false-key", name)
                return ""
            text = (
                f"The server hands out a key for {peer.shown} that is not the last one of "
                f"{peer.shown} in its log of keys: others are shown another key."
            )
            events += self._gossip.alarm("log-false-key", text, Evidence(name))
            known = None if peer.account_key is None else b64.encode(bytes(peer.account_key))
            if known not in (None, reply.public_key):
                return ""  # a changed key is held in any case
            return "" if self._people.is_verified(peer) else text

    def look_at_list(self, name: str) -> str:
        """Compare the devices that were handed out for a user with what their owner stated.

        Called after they were learned. Returns why to wait a little: a list may be under way.
        """
        if name == self._profile.name:
            return ""
        with self._profile.change() as events:
            stated = max(map(stated_version, self._keylog.statements(name)), default=0)
            peer = self._people.peer(name)
            key = None if peer is None else peer.account_key
            kept = None if key is None else self._devices.device_list(name, bytes(key))
            if self._keylog.last_key(name) != b64.encode(bytes(key or b"")):
                stated = 0  # lists of another key begin anew
            if (
                self._following.absent
                or peer is None
                or kept is None
                or kept.list.version >= stated
            ):
                self._gossip.clear("log-old-list", name)
                return ""
            text = (
                f"The server hands out an older list of the devices of {peer.shown} than the one "
                "in its log of keys."
            )
            if name not in self._behind:
                self._behind.add(name)
                return text + " It is sent later."
            events += self._gossip.alarm("log-old-list", text, Evidence(name))
            return ""

    # The entries

    def _open_entries(self, name: str) -> None:
        """Ask what those links of a user stand for that came since the last time.

        Raises:
            SecurityError: ``log-broken``.
        """
        with self._profile.store.reading():
            log_name, tag = self._keylog.name, self._keylog.tag(name)
        if tag is None and log_name is not None:
            tag = keylog.name_tag(log_name, name)
            with self._profile.store.transaction():
                self._keylog.keep_tag(name, tag)
        with self._profile.store.reading():
            links = self._keylog.unopened(name)
        if links:
            said = self._ask(name, links[0].position - 1, links[-1].position)
            with self._profile.store.transaction():
                self._keylog.open(name, said)

    def _ask(self, name: str, after: int, upto: int) -> Sequence[LogEntry]:
        found: list[LogEntry] = []
        while after < upto:
            page = self._link.request(GetEntries(name, after), EntriesFound).entries
            found += [one for one in page if after < one.position <= upto]
            after = max((one.position for one in page), default=upto)
        return found

    def _check_own(self) -> None:
        """See that the log has our key under our name, and that nobody put in another one."""
        name = self._profile.name
        try:
            self._open_entries(name)
        except Refused as error:
            log.info("own entries of the log were refused: %s", error.reason)
            return
        except SecurityError as error:
            self._broken(error)
            return
        with self._profile.store.reading():
            mine = {b64.encode(one.public) for one in self._profile.account.all}
            found = self._keylog.unchecked(name)
            foreign = {one.public_key for one in found} - mine
        if foreign and self._is_renewed(foreign):
            return  # another device has renewed the key: it is looked at again with that
        with self._profile.change() as events:
            self._keylog.count_checked(found)
            if foreign:
                text = (
                    "The server's log of keys has a key under your name that is not yours: "
                    "somebody may have been shown it."
                )
                events += self._gossip.alarm("log-own-key", text)
            elif found:
                self._gossip.clear("log-own-key")
            if self._profile.device not in self._keylog.follows(name):
                text = "The server leaves out of its log of keys what this device has published."
                events += self._gossip.alarm("log-broken", text)

    def _is_renewed(self, keys: Iterable[str]) -> bool:
        """Say whether our own key has signed for these; then it is to be taken over here."""
        me, devices = self._profile.name, self._devices
        with self._profile.store.reading():
            known = tuple(devices.devices(me))
        try:
            own = self._link.request(GetBundles(me, me, known), Bundles)
            proven = prove(own.succession or "", me, self._profile.account.public, _key(own))
        except (Refused, SecurityError):
            return False
        devices.behind = {b64.encode(one) for one in proven}.issuperset(keys)
        return devices.behind

    def _hear_claims(self) -> None:
        """Compare what others said of the log with all that the server shows of it."""
        with self._profile.change() as events:
            events += self._gossip.settle()

    # What goes wrong

    def _broken(self, error: SecurityError) -> str:
        """Tell what is wrong with the log."""
        self._following.tell_broken(error)
        return str(error)


def _key(own: Bundles) -> bytes:
    return b64.decode(own.public_key)
