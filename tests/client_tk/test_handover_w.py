"""Earlier messages for a new device, in the window."""

from __future__ import annotations

from typing import cast

from bpost.client import HandoverChanged, HandoverInfo
from bpost.errors import UsageError
from client_tk.devices_w import DevicesSheet
from client_tk.settings_w import SettingsSheet
from client_tk.widgets import Button
from tests.client_tk.test_main_w import MainTest

PHONE = "phone00000000000"


class HandoverTest(MainTest):
    """The bar above the conversations."""

    def hand_over(self, way: str, state: str, count: int = 0, total: int = 0) -> None:
        """Let something be on its way, and wait until the bar says so."""
        name = "Telephone" if way == "give" else ""
        info = HandoverInfo(PHONE, name, way, state, count, total)  # type: ignore[arg-type]
        self.client.hand_over(info)
        self.until(lambda: self.bar.card.about == (way, state, PHONE), f"{way} {state}")
        self.settle(self.app)

    def setUp(self) -> None:
        super().setUp()
        self.bar = self.window.handover
        self.open("bob")

    def said(self) -> str:
        """Return what the bar says; empty while it is not there."""
        return str(self.bar.text.cget("text")) if self.bar.winfo_manager() else ""

    def answer(self, label: str) -> None:
        """Press a button of the bar."""
        buttons = cast("list[Button]", self.bar.buttons.winfo_children())
        next(one for one in buttons if one.cget("text") == label).invoke()

    def test_e60_the_user_is_asked_who_gets_the_history(self) -> None:
        self.assertEqual(self.said(), "")
        self.hand_over("give", "asked")
        self.assertIn("“Telephone” asks for your earlier messages", self.said())
        self.assertEqual(self.client.calls.count(f"give_history {PHONE} True"), 0)
        self.screenshot(self.app, f"handover-asked-{self.appearance}")
        self.answer("Send them")
        self.until(lambda: "1,200 of 8,400" in self.said(), "how far it is")
        self.assertIn(f"give_history {PHONE} True", self.client.calls)
        self.screenshot(self.app, f"handover-sending-{self.appearance}")
        self.answer("Hide")
        self.until(lambda: not self.said(), "the bar to go")

    def test_e60_a_no_is_a_no_and_says_what_else_to_do(self) -> None:
        self.hand_over("give", "asked")
        self.answer("Don't")
        self.until(lambda: not self.said(), "the bar to go")
        self.assertIn(f"give_history {PHONE} False", self.client.calls)
        self.assertIn("Remove that device", str(self.window.status.said.cget("text")))

    def test_a_new_device_is_offered_its_history_and_shows_how_far_it_is(self) -> None:
        self.client.history_offered = True
        self.client.tell(HandoverChanged())
        self.until(lambda: "You are new on this device" in self.said(), "the offer")
        self.screenshot(self.app, f"handover-offer-{self.appearance}")
        self.answer("Get them")
        self.until(lambda: "Say yes on one of your other devices" in self.said(), "what to do")
        self.client.put("bob", "much earlier", sent=0, place=-1.0, quiet=True)
        self.hand_over("get", "fetching", 1_200, 8_400)
        self.assertIn("1,200 of 8,400", self.said())
        self.until(lambda: "much earlier" in self.shown(), "the message that came")
        self.screenshot(self.app, f"handover-fetching-{self.appearance}")
        self.hand_over("get", "done", 8_400, 8_400)
        self.assertEqual(self.said(), "Your earlier messages are here.")

    def test_it_can_be_asked_for_again_from_the_list_of_devices(self) -> None:
        self.client.history_offered = True
        self.client.tell(HandoverChanged())
        self.until(lambda: self.said(), "the offer")
        self.answer("Not now")
        self.until(lambda: not self.said(), "the bar to go")
        self.press(self.window.side.list.canvas, "<Control-comma>")
        cast("SettingsSheet", self.sheet()).devices.invoke()
        sheet = cast("DevicesSheet", self.sheet())
        self.until(lambda: sheet.removers, "the devices")
        self.screenshot(self.app, f"handover-devices-{self.appearance}")
        sheet.fetch_button.invoke()
        self.until(lambda: self.said(), "what to do")
        self.assertIn("fetch_history", self.client.calls)
        self.hand_over("get", "refused")
        self.answer("Ask again")
        self.until(lambda: self.client.calls.count("fetch_history") == 2, "it to be asked again")

    def test_what_goes_wrong_is_said(self) -> None:
        self.hand_over("get", "asked")
        self.hand_over("get", "gone")
        self.world.fail["fetch_history"] = UsageError("Your account has no such other device.")
        self.answer("Ask the others")
        said = self.window.status.said
        self.until(lambda: "no such other device" in str(said.cget("text")), "the sentence")


class DarkHandoverTest(HandoverTest):
    """The same in the dark; it is the pictures that matter."""

    appearance = "dark"
