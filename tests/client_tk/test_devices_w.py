"""The devices of the account, in the window."""

from __future__ import annotations

import time
from typing import cast

from bpost.client import DeviceInfo
from bpost.errors import TransportError, UsageError
from client_tk.devices_w import DevicesSheet
from client_tk.settings_w import SettingsSheet
from client_tk.widgets import Button
from tests.client_tk.test_main_w import MainTest


class DevicesTest(MainTest):
    """From the settings to a removed device."""

    def setUp(self) -> None:
        super().setUp()
        self.press(self.window.side.list.canvas, "<Control-comma>")
        cast("SettingsSheet", self.sheet()).devices.invoke()
        self.opened = cast("DevicesSheet", self.sheet())
        self.until(lambda: self.opened.removers, "the devices")

    def labels(self) -> list[str]:
        """Return all that is written in the list."""
        found, left = [], list(self.opened.rows.winfo_children())
        while left:
            widget = left.pop(0)
            left = [*widget.winfo_children(), *left]
            if "text" in widget.keys():  # noqa: SIM118 - a widget is no dictionary
                found.append(str(widget.cget("text")))
        return found

    def test_the_devices_are_listed_with_their_names_and_when_they_were_seen(self) -> None:
        shown = self.labels()
        for name in ("Laptop", "Telephone", "A device without a name"):
            self.assertIn(name, shown)
        self.assertEqual(self.opened.name.value, "Laptop")
        self.assertTrue(any(text.startswith("This device, added") for text in shown))
        self.assertEqual(sum(text.startswith("Last seen") for text in shown), 2)
        self.assertEqual(shown.count("Remove …"), 2)
        self.screenshot(self.app, f"devices-{self.appearance}")

    def test_e61_a_device_is_removed_after_a_second_look(self) -> None:
        self.opened.removers["phone00000000000"].invoke()
        self.settle(self.app)
        self.assertIn("Telephone", self.labels())
        self.screenshot(self.app, f"devices-remove-{self.appearance}")
        self.opened.removers["phone00000000000"].invoke()
        self.until(lambda: "Telephone" not in self.labels(), "the device to go")
        self.assertIn("remove_device phone00000000000 renew", self.world.client.calls)

    def test_a_device_is_removed_and_the_key_kept(self) -> None:
        self.opened.removers["phone00000000000"].invoke()
        self.opened.box.invoke()
        self.opened.removers["phone00000000000"].invoke()
        self.until(lambda: "Telephone" not in self.labels(), "the device to go")
        self.assertIn("remove_device phone00000000000", self.world.client.calls)

    def test_the_account_key_is_renewed_after_a_second_look(self) -> None:
        self.opened.renew_button.invoke()
        self.assertNotIn("renew_key", self.world.client.calls)
        self.opened.renew_button.invoke()
        self.until(lambda: "renew_key" in self.world.client.calls)
        again = "Renew the key …"
        self.until(lambda: str(self.opened.renew_button.cget("text")) == again)

    def test_the_removal_can_be_thought_over(self) -> None:
        self.opened.removers["phone00000000000"].invoke()
        self.app.root.update()
        cast("Button", self.opened.keep).invoke()
        self.until(lambda: self.labels().count("Remove …") == 2, "the list as it was")
        self.assertNotIn("remove_device phone00000000000", self.world.client.calls)

    def test_many_devices_scroll_and_each_can_be_reached(self) -> None:
        now = int(time.time() * 1000)
        self.world.client.own_devices += [
            DeviceInfo(f"more{number:012}", f"Device {number}", now, now) for number in range(20)
        ]
        self.opened.load()
        self.until(lambda: len(self.opened.removers) == 22, "all devices")
        self.app.root.update()
        self.assert_on_screen()
        self.assertLess(self.opened.body.yview()[1], 1.0)  # type: ignore[index]
        for device in ("more000000000019", "phone00000000000"):
            button = self.opened.removers[device]
            button.focus_force()
            self.app.root.update()
            view = self.opened.body.view
            with self.subTest(device):
                above, below = view.winfo_rooty(), view.winfo_rooty() + view.winfo_height()
                self.assertGreaterEqual(button.winfo_rooty(), above)
                self.assertLessEqual(button.winfo_rooty() + button.winfo_height(), below)
        self.screenshot(self.app, f"devices-many-{self.appearance}")

    def assert_on_screen(self) -> None:
        """Assert that the sheet and its button are wholly seen."""
        for part in (self.opened, self.opened.done):
            self.assertGreaterEqual(part.winfo_rooty(), 0)
            bottom = part.winfo_rooty() + part.winfo_height()
            self.assertLessEqual(bottom, self.opened.winfo_screenheight())

    def test_after_a_removal_the_focus_is_on_the_button_that_closes(self) -> None:
        self.opened.removers["phone00000000000"].invoke()
        self.app.root.update()
        self.opened.removers["phone00000000000"].invoke()
        self.until(lambda: "Telephone" not in self.labels(), "the device to go")
        self.app.root.update()
        self.assertIs(self.opened.focus_get(), self.opened.done)

    def test_this_device_gets_another_name(self) -> None:
        self.opened.name.value = "Desk"
        self.opened.rename_button.invoke()
        self.until(lambda: "Desk" in self.labels(), "the new name")

    def test_what_goes_wrong_is_said(self) -> None:
        self.world.fail["name_device"] = UsageError("A name has 1 to 48 characters.")
        self.opened.rename()
        self.until(lambda: self.opened.name.error)
        self.world.fail["devices"] = TransportError("There is no connection. Try again later.")
        self.opened.load()
        self.until(lambda: "no connection" in str(self.opened.note.cget("text")))
