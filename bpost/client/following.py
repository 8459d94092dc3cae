"""Following the server's log of keys: every link that it has more, over one link at a time.

Nothing is kept before it was hashed here, and led to the head that the server names. Used by the
courier's thread; the server is never asked while a transaction is open.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bpost import b64
from bpost.client.events import Event
from bpost.client.gossip import Evidence
from bpost.client.link import Link
from bpost.client.parts import Parts
from bpost.crypto import keylog
from bpost.errors import Refused, SecurityError
from bpost.protocol.codes import Reason
from bpost.protocol.log_head import LogHead
from bpost.protocol.replies import LinksFound
from bpost.protocol.requests import GetLinks

log = logging.getLogger(__name__)

LATER = frozenset({Reason.RATE_LIMITED, Reason.BUSY, Reason.INTERNAL})
TRIES = 5
"""After so many refusals for now, the server is taken to show no log."""

MOST_LINKS = 1_000_000


class Following:
    """Reads the log; ``absent`` says that the server shows none on this link."""

    def __init__(self, parts: Parts, link: Link) -> None:
        self.absent = False
        self._profile = parts.profile
        self._keylog = parts.keylog
        self._gossip = parts.gossip
        self._link = link
        self._refusals = 0

    def sync(self) -> bool:
        """Take in what the log has more; return whether the server shows it."""
        try:
            self._take_in()
        except Refused as error:
            return self._refused(error)
        except SecurityError as error:
            self.tell_broken(error)
            return False
        self._refusals = 0
        with self._profile.store.transaction():
            self._gossip.clear("log-broken")
        return True

    def _take_in(self) -> None:
        """Read the links that follow what is known, or, if they do not follow it, all of them."""
        with self._profile.store.reading():
            name, size = self._keylog.name, self._keylog.size
            head = self._keylog.head_at(size)
        page, data = self._fetch(size)
        if name in (None, b64.decode(page.log)) and page.size >= size:
            links = list(keylog.grow(head or _first(page), size, data))
            if _end(links, size, head or _first(page)) == _named(page):
                with self._profile.store.transaction():
                    if name is None:
                        self._keylog.begin(b64.decode(page.log))
                    self._keylog.append(links)
                return
        self._replace(name, size)

    def _fetch(self, after: int) -> tuple[LinksFound, bytes]:
        """Ask for all links after a position; return the last answer and the bytes of all."""
        data = b""
        while True:
            page = self._link.request(GetLinks(after + len(data) // keylog.LINK), LinksFound)
            data += page.links or b""
            count = len(data) // keylog.LINK
            if not page.links or after + count >= page.size or count > MOST_LINKS:
                return page, data

    def _replace(self, name: bytes | None, size: int) -> None:
        """Go on with a log that is another one than before, as that of a restored server is."""
        page, data = self._fetch(0)
        links = list(keylog.grow(_first(page), 0, data))
        if _end(links, 0, _first(page)) != _named(page):
            text = "The server's log of keys does not have the hash that the server names."
            raise SecurityError("log-broken", text)
        with self._profile.change() as events:
            before = self._keylog.head()
            same = b64.decode(page.log) == name
            common = self._keylog.common(links) if same else 0
            if not same:
                self._keylog.rename(b64.decode(page.log))
            elif common < size:
                self._keylog.take_back(common)
            self._keylog.append(links[common:])
            if before is not None and common < size:
                events += self._tell_replaced(before, common, page)

    def _tell_replaced(self, before: LogHead, common: int, page: LinksFound) -> list[Event]:
        text = (
            f"The server's log of keys had {before.size} entries, of which it still has "
            f"{common}; it has {page.size} now. Either the server was restored from an older "
            "copy, or it takes back what it has shown."
        )
        self._gossip.clear("log-restored")
        theirs = LogHead(page.size, b64.decode(page.hash))
        return self._gossip.alarm("log-restored", text, Evidence("", theirs, before.hash))

    def _refused(self, error: Refused) -> bool:
        """Note that the server shows no log; that is news only where it once did."""
        log.info("no log of keys: %s", error.reason)
        self._refusals += 1
        self.absent = error.reason not in LATER or self._refusals >= TRIES
        if self.absent:
            with self._profile.store.reading():
                known = self._keylog.name is not None
            if known:
                text = "The server does not show its log of keys any more."
                self.tell_broken(SecurityError("log-broken", text))
        return False

    def tell_broken(self, error: SecurityError) -> None:
        """Tell what is wrong with the log."""
        with self._profile.change() as events:
            events += self._gossip.alarm("log-broken", str(error))


def _first(page: LinksFound) -> bytes:
    return keylog.first_head(b64.decode(page.log))


def _end(links: Sequence[keylog.Link], size: int, head: bytes) -> tuple[int, bytes]:
    return (links[-1].position, links[-1].head) if links else (size, head)


def _named(page: LinksFound) -> tuple[int, bytes]:
    return page.size, b64.decode(page.hash)
