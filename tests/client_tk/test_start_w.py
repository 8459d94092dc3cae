"""The start window, as a person uses it."""

from __future__ import annotations

import threading
import unittest
from typing import cast

from bpost.errors import AccountLost, Refused, SecurityError, TransportError, UntrustedCertificate
from client_tk.app import App
from client_tk.fields import Field, PasswordField
from client_tk.reset_w import ResetSheet
from client_tk.start_w import StartWindow
from tests.client_tk.gui import PASSWORD, GuiTest

LOST = (
    "The password is right, but the server gave no vault, which holds the key of your account: it "
    "has lost it, or withholds it."
)
LOST_HINT = (
    "If a device of yours still works, or you have a backup, use that, and nothing is lost. If "
    "not, the account can begin anew, with a new key and without your earlier messages."
)
KEYSYMS = {" ": "space", ".": "period"}
PIN = "q2Zk0n8M1LzYh1Xo7rB9uCwVfTgEaSdKjPpQiRmNt5A"


class StartTest(GuiTest):
    """Logging in and creating an account."""

    def setUp(self) -> None:
        super().setUp()
        self.app: App = self.open_app()
        self.window: StartWindow = self.start(self.app)

    def write(self, field: Field, text: str) -> None:
        """Type a text into a field, key by key."""
        field.entry.focus_force()
        field.entry.delete(0, "end")
        for char in text:
            field.entry.event_generate("<KeyPress>", keysym=KEYSYMS.get(char, char))
        self.app.root.update()

    def log_in(self, username: str = "alice", password: str = PASSWORD) -> None:
        """Fill in the fields and press Enter."""
        self.write(self.window.log_in.username, username)
        self.window.log_in.password.value = password
        self.window.log_in.password.entry.focus_force()
        self.window.log_in.password.entry.event_generate("<Return>")

    def create(self, username: str, password: str, again: str) -> None:
        """Fill in the fields for a new account and press Enter."""
        self.window.tabs.choose(1)
        tab = self.window.create
        tab.username.value, tab.password.value, tab.again.value = username, password, again
        self.app.root.update()
        tab.again.entry.focus_force()
        tab.again.entry.event_generate("<Return>")

    def test_enter_logs_in_and_the_server_is_remembered(self) -> None:
        self.log_in()
        self.until(lambda: self.app.main, "the main window")
        self.assertEqual(self.app.settings.server, "127.0.0.1:8765")
        self.app.close()
        self.apps.clear()
        again = self.start(self.open_app(server=""))
        self.assertEqual(again.server.value, "127.0.0.1:8765")
        self.assertEqual(again.log_in.username.value, "alice")
        self.assertIs(again.focus_get(), again.log_in.password.entry)

    def test_while_it_works_the_button_is_progress_and_the_window_lives(self) -> None:
        self.world.hold["log_in"] = release = threading.Event()
        self.log_in()
        self.until(lambda: self.window.progress.winfo_ismapped(), "the progress")
        self.assertFalse(self.window.button.winfo_ismapped())
        self.assertTrue(self.window.log_in.password.entry.instate(["disabled"]))
        moved = self.window.progress.bar.cget("value")
        self.until(lambda: self.window.progress.bar.cget("value") != moved, "movement")
        release.set()
        self.until(lambda: self.app.main, "the main window")

    def test_an_account_whose_key_is_lost_begins_anew_once_the_name_is_typed(self) -> None:
        self.world.fail["log_in"] = AccountLost("vault-missing", f"{LOST} {LOST_HINT}")
        self.log_in()
        self.until(lambda: self.window.anew.winfo_ismapped(), "the way out")
        self.assertIn("holds no key of your account", str(self.window.general.cget("text")))
        self.screenshot(self.app, f"start-lost-{self.appearance}")
        sheet = cast("ResetSheet", self.window.open_reset())
        self.settle(self.app)
        self.screenshot(self.app, f"reset-{self.appearance}")
        sheet.submit()
        self.assertTrue(sheet.name.error)
        self.assertNotIn("begin_anew", self.world.client.calls)
        sheet.name.value = "Alice"
        sheet.submit()
        self.until(lambda: self.app.main, "the main window")
        self.assertIn("begin_anew", self.world.client.calls)

    def test_an_attempt_can_be_given_up(self) -> None:
        self.world.hold["log_in"] = release = threading.Event()
        self.log_in()
        self.until(lambda: self.window.progress.winfo_ismapped())
        self.window.progress.button.event_generate("<Escape>")
        self.until(lambda: self.window.button.winfo_ismapped(), "the button")
        release.set()
        self.until(lambda: self.world.clients and self.world.client.closed, "the client to close")
        self.assertIsNone(self.app.main)

    def test_a_wrong_password_is_said_at_the_password(self) -> None:
        self.log_in(password="something else")
        self.until(lambda: self.window.log_in.password.error, "the sentence")
        self.assertIn("No account has this", self.window.log_in.password.error)
        self.assertTrue(self.window.button.winfo_ismapped())
        self.screenshot(self.app, "start-wrong-password-light")
        self.write(self.window.log_in.password, "x")
        self.assertEqual(self.window.log_in.password.error, "")

    def test_each_failure_is_said_where_it_belongs(self) -> None:
        places = {
            "server": self.window.server,
            "username": self.window.log_in.username,
            "password": self.window.log_in.password,
        }
        for error, place in (
            (TransportError("The server cannot be reached. Check the address."), "server"),
            (SecurityError("pin-mismatch", "The certificate has changed."), "server"),
            (Refused("disabled"), "username"),
            (Refused("wrong-password"), "password"),
        ):
            with self.subTest(place=place, error=error):
                self.world.fail["log_in"] = error
                self.log_in()
                self.until(lambda place=place: places[place].error, "the sentence")  # type: ignore[misc]
                self.assertEqual([name for name in places if places[name].error], [place])

    def test_what_fits_no_field_is_said_above_the_button(self) -> None:
        self.world.fail["log_in"] = Refused("rate-limited", "Too many tries. Wait 20 seconds.")
        self.log_in()
        self.until(lambda: self.window.general.cget("text"), "the sentence")
        self.assertIn("Wait 20 seconds", self.window.general.cget("text"))

    def test_what_is_plainly_wrong_is_said_before_anything_is_sent(self) -> None:
        self.window.server.value = "ws://home:8765"
        self.log_in(username=".alice", password="")
        self.app.root.update()
        self.assertIn("not encrypted", self.window.server.error)
        self.assertIn("begins with a letter", self.window.log_in.username.error)
        self.assertIn("Write your password", self.window.log_in.password.error)
        self.assertIs(self.window.focus_get(), self.window.server.entry)
        self.assertEqual(self.world.clients, [])

    def test_two_passwords_that_differ_are_said_while_typing(self) -> None:
        self.window.tabs.choose(1)
        tab = self.window.create
        self.write(tab.password, "correct horse")
        self.assertIn("hard to guess", tab.password.note.cget("text"))
        self.write(tab.again, "corr")
        self.assertEqual(tab.again.error, "")
        self.write(tab.again, "corrx")
        self.assertIn("differ", tab.again.error)
        self.screenshot(self.app, "start-create-light")
        self.write(tab.again, "correct horse")
        self.assertEqual(tab.again.error, "")

    def test_creating_an_account_opens_it(self) -> None:
        self.create("zoe", "correct horse", "correct horse")
        self.until(lambda: self.app.main, "the main window")
        self.assertEqual(self.world.client.calls[0], "register")

    def test_a_bad_new_account_is_not_sent(self) -> None:
        self.create("z", "short", "shor")
        tab = self.window.create
        self.assertTrue(tab.username.error and tab.password.error and tab.again.error)
        self.assertEqual(self.world.clients, [])

    def test_a_name_that_is_taken_is_said_at_the_name(self) -> None:
        self.create("alice", "correct horse", "correct horse")
        self.until(lambda: self.window.create.username.error, "the sentence")
        self.assertIn("taken", self.window.create.username.error)

    def test_an_unknown_certificate_is_asked_about_and_then_used(self) -> None:
        self.world.fail["log_in"] = UntrustedCertificate("Signed by nobody known.", PIN)
        self.log_in()
        page = self.window.certificate
        self.until(lambda: page.winfo_ismapped(), "the question")
        self.assertEqual(page.shown.get().replace(" ", ""), PIN)
        self.assertIs(page.focus_get(), page.refuse)
        self.screenshot(self.app, "start-certificate-light")
        self.world.fail.clear()
        page.trust.invoke()
        self.until(lambda: self.app.main, "the main window")
        self.assertEqual(self.world.client.pin, PIN)
        self.app.log_out()
        self.window = self.start(self.app)
        self.create("zoe", "correct horse", "correct horse")
        self.until(lambda: self.app.main, "the main window of the next account")
        self.assertEqual(self.world.client.pin, PIN)

    def test_an_unknown_certificate_that_is_not_trusted_is_not_used(self) -> None:
        self.world.fail["log_in"] = UntrustedCertificate("Signed by nobody known.", PIN)
        self.log_in()
        page = self.window.certificate
        self.until(lambda: page.winfo_ismapped(), "the question")
        page.refuse.event_generate("<Escape>")
        self.until(lambda: self.window.button.winfo_ismapped(), "the form")
        self.assertEqual(len(self.world.clients), 1)

    def test_caps_lock_is_warned_about(self) -> None:
        field: PasswordField = self.window.log_in.password
        field.entry.focus_force()
        field.entry.event_generate("<KeyPress>", keysym="A", state=0x2)
        self.app.root.update()
        self.assertEqual(field.caps.cget("text"), "Caps Lock is on")
        field.entry.event_generate("<KeyPress>", keysym="a", state=0)
        self.app.root.update()
        self.assertEqual(field.caps.cget("text"), "")

    def test_the_password_is_hidden_unless_asked_for(self) -> None:
        field = self.window.log_in.password
        self.assertEqual(field.entry.cget("show"), "•")
        field.eye.invoke()
        self.assertEqual(field.entry.cget("show"), "")

    def test_the_keyboard_reaches_everything(self) -> None:
        self.window.server.entry.focus_force()
        reached = []
        for _ in range(8):
            focus = self.window.focus_get()
            assert focus is not None
            reached.append(focus)
            focus.event_generate("<Tab>")
            self.app.root.update()
        for wanted in (
            self.window.server.entry,
            self.window.tabs.tabs[0],
            self.window.log_in.username.entry,
            self.window.log_in.password.entry,
            self.window.button,
        ):
            with self.subTest(wanted=str(wanted)):
                self.assertIn(wanted, reached)

    def test_a_low_window_scrolls_to_the_field_with_the_focus(self) -> None:
        self.app.root.minsize(1, 1)
        self.app.root.geometry("600x330")
        self.window.tabs.choose(1)
        self.until(lambda: self.window.winfo_height() <= 330)
        self.window.create.again.entry.focus_force()
        self.until(lambda: self.window.scroll.yview()[0] > 0, "the scroll")  # type: ignore[index]


class GeometryTest(GuiTest):
    """Where the window is."""

    def test_a_place_that_makes_no_sense_is_not_taken(self) -> None:
        for asked in ("large", "1x1+0+0", "800x600+99999+0", "800x600"):
            with self.subTest(asked):
                app = self.open_app(geometry=asked)
                self.assertGreater(app.root.winfo_width(), 600)
                self.assertLess(app.root.winfo_rootx(), 1000)
                app.close()
                self.apps.clear()

    def test_the_window_is_where_it_was(self) -> None:
        self.open_app(geometry="730x510+33+44").close()
        app = self.open_app(geometry="")
        self.assertEqual(app.root.geometry(), "730x510+33+44")


class DarkStartTest(GuiTest):
    """The same in the dark."""

    appearance = "dark"

    def test_it_is_dark(self) -> None:
        app = self.open_app()
        self.screenshot(app, "start-dark")
        self.assertEqual(app.root.style.theme_mode, "dark")


if __name__ == "__main__":
    unittest.main()
