"""A client that dies of SIGKILL at a chosen point, again and again.

``python -m tests.client.crashing`` forks one child for each round. The child logs in and works; it
kills itself when it passes the n-th *point*: before and after each commit, and before and after
each frame leaves. One more child, at the end, is left alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from bpost.client import Client
from bpost.client.link import Link
from bpost.client.store import Store
from tests.client.town import LIMITS, password_keys, password_of
from tests.support import patience


class Points:
    """Counts points, and ends the process at one of them."""

    def __init__(self, last: int) -> None:
        self._left = last

    def __call__(self) -> None:
        """Pass a point, or not."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def patches(self) -> contextlib.ExitStack:
        """Put points around commits and frames."""
        commit, post = Store.transaction, Link.post

        @contextlib.contextmanager
        def transaction(store: Store) -> Iterator[None]:
            with commit(store):
                yield
                self()
            self()

        def posting(link: Link, request: Any) -> None:
            self()
            post(link, request)
            self()

        stack = contextlib.ExitStack()
        stack.enter_context(mock.patch.object(Store, "transaction", transaction))
        stack.enter_context(mock.patch.object(Link, "post", posting))
        stack.enter_context(mock.patch("bpost.client.receiver.AT_ONCE", 1))
        return stack


def work(task: dict[str, Any], point: int, number: int) -> None:
    """Log in, send or receive, and die on the way unless ``point`` is 0."""
    stack = Points(point).patches() if point else contextlib.ExitStack()
    where = "bpost.client.account.derive_password_keys"
    with stack, mock.patch(where, password_keys):
        with Client(task["url"], Path(task["profile"]), pin=task["pin"], limits=LIMITS) as me:
            me.log_in(task["name"], password_of(task["name"]))
            for text in task["texts"] if point else ():
                me.send(task["to"], f"{number} {text}")
            me.flush(patience(5) if point else patience(20))
            expected = task["expected"]
            while expected and len(me.history(task["to"], limit=10_000)) < expected:
                if me.next_event(patience(2)) is None:
                    break
            me.flush(patience(5))


def in_child(job: Callable[[], None]) -> int:
    """Do ``job`` in a fork; return its wait status."""
    child = os.fork()
    if child == 0:
        code = 0
        try:
            job()
        except BaseException:
            traceback.print_exc()
            code = 1
        os._exit(code)
    return os.waitpid(child, 0)[1]


def main() -> int:
    """Do the rounds; print how many ended by SIGKILL."""
    task = json.loads(sys.stdin.read())
    killed = 0
    for number, point in enumerate(task["points"]):
        status = in_child(lambda n=number, p=point: work(task, p, n))  # type: ignore[misc]
        killed += os.WIFSIGNALED(status)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status):
            return 1
    last = in_child(lambda: work({**task, "texts": ()}, 0, 0))
    print(killed)
    return int(last != 0)


if __name__ == "__main__":
    sys.exit(main())
