"""What a newcomer stumbles over: where the focus is, what can be seen, which way out there is."""

from __future__ import annotations

import dataclasses
import shutil
import threading
import tkinter
import unittest
from collections.abc import Sequence
from pathlib import Path

from bpost.client import Client, Contact, SignedOut
from bpost.client.keystore import Keystore, Remembered
from bpost.errors import Refused
from client_tk.account import ONLY_READ, TURNED_AWAY
from client_tk.contact_w import AddContactSheet
from tests.client_tk.gui import PASSWORD, SERVER
from tests.client_tk.simulator import SimulatedClient
from tests.client_tk.test_main_w import MainTest

GONE = SignedOut("no-such-device", "This device was removed from the account.")


def write_remembered(folder: Path) -> None:
    """Let a folder look like one of a profile of alice."""
    keystore = Keystore(folder)
    keystore.lock()
    keystore.remember(Remembered(SERVER, "alice", "laptop0000000000"))
    keystore.unlock()


class FocusTest(MainTest):
    """Whatever was clicked last: keys do what they say, and what is typed is written."""

    def banner_buttons(self) -> Sequence[tkinter.Misc]:
        """Return the buttons of the banner."""
        return self.window.banner.buttons.winfo_children()

    def type_here(self, keys: str) -> None:
        """Press keys where the focus is."""
        self.app.root.update()
        focus = self.window.focus_get()
        assert focus is not None
        focus.event_generate(keys)
        self.app.root.update()

    def meet_stranger(self) -> None:
        """Let somebody write who is no contact, and open what they wrote."""
        self.client.put("frank", "hello, I am new here")
        self.world.people.add("frank")
        self.settle(self.app)
        self.open("frank")

    def test_after_a_request_was_accepted_one_types_the_answer(self) -> None:
        self.meet_stranger()
        self.banner_buttons()[0].focus_force()
        self.app.root.update()
        self.banner_buttons()[0].invoke()  # type: ignore[attr-defined]
        self.settle(self.app)
        self.type_here("<KeyPress-h>")
        self.assertEqual(self.window.composer.value, "h")

    def test_keys_work_while_a_button_of_the_banner_has_the_focus(self) -> None:
        self.meet_stranger()
        self.press(self.banner_buttons()[1], "<Control-n>")
        self.assertIsInstance(self.sheet(), AddContactSheet)

    def test_who_was_just_added_can_be_written_to(self) -> None:
        self.world.people.add("zoe")
        self.press(self.window.side.list.canvas, "<Control-n>")
        asked = self.sheet()
        assert isinstance(asked, AddContactSheet)
        asked.name.value = "zoe"
        asked.submit()
        self.until(lambda: self.window.composer.conversation == "zoe", "the new contact")
        self.settle(self.app)
        self.type_here("<KeyPress-y>")
        self.assertEqual(self.window.composer.value, "y")

    def test_who_types_over_the_list_writes_but_space_presses_a_button(self) -> None:
        self.open("bob")
        self.press(self.window.side.list.canvas, "<KeyPress-a>")
        self.press(self.window.header.safety, "<KeyPress-b>")
        self.assertEqual(self.window.composer.value, "ab")
        self.press(self.window.header.safety, "<KeyPress-space>")
        self.press(self.window.header.safety, "<KeyRelease-space>")
        self.assertEqual(self.window.composer.value, "ab")

    def test_what_is_searched_for_is_not_written(self) -> None:
        self.open("bob")
        self.press(self.window.side.search, "<KeyPress-c>")
        self.assertEqual(self.window.composer.value, "")
        self.assertEqual(self.window.side.wanted.get(), "c")

    def test_a_sheet_keeps_the_focus_when_the_window_below_is_clicked(self) -> None:
        self.press(self.window.side.list.canvas, "<Control-n>")
        sheet = self.sheet()
        for below in (self.app.root, self.window.side.list.canvas):
            below.focus_force()
            self.app.root.update()
            self.app.root.update()
            focus = self.app.root.focus_get()
            with self.subTest(str(below)):
                self.assertIs(focus and focus.winfo_toplevel(), sheet)


class BannerTest(MainTest):
    """What is asked above the messages can be answered, however narrow the window is."""

    def test_every_answer_is_wholly_seen(self) -> None:
        self.open("bob")
        known = self.client._contacts["bob"]
        self.client.know(dataclasses.replace(known, key_changed=True))
        for width in (1020, 680):
            self.app.root.geometry(f"{width}x500")
            self.settle(self.app)
            self.app.root.update()
            for button in self.window.banner.buttons.winfo_children():
                with self.subTest(width=width, button=button.cget("text")):
                    right = button.winfo_rootx() + button.winfo_reqwidth()
                    edge = self.window.banner.winfo_rootx() + self.window.banner.winfo_width()
                    self.assertLess(right, edge)


class SheetTest(MainTest):
    """Small windows are as large as what is in them, from the first moment on."""

    def test_no_sheet_changes_its_size_once_it_is_seen(self) -> None:
        sheets = self.window.sheets
        for open_sheet in (sheets.open_settings, sheets.change_password, sheets.open_delete):
            sheet = open_sheet()
            asked = (sheet.winfo_reqwidth(), sheet.winfo_reqheight())
            self.settle(self.app)
            with self.subTest(type(sheet).__name__):
                self.assertEqual((sheet.winfo_width(), sheet.winfo_height()), asked)
                self.assertEqual(sheet.body.yview(), (0.0, 1.0))
            sheet.close()

    def test_large_text_makes_a_sheet_scroll_and_leaves_its_buttons_on_the_screen(self) -> None:
        for _ in range(8):
            self.app.enlarge(1)
        self.open("bob")
        sheet = self.window.sheets.open_safety()
        self.settle(self.app)
        bottom = sheet.done.winfo_rooty() + sheet.done.winfo_height()
        self.assertLessEqual(bottom, sheet.winfo_screenheight())

    def test_tab_goes_from_one_password_to_the_next_and_a_key_shows_it(self) -> None:
        sheet = self.window.sheets.change_password()
        self.press(sheet.current.entry, "<Tab>")
        self.assertIs(sheet.focus_get(), sheet.new.entry)
        self.press(sheet.new.entry, "<F2>")
        self.assertEqual(sheet.new.entry.cget("show"), "")
        self.press(sheet.new.entry, "<F2>")
        self.assertEqual(sheet.new.entry.cget("show"), "•")


class ComposerTest(MainTest):
    """Where one writes says so."""

    def test_the_empty_composer_says_what_it_is_for(self) -> None:
        self.open("bob")
        composer = self.window.composer
        self.assertTrue(composer.hint.winfo_ismapped())
        self.press(composer.text, "<KeyPress-h>")
        self.assertFalse(composer.hint.winfo_ismapped())
        composer.text.delete("1.0", "end")
        self.app.root.update()
        self.assertTrue(composer.hint.winfo_ismapped())

    def test_it_does_not_say_so_where_nothing_can_be_written(self) -> None:
        self.client.put("frank", "hello")
        self.settle(self.app)
        self.open("frank")
        self.assertFalse(self.window.composer.hint.winfo_ismapped())


class TurnedAwayTest(MainTest):
    """A device that the server knows no more, though no list says that it was removed."""

    def test_it_may_become_a_new_device_and_what_it_held_is_set_aside(self) -> None:
        aside = self.folder.with_name(f"{self.folder.name}.removed-1")
        self.addCleanup(shutil.rmtree, aside, ignore_errors=True)
        self.client.tell(GONE)
        self.until(lambda: self.app.start is not None, "the start window")
        start = self.start(self.app)
        self.assertEqual(start.general.cget("text"), TURNED_AWAY)
        start.log_in.password.value = PASSWORD
        make = self.app._make

        def turned_away(server: str, profile: Path, *, pin: str | None = None) -> Client:
            client = make(server, profile, pin=pin)
            if len(self.world.clients) == 2:  # with the old profile
                self.world.client.tell(GONE)
            return client

        self.app._make = turned_away
        start.again.invoke()
        self.until(lambda: self.app.main is not None, "the main window")
        self.assertTrue(aside.exists())
        self.assertEqual(len(self.world.clients), 3)

    def test_a_profile_that_the_server_still_knows_stays_in_its_place(self) -> None:
        aside = self.folder.with_name(f"{self.folder.name}.removed-1")
        self.addCleanup(shutil.rmtree, aside, ignore_errors=True)
        self.client.tell(GONE)
        self.until(lambda: self.app.start is not None, "the start window")
        self.start(self.app).log_in.password.value = PASSWORD
        self.start(self.app).again.invoke()
        self.until(lambda: self.app.main is not None, "the main window")
        self.assertFalse(aside.exists())

    def test_what_it_held_is_opened_without_a_connection_and_it_may_still_join(self) -> None:
        aside = self.folder.with_name(f"{self.folder.name}.removed-1")
        self.addCleanup(shutil.rmtree, aside, ignore_errors=True)
        self.app.log_out()
        write_remembered(self.folder)
        self.world.fail["log_in"] = Refused("no-such-device", GONE.text)
        self.start(self.app).log_in.password.value = PASSWORD
        self.start(self.app).submit()
        self.until(lambda: self.app.main is not None, "the main window")
        self.assertEqual(self.main(self.app).status.said.cget("text"), ONLY_READ)
        self.app.log_out()
        start = self.start(self.app)
        self.assertEqual(start.general.cget("text"), TURNED_AWAY)
        self.world.hold["log_in"] = held = threading.Event()
        start.log_in.password.value = PASSWORD
        start.again.invoke()
        self.until(lambda: self.world.client.calls == ["log_in"], "the next try")
        held.set()
        self.until(lambda: aside.exists(), "the old profile to be set aside")
        self.world.fail.clear()

    def test_what_it_held_can_be_read(self) -> None:
        self.window.controller._was_connected = False  # it was turned away when it logged in
        self.client.tell(GONE)
        self.settle(self.app)
        self.open("carol")
        self.assertIn("Tomorrow is fine", self.shown())


class OwnTest(MainTest):
    """What happens on one's own devices is told in a conversation with oneself."""

    @staticmethod
    def prepare(client: SimulatedClient) -> None:
        """Let alice have been told of a device."""
        client.know(Contact("bob", 0, has_key=True))
        client.put("alice", "A new device was added.", kind="notice", quiet=True)

    def test_nobody_is_asked_to_add_or_block_themselves(self) -> None:
        self.open("alice")
        self.assertIn("A new device was added.", self.shown())
        self.assertFalse(self.window.banner.winfo_ismapped())
        self.assertEqual(self.window.header.name.cget("text"), "Your account")
        self.assertFalse(self.window.composer.winfo_ismapped())
        self.assertFalse(self.window.header.safety.winfo_ismapped())
        self.assertNotIn("block", self._menu())
        self.screenshot(self.app, f"main-own-{self.appearance}")
        self.open("bob")
        self.assertTrue(self.window.composer.winfo_ismapped())
        self.assertTrue(self.window.header.safety.winfo_ismapped())

    def _menu(self) -> str:
        menu = self.window.header.open_menu()
        last = menu.index("end")
        assert last is not None
        kinds = [menu.type(place) for place in range(last + 1)]
        labels = [
            str(menu.entrycget(place, "label"))
            for place, kind in enumerate(kinds)
            if kind == "command"
        ]
        menu.tk.call("tk::MenuUnpost", menu)  # as Escape does: the focus goes back
        return " ".join(labels).lower()


if __name__ == "__main__":
    unittest.main()
