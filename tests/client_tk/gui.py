"""What every test of a window needs: a display, an App, and waiting while Tk works.

Without a display the tests start one of their own (Xvfb); without that they are skipped, unless
BPOST_TEST_REQUIRE_GUI=1 makes it a failure.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tkinter
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast
from unittest import mock

from tests.client_tk.simulator import SimulatedClient, World
from tests.support import patience

if TYPE_CHECKING:
    from client_tk.app import App
    from client_tk.main_w import MainWindow
    from client_tk.start_w import StartWindow

SCREENS = Path(__file__).resolve().parents[2] / "build" / "screens"
SERVER = "127.0.0.1:8765"
PASSWORD = "a long enough password"


def start_display() -> str:
    """Make sure that there is a display; return why there is none, or an empty text."""
    if sys.platform != "linux" or os.environ.get("DISPLAY"):
        return ""
    if shutil.which("Xvfb") is None:
        return "there is no display, and Xvfb is not installed"
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1600x1000x24", "-dpi", "96"]
    quiet = subprocess.DEVNULL
    display = subprocess.Popen(command, pass_fds=[writer], stdout=quiet, stderr=quiet)
    os.close(writer)
    with os.fdopen(reader) as numbers:
        number = numbers.readline().strip()
    if not number:
        return "Xvfb could not be started"
    atexit.register(_stop, display)
    os.environ["DISPLAY"] = f":{number}"
    return ""


def _stop(display: subprocess.Popen[bytes]) -> None:
    display.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        display.wait(5)


def require_display() -> None:
    """Skip the test if there is no display; fail it if one is required."""
    lack = start_display()
    if lack and os.environ.get("BPOST_TEST_REQUIRE_GUI") == "1":
        raise AssertionError(f"a display is required, but {lack}")
    if lack:
        raise unittest.SkipTest(lack)


class GuiTest(unittest.TestCase):
    """A test with one `App` on a simulated client library."""

    appearance = "light"
    scale: float | None = 1.0

    @classmethod
    def setUpClass(cls) -> None:
        require_display()

    def setUp(self) -> None:
        before = set(vars(self))
        self.addCleanup(self._forget_windows, before)
        self.folder = Path(tempfile.mkdtemp(prefix="bpost-gui-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.world = World()
        self.world.passwords["alice"] = PASSWORD
        self.apps: list[App] = []
        self.mistakes: list[Exception] = []
        self.addCleanup(self.close_apps)
        # The same pace of work, with shorter pauses between.
        for name in ("client_tk.pump.LOOK_EVERY", "client_tk.controller.RELOAD_AFTER"):
            quick = mock.patch(name, 5)
            quick.start()
            self.addCleanup(quick.stop)

    def _forget_windows(self, kept: set[str]) -> None:
        """Let go of all that the test holds, so that no other thread collects what is Tk's."""
        for name in set(vars(self)) - kept:
            delattr(self, name)
        gc.collect()

    def open_app(self, **options: object) -> App:
        """Open the program on the start window."""
        from client_tk.app import App, Options

        given = {
            "server": SERVER,
            "profile": self.folder,
            "appearance": self.appearance,
            "scale": self.scale,
            "geometry": "1020x700+40+40",
            **options,
        }
        app = App(Options(**given), make=self.world.make)  # type: ignore[arg-type]
        app.on_mistake = self.mistakes.append
        self.apps.append(app)
        app.root.update()
        (app.root.focus_lastfor() or app.root).focus_force()
        app.root.update()
        return app

    def open_main(self, prepare: Callable[[SimulatedClient], object] | None = None) -> App:
        """Open the program and log alice in; ``prepare`` fills her account before."""
        app = self.open_app(username="alice", password=PASSWORD)
        self.until(lambda: app.main is not None, "the main window")
        if prepare is not None:
            prepare(self.world.client)
            self.main(app).controller.reload()
        self.settle(app)
        return app

    @staticmethod
    def main(app: App) -> MainWindow:
        """Return the main window, which must be there."""
        assert app.main is not None
        return app.main

    @staticmethod
    def start(app: App) -> StartWindow:
        """Return the start window, which must be there."""
        assert app.start is not None
        return app.start

    def close_apps(self) -> None:
        """Close what is open, and show what went wrong inside."""
        for app in self.apps:
            app.close()
        self.apps.clear()
        self.assertEqual(self.mistakes, [])

    def until(self, condition: Callable[[], object], what: str = "", seconds: float = 15) -> None:
        """Let Tk work until ``condition()`` is true."""
        deadline = time.monotonic() + patience(seconds)
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds} s in vain for {what or condition}")
            for app in self.apps:
                app.root.update()
            time.sleep(0.002)

    def settle(self, app: App) -> None:
        """Let Tk work until all that was asked for has been answered and drawn."""
        client = cast("SimulatedClient", app.client) if app.client else None
        for _ in range(3):  # what was asked for may ask for more
            self.until(lambda: not (client and client._events), "the events to be taken")
            answered: list[object] = []
            app.lanes.quick(lambda: None, answered.append)
            self.until(lambda answered=answered: answered, "the quick lane")  # type: ignore[misc]
            self.until(lambda: not (app.main and app.main.controller._loading), "the list")
        app.root.update()

    def screenshot(self, app: App, name: str) -> Path:
        """Save what the window looks like, with what lies above it, where ImageMagick can."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        path = SCREENS / f"{name}.png"
        app.root.update()
        x, y, width, height = shown_area(app.root)
        if shutil.which("import"):
            command = ["import", "-window", "root", "-crop", f"{width}x{height}+{x}+{y}"]
            subprocess.run([*command, "+repage", str(path)], check=False, timeout=30)
        return path


def shown_area(root: tkinter.Tk) -> tuple[int, int, int, int]:
    """Return x, y, width and height of the window together with its sheets, in pixels."""
    above = [one for one in below(root) if isinstance(one, tkinter.Toplevel)]
    shown: list[tkinter.Misc] = [root, *(one for one in above if one.winfo_viewable())]
    left = min(one.winfo_rootx() for one in shown)
    top = min(one.winfo_rooty() for one in shown)
    right = max(one.winfo_rootx() + one.winfo_width() for one in shown)
    bottom = max(one.winfo_rooty() + one.winfo_height() for one in shown)
    return left, top, right - left, bottom - top


def below(widget: tkinter.Misc) -> list[tkinter.Misc]:
    """Return every widget inside ``widget``."""
    return [found for one in widget.winfo_children() for found in (one, *below(one))]


def texts(canvas: tkinter.Canvas) -> list[str]:
    """Return all texts that are drawn on a canvas, from top to bottom."""
    found = []
    for item in canvas.find_all():
        if str(canvas.type(item)) == "text":
            x, y = canvas.coords(item)[:2]
            text = str(canvas.tk.call(canvas, "itemcget", item, "-text"))
            found.append((y, x, text.replace("\u00a0", "").rstrip()))
    return [text for _, _, text in sorted(found)]
