"""What many tests need: patience that scales with the machine, and waiting for conditions."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable


def patience(seconds: float) -> float:
    """Return a deadline of ``seconds``, scaled by BPOST_TEST_PATIENCE (1 when not set).

    A deadline is a safety net that turns a hang into a failure; no test is about being fast.
    """
    return seconds * float(os.environ.get("BPOST_TEST_PATIENCE", "1"))


def wait_until(condition: Callable[[], object], seconds: float = 20, what: str = "") -> None:
    """Wait until ``condition()`` is true; raise AssertionError after ``patience(seconds)``."""
    deadline = time.monotonic() + patience(seconds)
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what or condition}")
        pause.wait(0.01)
