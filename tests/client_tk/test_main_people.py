"""What the main window says of people, of the connection, and where there is nobody."""

from __future__ import annotations

import dataclasses
import tkinter
import unittest

from bpost.client import (
    ConnectionState,
    Contact,
    Message,
    SecurityNotice,
    SignedOut,
)
from tests.client_tk.test_main_w import MainTest


class PeopleTest(MainTest):
    """What has to be known about the other person."""

    def change(self, name: str, **fields: object) -> None:
        """Let something become known of somebody."""
        known = self.client._contacts[name]
        self.client.know(dataclasses.replace(known, **fields))  # type: ignore[arg-type]
        self.settle(self.app)

    def answers(self) -> dict[str, tkinter.Misc]:
        """Return the buttons of the banner."""
        buttons = self.window.banner.buttons.winfo_children()
        return {str(button.cget("text")): button for button in buttons}

    def answer(self, label: str) -> None:
        """Press a button of the banner."""
        self.answers()[label].invoke()  # type: ignore[attr-defined]
        self.settle(self.app)

    def test_a_changed_key_holds_messages_until_it_is_trusted(self) -> None:
        self.open("bob")
        self.assertFalse(self.window.banner.winfo_ismapped())
        self.change("bob", key_changed=True)
        self.client.put("bob", "held", own=True, status="waiting", failure="Held: trust the key.")
        self.settle(self.app)
        self.assertIn("The key of bob has changed", self.window.banner.text.cget("text"))
        self.assertIn("Held: trust the key.", self.shown())
        self.screenshot(self.app, f"main-key-changed-{self.appearance}")
        self.answer("Continue")
        self.assertIn("trust_new_key", self.client.calls)
        self.assertFalse(self.window.banner.winfo_ismapped())

    def test_who_is_not_a_contact_cannot_be_answered_until_added(self) -> None:
        self.client.put("frank", "hello, I am new here")
        self.world.people.add("frank")
        self.settle(self.app)
        self.open("frank")
        self.assertIn("is not in your contacts", self.window.banner.text.cget("text"))
        self.assertFalse(self.window.composer.enabled)
        self.answer("Add")
        self.assertTrue(self.window.composer.enabled)

    def test_blocking_and_unblocking(self) -> None:
        self.open("bob")
        self.window.act("block")
        self.settle(self.app)
        self.assertIn("You have blocked bob", self.window.banner.text.cget("text"))
        self.assertFalse(self.window.composer.enabled)
        self.answer("Unblock")
        self.assertTrue(self.window.composer.enabled)

    def test_a_removed_contact_can_be_added_again(self) -> None:
        self.open("bob")
        self.window.act("remove")
        self.settle(self.app)
        self.assertIn("is not in your contacts", self.window.banner.text.cget("text"))

    def test_a_security_notice_is_shown_until_it_is_understood(self) -> None:
        self.client.tell(SecurityNotice("bob", "bad-signature", "A false device was refused."))
        self.settle(self.app)
        self.open("bob")
        self.assertIn("A false device", self.window.banner.text.cget("text"))
        self.answer("Understood")
        self.assertFalse(self.window.banner.winfo_ismapped())

    def test_a_notice_about_the_server_is_said_below(self) -> None:
        self.client.tell(SecurityNotice("", "bad-vault", "The vault was altered."))
        self.settle(self.app)
        self.assertIn("The vault was altered", self.window.status.said.cget("text"))

    def test_the_header_tells_whether_it_is_sealed_and_verified(self) -> None:
        self.open("bob")
        self.assertIn("Sealed end to end", self.window.header.below.cget("text"))
        self.change("bob", verified=True)
        self.assertIn("Verified", self.window.header.below.cget("text"))
        self.change("bob", verified=False, has_key=False)
        self.assertIn("No key yet", self.window.header.below.cget("text"))


class ConnectionTest(MainTest):
    """The line below."""

    def line(self) -> str:
        """Return what the line says."""
        self.settle(self.app)
        return str(self.window.status.text.cget("text"))

    def test_it_says_where_the_connection_stands(self) -> None:
        self.assertEqual(self.line(), "Connected")
        self.client.connection(ConnectionState.WAITING, retry_in=30)
        self.assertRegex(self.line(), r"Reconnecting in (29|30) s")
        self.assertTrue(self.window.status.now.winfo_ismapped())
        self.screenshot(self.app, f"main-reconnecting-{self.appearance}")
        self.window.status.now.invoke()
        self.assertEqual(self.line(), "Connected")
        self.assertFalse(self.window.status.now.winfo_ismapped())

    def test_it_counts_down(self) -> None:
        self.client.connection(ConnectionState.WAITING, retry_in=30)
        self.line()
        self.until(lambda: "in 28 s" in str(self.window.status.text.cget("text")), "the count")

    def test_what_is_written_offline_waits(self) -> None:
        self.client.connection(ConnectionState.OFFLINE)
        self.open("bob")
        self.window.controller.send("later")
        self.until(lambda: self.line() == "Offline: 1 message waiting", "the line")

    def test_a_refused_server_is_said(self) -> None:
        self.client.connection(ConnectionState.REFUSED, text="The certificate has changed.")
        self.assertEqual(self.line(), "The certificate has changed.")

    def test_who_is_signed_out_sees_why_and_may_log_in_again(self) -> None:
        self.client.tell(SignedOut("wrong-password", "The password was changed elsewhere."))
        self.until(lambda: self.app.start is not None, "the start window")
        self.assertIn("changed elsewhere", self.start(self.app).general.cget("text"))
        self.until(lambda: self.client.closed, "the client to close")


class NobodyTest(MainTest):
    """An account without anybody."""

    prepare = staticmethod(lambda _: None)

    def test_an_empty_account_says_what_to_do(self) -> None:
        self.assertTrue(self.window.side.empty.winfo_ismapped())
        self.assertIn("Add somebody", self.window.side.empty.cget("text"))
        self.assertTrue(self.window.nobody.winfo_ismapped())
        self.screenshot(self.app, f"main-empty-{self.appearance}")

    def test_an_empty_conversation_says_who_can_read_it(self) -> None:
        self.client.know(Contact("bob", 0, has_key=True))
        self.settle(self.app)
        self.open("bob")
        self.assertIn("only you and bob can read", " ".join(self.shown()))

    def test_messages_without_known_places_are_in_the_order_they_came(self) -> None:
        self.client.know(Contact("bob", 0, has_key=True))
        self.open("bob")
        sent = [self.client.put("bob", str(number), place=0.0) for number in range(3)]
        self.settle(self.app)
        lines: list[Message] = [line.message for line in self.window.controller.timeline.lines]
        self.assertEqual([one.text for one in lines], [one.text for one in sent])


if __name__ == "__main__":
    unittest.main()
