"""Editing and deleting messages in the window, with keys and with the mouse."""

from __future__ import annotations

import unittest

from bpost.client import Message
from bpost.errors import UsageError
from client_tk.second_thoughts import DeleteMessageSheet
from tests.client_tk.test_main_w import MainTest


class SecondThoughtsTest(MainTest):
    """Alice has written to bob."""

    def setUp(self) -> None:
        super().setUp()
        self.open("bob")
        self.composer = self.window.composer

    def edit_last(self) -> None:
        """Press Ctrl+Up where one writes."""
        self.press(self.composer.text, "<Control-Up>")
        self.settle(self.app)

    def mine(self) -> Message:
        """Return alice's message to bob."""
        return next(one for one in self.client.history("bob") if one.own)

    def pick(self, message: Message) -> None:
        """Pick a message by keyboard."""
        self.view.painter.chosen = message.id
        self.view.repaint()

    def delete(self, message: Message) -> DeleteMessageSheet:
        """Press Delete on a message; return what is asked then."""
        self.pick(message)
        self.view.canvas.focus_force()
        self.app.root.update()
        self.pick(message)
        self.view.canvas.event_generate("<Delete>")
        self.app.root.update()
        return next(
            one for one in self.view.winfo_children() if isinstance(one, DeleteMessageSheet)
        )

    def test_ctrl_up_edits_the_last_own_message_and_it_is_marked(self) -> None:
        self.edit_last()
        self.assertTrue(self.composer.editing)
        self.assertTrue(self.composer.strip.winfo_manager())
        self.assertEqual(self.composer.value, "Yes")
        self.composer.text.insert("end", ", at last")
        self.press(self.composer.text, "<Return>")
        self.settle(self.app)
        self.assertFalse(self.composer.editing)
        self.assertEqual(self.composer.value, "")
        self.assertIn("edit Yes, at last", self.client.calls)
        shown = [text.replace("\u00a0", "").strip() for text in self.shown()]
        self.assertIn("Yes, at last", shown)
        self.assertTrue(any(text.startswith("edited ") for text in shown), shown)

    def test_escape_leaves_the_message_and_brings_the_draft_back(self) -> None:
        self.composer.text.insert("end", "half a thought")
        self.edit_last()
        self.composer.text.insert("end", " or no")
        self.composer.flush_draft()
        self.press(self.composer.text, "<Escape>")
        self.assertFalse(self.composer.editing)
        self.assertEqual(self.composer.value, "half a thought")
        self.assertEqual(self.client.draft("bob"), "half a thought")
        self.assertEqual(self.mine().text, "Yes")

    def test_another_conversation_ends_it_too(self) -> None:
        self.edit_last()
        self.open("carol")
        self.assertFalse(self.composer.editing)
        self.assertEqual(self.composer.value, "")
        self.composer.text.insert("end", "hello")
        self.composer.submit()
        self.settle(self.app)
        self.assertNotIn("edit hello", self.client.calls)

    def test_what_cannot_be_changed_says_why_and_words_are_not_lost(self) -> None:
        self.world.fail["edit"] = UsageError("This message is older than 24 hours.")
        self.edit_last()
        self.composer.text.insert("end", "!")
        self.press(self.composer.text, "<Return>")
        self.settle(self.app)
        self.assertEqual(self.composer.value, "Yes!")
        self.assertTrue(self.composer.editing)
        self.assertIn("older than 24 hours", self.composer.note.cget("text"))

    def test_an_unchanged_text_changes_nothing(self) -> None:
        self.edit_last()
        self.press(self.composer.text, "<Return>")
        self.settle(self.app)
        self.assertFalse(self.composer.editing)
        self.assertEqual([call for call in self.client.calls if call.startswith("edit")], [])

    def test_delete_asks_for_whom_and_leaves_a_line(self) -> None:
        sheet = self.delete(self.mine())
        self.assertIs(sheet.focus_get(), sheet.cancel)
        assert sheet.everyone is not None
        sheet.everyone.invoke()
        self.settle(self.app)
        self.assertIn("delete everyone", self.client.calls)
        self.assertTrue(any("You deleted this message." in text for text in self.shown()))
        self.assertFalse(any("Yes" in text for text in self.shown()))

    def test_deleting_for_me_takes_the_line_away(self) -> None:
        theirs = next(one for one in self.client.history("bob") if not one.own)
        sheet = self.delete(theirs)
        self.assertIsNone(sheet.everyone)
        sheet.me.invoke()
        self.settle(self.app)
        self.assertIn("delete", self.client.calls)
        self.assertFalse(any(theirs.text in text for text in self.shown()))
        self.assertEqual([line.message.text for line in self.view.timeline.lines], ["Yes"])

    def test_the_menu_of_a_message_has_both(self) -> None:
        for message, both in ((self.mine(), True), (self.client.history("bob")[0], False)):
            self.pick(message)
            self.view._menu.tk_popup = lambda *_: None  # type: ignore[method-assign]
            self.view.open_menu(0, 0)
            menu = self.view._menu
            last = menu.index("end")
            assert last is not None
            labels = [menu.entrycget(number, "label") for number in range(last + 1)]
            self.assertEqual("Edit" in labels, both)
            self.assertIn("Delete …", labels)

    def test_the_list_shows_that_a_message_was_deleted(self) -> None:
        self.client.delete("bob", self.mine().id, everyone=True)
        self.settle(self.app)
        row = next(row for row in self.window.side.list.rows if row.name == "bob")
        self.assertEqual((row.text, row.status), ("You deleted this message.", ""))


if __name__ == "__main__":
    unittest.main()
