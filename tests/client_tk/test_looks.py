"""Every window in light and dark, at 100 % and 200 %: pictures to look at, and nothing cut off."""

from __future__ import annotations

import importlib
import pkgutil
import tkinter
import unittest

import client_tk
from bpost.client import Contact
from client_tk.account import NEEDS_CODE, Complaint
from client_tk.app import App
from client_tk.link_w import LinkSheet
from client_tk.main_w import MainWindow
from client_tk.theme import PALETTES, Palette
from tests.client_tk.gui import SERVER, GuiTest
from tests.client_tk.simulator import SimulatedClient
from tests.client_tk.test_main_w import DAY, three_people


def full_of_life(client: SimulatedClient) -> None:
    """Let there be one of everything."""
    three_people(client)
    for name in ("a.person.with-a-very-long-name_32", "Eve_L"):
        client.know(Contact(name=name, added=0, has_key=True))
        client.put(name, "Supercalifragilistic " * 20, quiet=True)
    client.put("bob", "First line\nSecond line", quiet=True)
    client.put("bob", "x" * 200, quiet=True)
    client.put("bob", "", kind="unreadable", failure="It was changed on its way.", quiet=True)
    client.put("bob", "bob has a new device.", kind="notice", quiet=True)
    client.put("bob", "waits", own=True, status="waiting", quiet=True)
    client.put("bob", "no luck", own=True, status="failed", failure="Refused.", quiet=True)
    client.put("bob", "there", own=True, status="delivered", quiet=True)
    client.put("carol", "draft", sent=DAY, quiet=True)
    client.set_draft("carol", "half a thought")


class LooksTest(GuiTest):
    """Light, at 100 %."""

    def name(self, window: str) -> str:
        """Return what the picture of a window is called."""
        return f"{window}-{self.appearance}-{round((self.scale or 1) * 100)}"

    def open_looks(self) -> tuple[App, MainWindow]:
        """Open the main window with everything in it."""
        app = self.open_main(full_of_life)
        scale = self.scale or 1
        app.root.geometry(f"{round(800 * scale)}x{round(500 * scale)}+0+0")
        self.settle(app)
        return app, self.main(app)

    def test_the_start_window(self) -> None:
        app = self.open_app(geometry="800x990+0+0")
        for tab, name in enumerate(("log-in", "create")):
            self.start(app).tabs.choose(tab)
            app.root.update()
            self.screenshot(app, self.name(f"start-{name}"))
            self.assert_nothing_cut(app.root)

    def test_the_main_window(self) -> None:
        app, window = self.open_looks()
        window.open("bob")
        self.settle(app)
        self.screenshot(app, self.name("main"))
        self.assert_nothing_cut(app.root)
        self.assert_within(window)
        self.world.client.know(Contact("bob", 0, has_key=True, key_changed=True))
        self.settle(app)
        self.screenshot(app, self.name("main-key-changed"))
        self.assert_nothing_cut(app.root)
        app.lock()
        self.until(lambda: app.locked, "the lock screen")
        app.root.update()
        self.screenshot(app, self.name("lock"))
        self.assert_nothing_cut(app.root)

    def test_what_the_start_window_asks(self) -> None:
        app = self.open_app(geometry="800x990+0+0")
        start = self.start(app)
        start.server.value = SERVER
        start.ask_trust("q2Zk0n8M1LzYh1Xo7rB9uCwVfTgEaSdKjPpQiRmNt5A", "Nobody vouches for it.")
        app.root.update()
        self.screenshot(app, self.name("start-certificate"))
        self.assert_nothing_cut(app.root)
        start.complain(Complaint("lost code", NEEDS_CODE))
        app.root.update()
        self.screenshot(app, self.name("start-lost"))
        self.assert_nothing_cut(start.card)
        sheet = start.open_restore()
        self.until(sheet.winfo_viewable)
        app.root.update()
        self.screenshot(app, self.name("restore"))
        self.assert_nothing_cut(sheet)

    def test_the_small_windows(self) -> None:
        app, window = self.open_looks()
        window.open("bob")
        self.settle(app)
        for open_one, name in (
            (window.sheets.new_contact, "new-contact"),
            (window.sheets.change_password, "password"),
            (window.sheets.open_settings, "settings"),
            (window.sheets.open_safety, "safety"),
            (window.sheets.open_keys, "keys"),
            (window.sheets.open_devices, "devices"),
            (window.sheets.open_backup, "backup"),
            (window.sheets.open_delete, "delete"),
            (lambda: LinkSheet(window, app.look, window.handover.desk.linking), "link"),
        ):
            sheet = open_one()
            self.settle(app)
            self.until(sheet.winfo_viewable)
            app.root.update()
            with self.subTest(name):
                self.screenshot(app, self.name(name))
                self.assert_nothing_cut(sheet)
                self.assertLessEqual(sheet.winfo_width(), app.root.winfo_screenwidth())
            sheet.close()
            app.root.update()

    def assert_nothing_cut(self, widget: tkinter.Misc) -> None:
        """Assert that each label and button has the room that it asks for."""
        if isinstance(widget, (tkinter.ttk.Label, tkinter.ttk.Button)) and widget.winfo_ismapped():
            with self.subTest(widget=str(widget), text=str(widget.cget("text"))):
                self.assertLessEqual(widget.winfo_reqwidth(), widget.winfo_width() + 2)
                self.assertLessEqual(widget.winfo_reqheight(), widget.winfo_height() + 2)
        for child in widget.winfo_children():
            self.assert_nothing_cut(child)

    def assert_within(self, window: MainWindow) -> None:
        """Assert that the parts of the main window lie within it."""
        right = window.winfo_rootx() + window.winfo_width()
        for part in (window.composer.button, window.header.menu_button, window.status):
            with self.subTest(part=str(part)):
                self.assertTrue(part.winfo_ismapped())
                self.assertLessEqual(part.winfo_rootx() + part.winfo_width(), right)


class DarkLooksTest(LooksTest):
    """Dark, at 100 %."""

    appearance = "dark"

    def test_no_part_of_it_stays_white(self) -> None:
        app, window = self.open_looks()
        window.open("bob")
        self.settle(app)
        for widget in _tree(window):
            if isinstance(widget, (tkinter.Canvas, tkinter.Text)):
                red, green, blue = app.root.winfo_rgb(str(widget.cget("background")))
                with self.subTest(widget=str(widget)):
                    self.assertLess(max(red, green, blue), 0x5000)


class LargeLooksTest(LooksTest):
    """Light, at 200 %."""

    scale = 2.0


class LargeDarkLooksTest(LooksTest):
    """Dark, at 200 %."""

    scale = 2.0
    appearance = "dark"


class PaletteTest(unittest.TestCase):
    """The colours can be told apart."""

    def test_text_is_readable_on_every_ground(self) -> None:
        for palette in PALETTES.values():
            for text, ground, least in self._pairs(palette):
                with self.subTest(palette.mode, text=text, ground=ground):
                    contrast = _contrast(getattr(palette, text), getattr(palette, ground))
                    self.assertGreaterEqual(contrast, least)

    @staticmethod
    def _pairs(palette: Palette) -> list[tuple[str, str, float]]:
        grounds = ("background", "side", "own", "other", "chosen", "hover", "notice")
        pairs = [("text", ground, 7.0) for ground in grounds]
        pairs += [(name, "background", 4.5) for name in ("muted", "danger", "warning", "good")]
        pairs += [("muted", "side", 4.5), ("muted", "chosen", 4.2), ("on_accent", "accent", 4.5)]
        pairs += [("own_meta", "own", 4.5), ("other_meta", "other", 4.2), ("read", "own", 3.0)]
        return pairs if palette.mode else []


class NamesTest(unittest.TestCase):
    """A method of ours that takes the place of one of Tk's breaks it in strange ways."""

    def test_no_widget_of_ours_takes_the_place_of_a_method_of_tk(self) -> None:
        meant = {"destroy", "configure"}
        for module in pkgutil.iter_modules(client_tk.__path__):
            if module.name == "__main__":
                continue
            for kind in vars(importlib.import_module(f"client_tk.{module.name}")).values():
                if isinstance(kind, type) and issubclass(kind, tkinter.Misc):
                    self._check(kind, meant)

    def _check(self, kind: type, meant: set[str]) -> None:
        if not kind.__module__.startswith("client_tk"):
            return
        theirs = [base for base in kind.__mro__ if base.__module__.split(".")[0] == "tkinter"]
        for name in vars(kind):
            if not name.startswith("__") and name not in meant:
                with self.subTest(kind=kind.__name__, name=name):
                    self.assertFalse(any(name in vars(base) for base in theirs))


def _tree(widget: tkinter.Misc) -> list[tkinter.Misc]:
    found = [widget]
    for child in widget.winfo_children():
        found += _tree(child)
    return found


def _contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG defines it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


if __name__ == "__main__":
    unittest.main()
