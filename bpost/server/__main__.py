"""``python -m bpost.server``, also ``bpost-server``: run a post office until told to stop."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from types import FrameType, ModuleType

from bpost.errors import BPostError
from bpost.net.groups import restrict_groups
from bpost.server.config import read_config
from bpost.server.log import incident
from bpost.server.post_office import PostOffice

resource: ModuleType | None
try:
    import resource
except ImportError:  # not on Windows
    resource = None

STACK = 256 * 1024
SWITCH_SECONDS = 0.01
"""How often threads that wait for the interpreter wake up: docs/decisions.md has the figures."""

M_ARENA_MAX = -8
"""glibc's number for how many heaps its allocator may have (``malloc.h``)."""

HEAPS = 2

PR_FUTEX_HASH, PR_FUTEX_HASH_SET_SLOTS = 78, 1
"""Linux's numbers for how many lists its sleeping threads are kept on (``linux/prctl.h``)."""

LISTS = 4096

GARBAGE = (50_000, 20, 10)
"""How seldom the collector of cycles looks: each of its full rounds visits all that thousands of
connections consist of, and holds everybody up meanwhile. Hardly anything here makes cycles."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server; return the exit status."""
    os.umask(0o077)
    threading.stack_size(STACK)
    sys.setswitchinterval(SWITCH_SECONDS)
    _allow_descriptors()
    _share_heaps()
    restricted = restrict_groups()
    _spread_sleepers()
    gc.set_threshold(*GARBAGE)
    asked = _Asked()
    try:
        post_office = PostOffice(read_config(arguments)).start()
    except BPostError as error:
        print(f"bpost-server: {error}", file=sys.stderr)
        return 1
    if not restricted:
        post_office.log.info("groups of TLS", says="those of OpenSSL, X448 and P-521 too")
    print(f"listening on {post_office.address} pin {post_office.pin}", flush=True)
    while not asked.wait():
        _reload(post_office)
    post_office.stop()
    return 0


class _Asked:
    """What signals ask for: to stop (TERM, INT; twice means now) or to reload (HUP)."""

    def __init__(self) -> None:
        self._stop = False
        self._reload = False
        # Whichever thread the system interrupts, it rings here, and the main thread wakes up:
        # one that waits for a lock would sleep on where the signal came to another thread.
        self._bell, self._ringer = socket.socketpair()
        self._ringer.setblocking(False)
        signal.set_wakeup_fd(self._ringer.fileno(), warn_on_full_buffer=False)
        for name in ("SIGTERM", "SIGINT"):
            signal.signal(getattr(signal, name), self._on_stop)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, self._on_reload)

    def wait(self) -> bool:
        """Wait for a signal; return True to stop, False to reload, however often that was asked."""
        while not self._stop and not self._reload:
            self._bell.recv(4096)
        self._reload = False
        return self._stop

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        if self._stop:
            os._exit(1)
        self._stop = True

    def _on_reload(self, _number: int, _frame: FrameType | None) -> None:
        self._reload = True


def _allow_descriptors() -> None:
    """Let the process have as many connections as the system lets it ask for."""
    if resource is not None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(ValueError, OSError):  # then it is as it was
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _share_heaps() -> None:
    """Keep thousands of threads from spreading over many heaps, of which each keeps its holes.

    This is for glibc; other systems' allocators know no such thing.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS)


def _spread_sleepers() -> None:
    """Let Linux find one of thousands of threads that sleep without a look at the others.

    Since 6.16 each process has lists of its own, by default 16 on a machine of two cores. An older
    one refuses, and has longer lists anyway.
    """
    if sys.platform == "linux":
        asked = (PR_FUTEX_HASH, PR_FUTEX_HASH_SET_SLOTS, LISTS, 0, 0)
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).prctl(*map(ctypes.c_ulong, asked))


def _reload(post_office: PostOffice) -> None:
    try:
        post_office.reload()
    except Exception as error:  # whatever it is, the server goes on with what it has
        post_office.log.failure(
            "reload", error, "" if isinstance(error, BPostError) else incident()
        )


if __name__ == "__main__":
    sys.exit(main())
