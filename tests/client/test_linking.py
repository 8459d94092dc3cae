"""Joining with a code, and an account whose key is not in the server's vault."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

from bpost.client import Client, cli
from bpost.client.link import Link
from bpost.client.linking import CONFIRM, GIVE, HELLO, read_signal, write_signal
from bpost.client.ring import ADDED_TEXT
from bpost.crypto.linking import make_code, parse_code, seal_hello
from bpost.crypto.primitives import generate_x25519
from bpost.errors import BPostError, Refused, SecurityError, TransportError
from bpost.protocol.replies import VaultStored
from bpost.protocol.requests import GetVault, PutVault, Signal
from tests.client.test_household import lines
from tests.client.town import LIMITS, Town, password_of, texts, wait_for_text
from tests.support import wait_until


class Joining(threading.Thread):
    """A new device that joins with a code; ``number`` is what it shows, ``same`` the answer."""

    def __init__(self, client: Client, name: str, code: str, same: bool = True) -> None:
        super().__init__(daemon=True)
        self._made = client
        self._name = name
        self._code = code
        self._same = same
        self.number = ""
        self.error: BPostError | None = None
        self.start()

    def run(self) -> None:
        password = password_of(self._name)
        try:
            self._made.log_in(self._name, password, code=self._code, compare=self._compare)
        except BPostError as error:
            self.error = error

    def _compare(self, number: str) -> bool:
        self.number = number
        return self._same


class LinkCase(Town):
    """Alice and bob; the account of bob has no vault."""

    def setUp(self) -> None:
        super().setUp()
        quick = mock.patch("bpost.client.joining.AGAIN_SECONDS", 0.05)
        quick.start()
        self.addCleanup(quick.stop)
        self.alice, self.bob = self.register("alice", "bob")
        self.bob.keep_vault(False)

    def vault(self, client: Client) -> str:
        """Return what the server keeps in the vault."""
        return client._run.receiver.link.request(GetVault(), VaultStored).vault

    def join(self, code: str, same: bool = True, profile: str = "second") -> Joining:
        """Let a new device read a code."""
        return Joining(self.client(profile), "bob", code, same)

    def agree(self) -> None:
        """Let bob say that the number is the same."""
        self.met()
        self.bob.decide_link(yes=True)

    def met(self) -> str:
        """Wait until a device has read the code; return the number."""
        wait_until(lambda: self.bob.link.state == "met", what="the other device")
        return self.bob.link.number

    def ended(self, joining: Joining) -> BPostError | None:
        """Wait until joining has ended; return why it failed, if it did."""
        joining.join(60)
        self.assertFalse(joining.is_alive())
        return joining.error


class LinkTest(LinkCase):
    """A device joins with a code (E60)."""

    def test_a_device_joins_with_a_code_when_both_sides_have_confirmed(self) -> None:
        joining = self.join(self.bob.show_link().code)
        number = self.met()
        wait_until(lambda: joining.number, what="the number")
        self.assertEqual(joining.number, number)
        self.bob.decide_link(yes=True)
        self.assertIsNone(self.ended(joining))
        wait_until(lambda: self.bob.link.state == "done", what="thanks")
        second = joining._made
        self.assertFalse(second.has_vault)
        self.alice.send("bob", "to both")
        wait_for_text(second, "alice", "to both")
        name = second.devices()[0].name
        self.assertIn(ADDED_TEXT.format(name=f" (“{name}”)"), lines(self.bob, "bob"))
        self.assertEqual(self.vault(self.bob), "")

    def test_e60_a_link_request_that_the_server_hands_to_an_attacker_gets_nothing(self) -> None:
        code = parse_code(self.bob.show_link().code)
        forged, _ = make_code()
        attacker = Link(self.bob._run.receiver._entrance.address, LIMITS)
        self.addCleanup(attacker.close)
        attacker.log_in("bob", self._log_in_key(), "")
        for one in (replace(forged, public=code.public), forged):
            hello = seal_hello(one, "bob", generate_x25519().public, "Bob's telephone")
            attacker.post(Signal("bob", write_signal(code.slot, HELLO, hello), "bob"))
        joining = self.join(code.text())
        self.met()  # by the device that has the code
        wait_until(lambda: joining.number)
        self.assertEqual(joining.number, self.bob.link.number)
        self.bob.decide_link(yes=True)
        self.assertIsNone(self.ended(joining))

    def test_e60_whoever_saw_the_code_is_found_out_by_the_number(self) -> None:
        code = self.bob.show_link().code
        thief = self.join(code, profile="thief")
        number = self.met()
        wait_until(lambda: thief.number)
        mine = self.join(code, profile="mine")
        wait_until(lambda: self.bob.link.state == "spied", what="the warning")
        self.assertEqual(mine.number, "")
        self.assertEqual(thief.number, number)
        self.assertIsInstance(self.ended(thief), Refused)
        mine._made.close()
        self.assertIsNotNone(self.ended(mine))

    def test_e60_nothing_is_given_before_both_have_confirmed(self) -> None:
        said, heard = list[int](), list[int]()
        for name, noted, real in (
            ("write_signal", said, write_signal),
            ("read_signal", heard, read_signal),
        ):
            patch = mock.patch(f"bpost.client.linking.{name}", _noting(noted, real))
            patch.start()
            self.addCleanup(patch.stop)
        first = self.join(self.bob.show_link().code, same=False)
        self.met()
        self.assertIsInstance(self.ended(first), Refused)
        self.bob.decide_link(yes=True)
        self.assertNotIn(CONFIRM, heard)
        second = self.join(self.bob.show_link().code, profile="third")
        self.met()
        wait_until(lambda: heard.count(CONFIRM) > 1, what="the other side to confirm")
        self.assertEqual(self.bob.link.state, "met")
        self.bob.decide_link(yes=False)
        self.assertIsInstance(self.ended(second), Refused)
        self.assertNotIn(GIVE, said)

    def test_e60_a_code_serves_once_and_not_for_long(self) -> None:
        short = replace(LIMITS, link_seconds=0.5)
        code = self.bob.show_link().code
        first = self.join(code)
        self.agree()
        self.assertIsNone(self.ended(first))
        again = Joining(self.client("again", limits=short), "bob", code)
        self.assertIsInstance(self.ended(again), Refused)
        carol = self.client("carol", limits=short)
        carol.register("carol", password_of("carol"))
        code = carol.show_link().code
        wait_until(lambda: carol.link.state == "over", what="the end of the code")
        late = Joining(self.client("late", limits=short), "carol", code)
        self.assertIsInstance(self.ended(late), Refused)

    def test_what_is_no_code_is_said_at_once(self) -> None:
        client = self.client("second")
        with self.assertRaises(SecurityError):
            client.log_in("bob", password_of("bob"), code="123456", compare=lambda _: True)
        with self.assertRaisesRegex(SecurityError, "choose Devices"):
            client.log_in("bob", password_of("bob"))

    def test_without_a_connection_there_is_no_code(self) -> None:
        self.stop()
        wait_until(lambda: self.bob.state.value != "connected")
        with self.assertRaises(TransportError):
            self.bob.show_link()

    def _log_in_key(self) -> str:
        return self.bob._run.credentials.password


class VaultTest(LinkCase):
    """The vault, off and on."""

    def second(self, name: str = "second") -> Client:
        """Return another device of bob."""
        joining = self.join(self.bob.show_link().code, profile=name)
        self.met()
        self.bob.decide_link(yes=True)
        self.assertIsNone(self.ended(joining))
        return joining._made

    def test_e60_a_key_that_was_taken_out_of_the_vault_stays_out(self) -> None:
        self.assertEqual(self.vault(self.bob), "")
        self.bob.change_password(password_of("bob"), "another password")
        self.assertEqual(self.vault(self.bob), "")
        link = self.bob._run.receiver.link
        version = link.request(GetVault(), VaultStored).version
        link.request(PutVault(version, "of an old copy"), VaultStored)
        self.bob.close()
        again = self.log_in("bob", password="another password")
        wait_until(lambda: self.vault(again) == "", what="it to be taken out again")
        self.assertFalse(again.has_vault)

    def test_other_own_devices_are_told(self) -> None:
        second = self.second()
        self.bob.keep_vault(True)
        wait_until(lambda: second.has_vault, what="the second device to know")
        self.assertNotEqual(self.vault(self.bob), "")
        second.keep_vault(False)
        wait_until(lambda: not self.bob.has_vault, what="the first device to know")
        self.assertIn("no longer in the server's vault", lines(self.bob, "bob")[-1])

    def test_turned_on_again_a_new_device_needs_only_the_password(self) -> None:
        self.bob.keep_vault(True)
        third = self.log_in("bob", "third")
        self.assertTrue(third.has_vault)
        self.bob.send("alice", "hello")
        wait_for_text(third, "alice", "hello")

    def test_a_device_opens_with_a_code_after_the_password_was_changed_elsewhere(self) -> None:
        second = self.second()
        self.alice.send("bob", "words")
        wait_for_text(second, "alice", "words")
        second.close()
        self.bob.change_password(password_of("bob"), "another password")
        again = self.client("second")
        with self.assertRaises(SecurityError):
            again.log_in("bob", "another password")
        numbers: list[str] = []
        code = self.bob.show_link().code
        agree = threading.Thread(target=self.agree)
        agree.start()
        again.log_in("bob", "another password", code=code, compare=_same(numbers))
        agree.join()
        self.assertEqual(texts(again, "alice"), ["words"])


def _same(numbers: list[str]) -> Callable[[str], bool]:
    def compare(number: str) -> bool:
        numbers.append(number)
        return True

    return compare


def _noting(steps: list[int], real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of :mod:`bpost.client.linking` that notes the steps it deals with."""

    def noting(*arguments: Any) -> Any:
        found = real(*arguments)
        if real is write_signal:
            steps.append(arguments[1])
        elif found is not None:
            steps.append(found[0])
        return found

    return noting


class CommandTest(LinkCase):
    """``bpost-cli vault``, ``join`` and ``devices code``."""

    def _cli(self, profile: str, *arguments: str, out: io.StringIO | None = None) -> int:
        secret = self.folder / "secret"
        secret.write_text(password_of("bob"))
        common = ["--server", self.url, "--pin", self.pin, "--user", "bob"]
        common += ["--profile", str(self.folder / profile), "--password-file", str(secret)]
        self.out = out or io.StringIO()
        with (
            contextlib.redirect_stdout(self.out),
            contextlib.redirect_stderr(self.out),
            mock.patch("sys.stdin", io.StringIO("yes\n")),
        ):
            return cli.main([*common, *arguments])

    def test_the_command_line_joins_with_a_code(self) -> None:
        file = self.folder / "code"
        file.write_text(self.bob.show_link().code + "\n")
        agree = threading.Thread(target=self.agree)
        agree.start()
        self.assertEqual(self._cli("second", "join", "--code-file", str(file)), 0)
        agree.join()
        self.assertIn("Compare this number: ", self.out.getvalue())
        self.assertIn("This computer is the device", self.out.getvalue())

    def test_the_command_line_shows_a_code(self) -> None:
        self.bob.close()
        out, made = io.StringIO(), list[Joining]()

        def read() -> None:
            wait_until(lambda: "\n" in out.getvalue(), what="the code")
            made.append(self.join(out.getvalue().split()[0]))

        reading = threading.Thread(target=read)
        reading.start()
        self.assertEqual(self._cli("bob", "devices", "code", out=out), 0)
        reading.join()
        self.assertIsNone(self.ended(made[0]))
        self.assertIn("The other device has joined.", out.getvalue())

    def test_the_command_line_turns_the_vault_on_and_off(self) -> None:
        self.bob.close()
        for state, said in (("on", "is in the server's vault"), ("off", "no longer in")):
            with self.subTest(state):
                self.assertEqual(self._cli("bob", "vault", state), 0)
                self.assertIn(said, self.out.getvalue())
                self.assertEqual(self._cli("bob", "vault"), 0)
                self.assertIn(said, self.out.getvalue())
