"""A new device that joins with a code, in the windows of both sides."""

from __future__ import annotations

import dataclasses
from typing import cast

from bpost.errors import AccountLost, SecurityError, TransportError
from client_tk.devices_w import DevicesSheet
from client_tk.link_w import LinkSheet
from client_tk.settings_w import SettingsSheet
from tests.client_tk.gui import PASSWORD, GuiTest
from tests.client_tk.test_main_w import MainTest

CODE = "bpost-link:1:" + "A" * 64


class LinkSheetTest(MainTest):
    """The device that shows the code."""

    def setUp(self) -> None:
        super().setUp()
        self.press(self.window.side.list.canvas, "<Control-comma>")
        cast("SettingsSheet", self.sheet()).devices.invoke()
        cast("DevicesSheet", self.sheet()).add.invoke()
        self.opened = cast("LinkSheet", self.sheet())
        self.until(lambda: self.opened.code.value, "the code")
        self.settle(self.app)

    def now(self, **changes: object) -> None:
        """Let something happen to the code."""
        self.client.link = dataclasses.replace(self.client.link, **changes)  # type: ignore[arg-type]
        self.until(lambda: self.opened.info == self.client.link, str(changes))
        self.settle(self.app)

    def note(self) -> str:
        """Return the sentence below."""
        return str(self.opened.note.cget("text"))

    def test_e60_the_number_is_compared_before_a_device_is_let_in(self) -> None:
        self.assertTrue(self.opened.code.value.startswith("bpost-link:1:"))
        self.assertIn("4:59 more", self.note())
        self.assertFalse(self.opened.same.winfo_manager())
        self.screenshot(self.app, f"link-code-{self.appearance}")
        self.now(state="met", number="123456", name="Telephone")
        self.assertFalse(self.opened.shown.winfo_manager())
        self.assertEqual(self.opened.number.cget("text"), "123 456")
        self.screenshot(self.app, f"link-number-{self.appearance}")
        self.opened.same.invoke()
        self.until(lambda: "on the other device" in self.note(), "the other side")
        self.now(state="done")
        self.assertIn("has joined", self.note())
        self.opened.close()
        self.until(lambda: "end_link" in self.client.calls, "the end of the code")

    def test_e60_numbers_that_differ_end_it(self) -> None:
        self.now(state="met", number="123456", name="")
        self.opened.differ.invoke()
        self.until(lambda: "got nothing" in self.note(), "the end")
        self.screenshot(self.app, f"link-refused-{self.appearance}")
        self.opened.again.invoke()
        self.until(lambda: self.opened.info.state == "waiting", "a new code")
        self.now(state="spied")
        self.assertIn("somebody else has seen it", self.note())

    def test_the_vault_is_turned_off_and_on(self) -> None:
        self.opened.box.invoke()
        self.until(lambda: not self.client.has_vault, "the vault to go")
        self.world.fail["keep_vault"] = TransportError("There is no connection. Try again later.")
        self.opened.box.invoke()
        self.until(lambda: not self.opened.vault.get(), "the box to say how it is")
        self.assertIn("no connection", str(self.opened.wrong.cget("text")))


class DarkLinkSheetTest(LinkSheetTest):
    """The same in the dark; it is the pictures that matter."""

    appearance = "dark"


class StartTest(GuiTest):
    """The device that joins."""

    def setUp(self) -> None:
        super().setUp()
        self.app = self.open_app()
        self.window = self.start(self.app)
        self.window.fill("127.0.0.1:8765", "alice")
        self.window.log_in.password.value = PASSWORD

    def test_a_missing_vault_asks_for_a_code(self) -> None:
        text = "There is no vault. On another of your devices choose Devices, Add a device."
        self.world.fail["log_in"] = AccountLost("vault-missing", text)
        self.window.submit()
        self.until(lambda: self.window.general.cget("text"), "the sentence")
        self.assertTrue(self.window.log_in.code.winfo_manager())
        self.assertTrue(self.window.anew.winfo_manager())
        self.screenshot(self.app, f"link-missing-{self.appearance}")
        self.world.fail["log_in"] = SecurityError("vault-missing", text)
        self.window.submit()
        self.until(lambda: self.window.log_in.code.error, "the sentence")
        self.assertFalse(self.window.anew.winfo_manager())
        self.window.log_in.code.value = "123456"
        self.window.submit()
        self.assertIn("no code of another device", self.window.log_in.code.error)

    def test_e60_a_new_device_asks_for_the_number_to_be_compared(self) -> None:
        self.screenshot(self.app, f"link-start-{self.appearance}")
        self.window.log_in.use_code.invoke()
        self.window.log_in.code.value = CODE
        self.window.submit()
        self.until(lambda: self.window.number.winfo_manager(), "the number")
        self.assertEqual(self.window.number.number.cget("text"), "123 456")
        self.assertIsNone(self.app.main)
        self.screenshot(self.app, f"link-compare-{self.appearance}")
        self.window.number.same.invoke()
        self.until(lambda: self.app.main is not None, "the main window")

    def test_e60_a_number_that_differs_lets_nobody_in(self) -> None:
        self.window.log_in.show_code()
        self.window.log_in.code.value = CODE
        self.window.submit()
        self.until(lambda: self.window.number.winfo_manager(), "the number")
        self.window.number.differ.invoke()
        self.until(lambda: self.window.general.cget("text"), "the sentence")
        self.assertIn("not the same", str(self.window.general.cget("text")))
        self.assertTrue(self.window.form.winfo_manager())


class DarkStartTest(StartTest):
    """The same in the dark."""

    appearance = "dark"
