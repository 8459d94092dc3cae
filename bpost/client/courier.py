"""The thread that sends. What it does over a connection is in :mod:`dispatch`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from bpost.client.dispatch import Dispatch
from bpost.client.events import SecurityNotice
from bpost.client.link import Link
from bpost.client.parts import Parts
from bpost.client.upkeep import Upkeep
from bpost.errors import BPostError, Refused, SecurityError, StoreError, TransportError

log = logging.getLogger(__name__)

AGAIN_SECONDS = 5.0
"""After so long what the server refused is tried again."""


class Courier:
    """Works for one profile, over whatever link there is; sleeps until something is to be done."""

    def __init__(self, parts: Parts, upkeep: Upkeep) -> None:
        self._parts = parts
        self._upkeep = upkeep
        # Guards what follows; nothing is called while it is held.
        self._changed = threading.Condition()
        self._dispatch: Dispatch | None = None
        self._woken = False
        self._stopped = False
        self._settled = False
        self._rounds = 0
        self._trouble: BPostError | None = None
        self._thread = threading.Thread(target=self._run, name="bpost-courier", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, once it has finished what it is at."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def connected(self, link: Link) -> None:
        """Work over this link, which is logged in."""
        with self._changed:
            self._dispatch = Dispatch(self._parts, self._upkeep, link)
            self._settled, self._rounds, self._trouble = False, 0, None
        self.wake()

    def disconnected(self) -> None:
        """Work over no link."""
        with self._changed:
            self._dispatch = None
            self._changed.notify_all()

    def wake(self, tell: Callable[[Dispatch], None] | None = None) -> None:
        """Look for something to do; first, ``tell`` is called if there is a link."""
        with self._changed:
            dispatch = self._dispatch
        if dispatch is not None and tell is not None:
            tell(dispatch)
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def wait(self, timeout: float) -> None:
        """Wait until something has happened, at most ``timeout`` seconds."""
        with self._changed:
            self._changed.wait(timeout)

    def wait_settled(self, timeout: float) -> None:
        """Wait until the account is in order at the server, and the first greetings have left.

        Only the first is demanded.

        Raises:
            BPostError: why it is not; TransportError also when the time is over.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._rounds or self._trouble, timeout)
            if self._settled:
                return
            if self._trouble is not None:
                raise self._trouble
            raise TransportError("The connection ended before the account was set up.")

    def _run(self) -> None:
        patience: float | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._woken or self._stopped, patience)
                if self._stopped:
                    return
                self._woken = False
                dispatch = self._dispatch
            patience = None if dispatch is None else self._work(dispatch)

    def _work(self, dispatch: Dispatch) -> float | None:
        """Let ``dispatch`` work; a failure costs the link, or some time, never the thread."""
        trouble: BPostError | None = None
        patience: float | None = AGAIN_SECONDS
        try:
            dispatch.settle()
            with self._changed:
                self._settled = True
            patience = dispatch.work()
        except SecurityError as error:
            trouble = error
            self._parts.profile.events.put(SecurityNotice("", error.cause, str(error)))
        except Refused as error:
            trouble = error
            log.info("the server refused: %s", error.reason)
        except (TransportError, StoreError) as error:
            trouble = error
            dispatch.link.close(str(error))
        except Exception as error:
            name = type(error).__name__  # and no traceback, which may quote content
            log.error("sending broke on %s", name)  # noqa: TRY400
            trouble = TransportError("This program made a mistake. Please report that.")
            dispatch.link.close(str(trouble))
        with self._changed:
            self._trouble = trouble
            self._rounds += trouble is None
            self._changed.notify_all()
        return patience
