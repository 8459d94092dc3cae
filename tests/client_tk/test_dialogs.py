"""The small windows: contacts, password, settings, keys."""

from __future__ import annotations

import threading
import tkinter
import unittest
from typing import cast

from bpost.errors import TransportError
from client_tk.contact_w import AddContactSheet
from client_tk.password_w import PasswordSheet
from client_tk.settings_w import KeysSheet, SettingsSheet
from tests.client_tk.gui import PASSWORD
from tests.client_tk.test_main_w import MainTest


class AddContactTest(MainTest):
    """Adding somebody."""

    def setUp(self) -> None:
        super().setUp()
        self.press(self.window.side.list.canvas, "<Control-n>")
        self.asked = cast("AddContactSheet", self.sheet())

    def add(self, name: str) -> None:
        """Write a name and press Enter."""
        self.asked.name.value = name
        self.asked.name.entry.event_generate("<Return>")
        self.app.root.update()

    def test_a_new_contact_is_added_and_opened(self) -> None:
        self.world.people.add("zoe")
        self.add("zoe")
        self.until(lambda: not self.sheets(), "the sheet to close")
        self.settle(self.app)
        self.assertEqual(self.window.header.name.cget("text"), "zoe")
        self.assertIn("zoe", self.listed())
        self.assertTrue(self.window.composer.enabled)

    def test_what_is_wrong_with_a_name_is_said_below_it(self) -> None:
        for name, sentence in (
            ("", "Write a username"),
            ("b ob", "2 to 32"),
            ("Alice", "That is you"),
            ("nobody", "Nobody on this server is called nobody"),
        ):
            self.add(name)
            with self.subTest(name):
                self.until(lambda: self.asked.name.error, "the sentence")
                self.assertIn(sentence, self.asked.name.error)
        self.screenshot(self.app, f"new-contact-{self.appearance}")

    def test_a_lost_connection_is_said_and_one_may_try_again(self) -> None:
        self.world.fail["add_contact"] = TransportError("There is no connection. Try again.")
        self.add("zoe")
        self.until(lambda: self.asked.name.error)
        self.assertIn("no connection", self.asked.name.error)
        self.assertTrue(self.asked.confirm.instate(["!disabled"]))

    def test_closing_while_it_is_under_way_does_no_harm(self) -> None:
        self.world.hold["add_contact"] = release = threading.Event()
        self.add("nobody")
        self.asked.event_generate("<Escape>")
        self.app.root.update()
        self.assertEqual(self.sheets(), [])
        release.set()
        self.settle(self.app)

    def test_the_rest_of_the_window_waits(self) -> None:
        self.assertEqual(str(self.app.root.grab_current()), str(self.asked))
        self.asked.event_generate("<Escape>")
        self.app.root.update()
        self.assertIsNone(self.app.root.grab_current())
        self.assertIs(self.window.focus_get(), self.window.side.list.canvas)


class PasswordTest(MainTest):
    """Changing the password."""

    def setUp(self) -> None:
        super().setUp()
        self.asked: PasswordSheet = self.window.sheets.change_password()
        self.app.root.update()

    def change(self, current: str, new: str, again: str) -> None:
        """Fill in the fields and press Enter."""
        for field, text in zip(self.asked.fields(), (current, new, again), strict=True):
            field.value = text
        self.asked.again.entry.event_generate("<Return>")
        self.app.root.update()

    def test_the_password_is_changed(self) -> None:
        self.change(PASSWORD, "a new long password", "a new long password")
        self.until(lambda: not self.sheets(), "the sheet to close")
        self.assertEqual(self.world.passwords["alice"], "a new long password")
        self.assertIn("has been changed", self.window.status.said.cget("text"))

    def test_a_wrong_current_password_is_said_at_its_field(self) -> None:
        self.change("something else", "a new long password", "a new long password")
        self.until(lambda: self.asked.current.error, "the sentence")
        self.assertIn("not your current password", self.asked.current.error)
        self.screenshot(self.app, f"password-{self.appearance}")

    def test_what_is_plainly_wrong_is_not_sent(self) -> None:
        self.change("", "short", "shirt")
        errors = [bool(field.error) for field in self.asked.fields()]
        self.assertEqual(errors, [True, True, True])
        self.assertIs(self.window.focus_get(), self.asked.current.entry)
        self.assertNotIn("change_password", self.client.calls)

    def test_a_mismatch_is_said_while_typing(self) -> None:
        self.asked.new.value = "a new long password"
        self.asked.again.value = "a new b"
        self.assertIn("differ", self.asked.again.error)

    def test_without_a_connection_it_says_so(self) -> None:
        self.world.fail["change_password"] = TransportError("There is no connection.")
        self.change(PASSWORD, "a new long password", "a new long password")
        self.until(lambda: self.asked.general.cget("text"), "the sentence")
        self.assertIn("no connection", self.asked.general.cget("text"))


class SettingsTest(MainTest):
    """Appearance, text size, keys, logging out."""

    def settings(self) -> SettingsSheet:
        """Open the settings by keyboard."""
        self.press(self.window.side.list.canvas, "<Control-comma>")
        return cast("SettingsSheet", self.sheet())

    def test_light_and_dark_are_one_click_and_are_remembered(self) -> None:
        sheet = self.settings()
        self.screenshot(self.app, "settings-light")
        sheet.modes["dark"].invoke()
        self.app.root.update()
        self.assertEqual(self.view.canvas.cget("background"), "#16181d")
        self.assertEqual(self.app.settings.appearance, "dark")
        self.screenshot(self.app, "settings-dark")
        sheet.modes["light"].invoke()
        self.app.root.update()
        self.assertEqual(self.view.canvas.cget("background"), "#ffffff")

    def test_it_is_wholly_on_the_screen_wherever_the_window_is(self) -> None:
        root = self.app.root
        corner = f"+{root.winfo_screenwidth() - 300}+{root.winfo_screenheight() - 200}"
        for place in ("+0+0", corner):
            with self.subTest(place):
                root.geometry(place)
                root.update()
                sheet = self.settings()
                right = sheet.winfo_rootx() + sheet.winfo_width()
                bottom = sheet.winfo_rooty() + sheet.winfo_height()
                self.assertGreaterEqual(min(sheet.winfo_rootx(), sheet.winfo_rooty()), 0)
                self.assertLessEqual(right, root.winfo_screenwidth())
                self.assertLessEqual(bottom, root.winfo_screenheight())
                sheet.close()

    def test_the_system_is_asked_when_it_is_to_decide(self) -> None:
        from unittest import mock

        with mock.patch("client_tk.system.prefers_dark", return_value=True):
            self.settings().modes["system"].invoke()
            self.until(lambda: self.app.look.palette.mode == "dark", "the dark")

    def test_the_text_grows_and_shrinks(self) -> None:
        self.open("bob")
        text = self.window.composer.text
        for keys, zoom in (
            ("<Control-plus>", 110),
            ("<Control-plus>", 125),
            ("<Control-minus>", 110),
            ("<Control-Key-0>", 100),
        ):
            self.press(text, keys)
            with self.subTest(keys, zoom=zoom):
                self.assertEqual(self.app.settings.zoom, zoom)
        sheet = self.settings()
        sheet.larger.invoke()
        self.assertEqual(sheet.zoom.cget("text"), "110 %")

    def test_the_largest_text_still_fits(self) -> None:
        self.open("bob")
        for _ in range(9):
            self.app.enlarge(1)
        self.settle(self.app)
        self.assertEqual(self.app.look.zoom, 200)
        self.assertIn("Did you see the letter?", self.shown())
        self.assertTrue(self.window.composer.button.winfo_ismapped())
        self.screenshot(self.app, "main-largest-text-light")

    def test_control_slash_lists_the_keys(self) -> None:
        self.open("bob")
        self.press(self.window.composer.text, "<Control-slash>")
        sheet = cast("KeysSheet", self.sheet())
        self.screenshot(self.app, "keys-light")
        labels = [
            str(one.cget("text")) for one in _all(sheet) if isinstance(one, tkinter.ttk.Label)
        ]
        self.assertIn("New contact", labels)
        sheet.event_generate("<Escape>")
        self.app.root.update()
        self.assertIs(self.window.focus_get(), self.window.composer.text)

    def test_logging_out_leads_to_the_start_window(self) -> None:
        self.settings().log_out.invoke()
        self.until(lambda: self.app.start is not None and self.client.closed, "the start window")
        start = self.start(self.app)
        self.assertEqual(start.log_in.username.value, "alice")
        self.assertEqual(start.log_in.password.value, "")
        start.log_in.password.value = PASSWORD
        start.submit()
        self.until(lambda: self.app.main is not None, "the main window")

    def test_the_menu_of_a_contact_offers_what_can_be_done(self) -> None:
        self.open("bob")
        menu = self.window.header.open_menu()
        last = menu.index("end")
        assert last is not None
        labels = [
            menu.entrycget(place, "label")
            for place in range(last + 1)
            if menu.type(place) == "command"
        ]
        menu.tk.call("tk::MenuUnpost", menu)  # as Escape does: the focus goes back
        exports = ["Export as a page …", "Export as JSON …"]
        expected = ["Compare safety numbers …", "Remove from contacts", "Block", *exports]
        self.assertEqual(labels, expected)


def _all(widget: tkinter.Misc) -> list[tkinter.Misc]:
    """Return a widget and all that lies in it."""
    found = [widget]
    for child in widget.winfo_children():
        found += _all(child)
    return found


if __name__ == "__main__":
    unittest.main()
