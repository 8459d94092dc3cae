"""The window about somebody's key: comparing, the mark, and a key that has changed."""

from __future__ import annotations

import dataclasses
import unittest
from typing import cast

from bpost.client import KeyChange, KeyLogState, LogFinding, SecurityNotice, Verdict
from bpost.errors import UsageError
from client_tk.qr import BORDER, qr_image
from client_tk.safety_w import SafetySheet
from tests.client_tk.test_main_w import MainTest

MINUTE = 60_000


class SafetyTest(MainTest):
    """The safety window of bob."""

    def setUp(self) -> None:
        super().setUp()
        self.client.key_changes["bob"] = [KeyChange("q8Zr0TtB+old", 1_790_000_000_000, "first")]
        self.open("bob")

    def change(self, **fields: object) -> None:
        """Let something become known of bob."""
        known = self.client._contacts["bob"]
        self.client.know(dataclasses.replace(known, **fields))  # type: ignore[arg-type]
        self.settle(self.app)

    def look(self) -> SafetySheet:
        """Open the window from the header."""
        self.window.header.safety.invoke()
        self.settle(self.app)
        return cast("SafetySheet", self.sheet())

    def offered(self, sheet: SafetySheet) -> list[str]:
        """Return what the buttons below say."""
        return [str(one.cget("text")) for one in sheet.buttons.pack_slaves()]

    def said(self, sheet: SafetySheet) -> str:
        """Return where one stands."""
        return str(sheet.state_line.cget("text"))

    def test_number_code_and_history_are_shown(self) -> None:
        sheet = self.look()
        self.assertEqual(len(sheet.number.cget("text").split()), 12)
        self.assertTrue(sheet.code.cget("image"))
        self.assertIn("Not verified yet", self.said(sheet))
        self.assertRegex(sheet.history.get("1.0", "end"), r"2026 \d\d:\d\d   q8Zr0TtB   First seen")
        self.assertEqual(self.offered(sheet), ["Mark as verified", "Close"])

    def test_what_the_log_of_keys_showed_stands_here_and_in_the_settings(self) -> None:
        text = "bob and you are shown different logs of keys by the server. Compare."
        finding = LogFinding(1_790_000_060_000, "log-forked", "bob", text, 7, "O", "T")
        self.client.log = KeyLogState(7, "O", (finding,))
        self.assertEqual(self.settings_say(), text)
        sheet = self.look()
        self.assertEqual(self.said(sheet), text)
        self.assertIn("log of keys   bob and you", sheet.history.get("1.0", "1.end"))
        sheet.done.invoke()
        over = dataclasses.replace(finding, over=True)
        self.client.log = KeyLogState(7, "O", (over,))
        self.assertIn("7 entries; nothing was found", self.settings_say())
        self.assertIn("Not verified yet", self.said(self.look()))

    def settings_say(self) -> str:
        """Return what the settings say of the log."""
        sheet = self.window.sheets.open_settings()
        self.settle(self.app)
        said = str(sheet.log_line.cget("text"))
        sheet.done.invoke()
        self.settle(self.app)
        return said

    def test_marking_shows_a_shield_in_header_and_list_and_can_be_taken_back(self) -> None:
        sheet = self.look()
        sheet.mark.invoke()
        self.settle(self.app)
        self.assertIn("Verified", self.said(sheet))
        self.assertIn("You verified this key", sheet.history.get("1.0", "1.end"))
        self.assertEqual(self.offered(sheet), ["Take the mark away", "Close"])
        self.assertIn("Verified", self.window.header.below.cget("text"))
        self.assertTrue(
            next(row for row in self.window.side.list.rows if row.key == "bob").verified
        )
        self.screenshot(self.app, f"safety-verified-{self.appearance}")
        sheet.unmark.invoke()
        self.settle(self.app)
        self.assertNotIn("Verified", self.window.header.below.cget("text"))

    def test_e57_comparing_a_code_has_answers_that_nobody_mistakes(self) -> None:
        sheet = self.look()
        sentences = set()
        for verdict in (v for v in Verdict if v is not Verdict.SAME):
            sheet.theirs.value = verdict.value
            sheet.compare.invoke()
            self.settle(self.app)
            with self.subTest(verdict):
                self.assertFalse(self.client._contacts["bob"].verified)
                bad = verdict is Verdict.DIFFERENT
                self.assertEqual("Different" in sheet.theirs.error, bad)
                self.assertEqual("Not compared" in sheet.theirs.error, not bad)
                sentences.add(sheet.theirs.error)
        self.assertEqual(len(sentences), 4)
        self.screenshot(self.app, f"safety-not-compared-{self.appearance}")
        sheet.theirs.value = Verdict.SAME.value
        self.press(sheet.theirs.entry, "<Return>")
        self.settle(self.app)
        self.assertIn("The same", sheet.theirs.note.cget("text"))
        self.assertIn("Verified", self.said(sheet))

    def test_the_own_code_can_be_copied(self) -> None:
        sheet = self.look()
        sheet.copy.invoke()
        self.assertTrue(sheet.clipboard_get().startswith("bpost-safety:1:"))

    def test_e55_a_verified_contact_whose_key_changed_takes_more_than_a_click(self) -> None:
        self.change(verified=False, was_verified=True, key_changed=True, key="Nw3b9c2d-new")
        self.client.key_changes["bob"].append(KeyChange("Nw3b9c2d", 1_790_900_000_000, "changed"))
        self.assertIn("You had verified bob", self.window.banner.text.cget("text"))
        buttons = self.window.banner.buttons.winfo_children()
        self.assertEqual([button.cget("text") for button in buttons], ["Verify …"])
        self.screenshot(self.app, f"main-verified-key-changed-{self.appearance}")
        self.window.act("safety")
        self.settle(self.app)
        sheet = cast("SafetySheet", self.sheet())
        self.assertEqual(self.offered(sheet), ["Mark as verified", "Trust anyway", "Close"])
        self.assertIn("Messages are held", self.said(sheet))
        self.screenshot(self.app, f"safety-changed-{self.appearance}")
        sheet.trust.invoke()
        self.settle(self.app)
        self.assertIn("trust_new_key anyway", self.client.calls)
        self.assertFalse(self.window.banner.winfo_ismapped())

    def test_e55_a_changed_key_can_be_compared_before_going_on(self) -> None:
        self.change(key_changed=True)
        sheet = self.look()
        offered = ["Mark as verified", "Continue without comparing", "Close"]
        self.assertEqual(self.offered(sheet), offered)
        sheet.trust.invoke()
        self.settle(self.app)
        self.assertIn("trust_new_key", self.client.calls)

    def test_the_banner_goes_with_the_change_that_it_tells_of(self) -> None:
        self.client.tell(SecurityNotice("bob", "account-key-changed", "The key has changed."))
        self.change(key_changed=True)
        self.assertTrue(self.window.banner.winfo_ismapped())
        self.look().mark.invoke()
        self.settle(self.app)
        self.assertFalse(self.window.banner.winfo_ismapped())

    def test_an_answer_about_another_key_is_said_and_looked_at_again(self) -> None:
        sheet = self.look()
        self.world.fail["mark_verified"] = UsageError("The key of bob is not the one. Look again.")
        self.change(key_changed=True)
        sheet.mark.invoke()
        self.settle(self.app)
        self.assertIn("Look again", sheet.theirs.error)
        self.assertIn("has changed", self.said(sheet))

    def test_who_has_no_key_yet_has_nothing_to_compare(self) -> None:
        self.change(has_key=False)
        sheet = self.look()
        self.assertIn("no key yet", self.said(sheet))
        self.assertEqual(self.offered(sheet), ["Close"])
        self.assertTrue(sheet.compare.instate(["disabled"]))

    def test_closing_while_it_is_asked_does_no_harm(self) -> None:
        self.window.header.safety.invoke()
        self.sheet().close()
        self.settle(self.app)
        self.assertEqual(self.sheets(), [])

    def test_the_keys_are_enough(self) -> None:
        sheet = self.look()
        order = [sheet.theirs.entry, sheet.compare, sheet.copy, sheet.mark, sheet.done]
        sheet.theirs.entry.focus_force()
        self.app.root.update()
        found = [sheet.theirs.entry]
        for _ in order[1:]:
            found.append(found[-1].tk_focusNext())  # type: ignore[arg-type]
        self.assertEqual(found, order)


class DarkSafetyTest(SafetyTest):
    """The same in the dark."""

    appearance = "dark"


class CodeTest(unittest.TestCase):
    """The picture of a code."""

    def test_it_is_black_on_white_with_a_border_and_whole_modules(self) -> None:
        image = qr_image(f"bpost-safety:1:{'A' * 43}:{'B' * 43}", 212)
        self.assertEqual(image.width, image.height)
        self.assertEqual(set(image.tobytes()), {0, 255})
        modules = 17 + 4 * 6 + 2 * BORDER  # version 6 or more
        self.assertGreaterEqual(image.width // 4, modules - 8)
        self.assertEqual({image.getpixel((x, 2)) for x in range(image.width)}, {255})


if __name__ == "__main__":
    unittest.main()
