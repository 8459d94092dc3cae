"""Two people, two windows, a real server, and everything between them."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from bpost.client import Client, ConnectionState
from bpost.server.config import read_config
from bpost.server.log import EventLog
from bpost.server.post_office import PostOffice
from client_tk import demo
from client_tk.app import App, Options
from tests.client_tk.gui import GuiTest, require_display, texts
from tests.support import patience

ROOT = Path(__file__).resolve().parents[2]


class OtherWindow:
    """A window in another process (`tests.client_tk.other_window`)."""

    def __init__(self, server: str, pin: str, person: demo.Person, other: str) -> None:
        command = [sys.executable, "-m", "tests.client_tk.other_window", server, pin]
        command += [str(person.folder), person.name, other]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self.tell(person.password)

    def tell(self, line: str) -> None:
        """Send a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def shown(self) -> list[str]:
        """Return all that is drawn among the messages."""
        self.tell("shown")
        assert self.process.stdout is not None
        drawn: list[str] = json.loads(self.process.stdout.readline())
        return drawn

    def close(self) -> None:
        """Close the window, and wait for its process."""
        try:
            self.process.communicate("close\n", timeout=patience(20))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()


class RealTest(GuiTest):
    """alice in this process, others elsewhere."""

    def setUp(self) -> None:
        super().setUp()
        self.people = tuple(demo.Person(name, self.folder / name) for name in ("alice", "bob"))
        self.office = self.start_office()

    def start_office(self, port: int = 0, data: str = "server") -> PostOffice:
        """Start a server."""
        arguments = ["--data", str(self.folder / data), "--port", str(port), "--limits", "off"]
        office = PostOffice(read_config(arguments), EventLog(stream=io.StringIO())).start()
        self.addCleanup(lambda: self.stop_office(office))
        return office

    def stop_office(self, office: PostOffice) -> None:
        """Stop a server, if it is still there."""
        if office not in getattr(self, "_stopped", []):
            self._stopped = [*getattr(self, "_stopped", []), office]
            office.stop()

    def make_friends(self) -> None:
        """Register alice and bob, and let them know each other."""
        alice, bob = self.people
        with Client(self.office.address, alice.folder, pin=self.office.pin) as first:
            with Client(self.office.address, bob.folder, pin=self.office.pin) as second:
                first.register(alice.name, alice.password)
                second.register(bob.name, bob.password)
                first.add_contact("bob")
                second.add_contact("alice")

    def open_real(self, **options: object) -> App:
        """Open alice's window."""
        alice = self.people[0]
        given = {
            "server": self.office.address,
            "profile": alice.folder,
            "geometry": "760x600+20+60",
            "appearance": "light",
            "scale": 1.0,
            **options,
        }
        app = App(Options(**given))  # type: ignore[arg-type]
        app.on_mistake = self.mistakes.append
        self.apps.append(app)
        app.root.update()
        app.root.focus_force()
        return app

    def open_alice(self) -> App:
        """Open alice's window, logged in, on the conversation with bob."""
        alice = self.people[0]
        app = self.open_real(
            pin=self.office.pin,
            username=alice.name,
            password=alice.password,
            conversation="bob",
        )
        self.until(lambda: app.main and app.main.composer.enabled, "the conversation", 30)
        return app

    def write(self, app: App, text: str) -> None:
        """Write a message and press the button; for keys, the two windows would need the focus."""
        composer = self.main(app).composer
        composer.text.insert("end", text)
        composer.button.invoke()

    def shown(self, app: App) -> list[str]:
        """Return all that is drawn among the messages of alice's window."""
        return texts(self.main(app).messages.canvas)

    def texts(self, app: App) -> set[str]:
        """Return the texts of the messages in alice's window, drawn or not."""
        return {line.message.text for line in self.main(app).controller.timeline.lines}

    def statuses(self, app: App) -> list[str]:
        """Return the status of each message of alice's own."""
        lines = self.main(app).controller.timeline.lines
        return [line.message.status for line in lines if line.message.own]


class RemovedTest(RealTest):
    """alice's computer, after another one of hers has removed it."""

    def test_e61_a_computer_whose_device_was_removed_is_used_again_with_one_click(self) -> None:
        self.make_friends()
        alice = self.people[0]
        app = self.open_alice()
        gone = app.client.device if app.client else ""
        other = Client(self.office.address, self.folder / "other", pin=self.office.pin)
        with other:
            other.log_in(alice.name, alice.password)
            other.remove_device(gone)
            self.until(lambda: app.start and app.start.again.winfo_ismapped(), "the offer", 30)
            start = self.start(app)
            self.assertIn("was removed", str(start.general.cget("text")))
            self.screenshot(app, "start-removed-light")
            start.log_in.password.value = alice.password
            start.again.invoke()
            self.until(lambda: app.main and not self.main(app).client.removed, "the window", 30)
            self.assertNotIn(self.main(app).client.device, ("", gone))
            self.assertTrue((self.folder / "alice.removed-1").is_dir())


class TwoWindowsTest(RealTest):
    """Two people write to each other."""

    def test_what_one_writes_the_other_reads_and_the_ticks_tell(self) -> None:
        self.make_friends()
        app = self.open_alice()
        bob = OtherWindow(self.office.address, self.office.pin, self.people[1], "alice")
        self.addCleanup(bob.close)
        self.write(app, "Hello Bob, the letter is sealed")
        self.until(lambda: "Hello Bob, the letter is sealed" in bob.shown(), "bob to see it", 30)
        bob.tell("write Hello Alice, I have opened it")
        self.until(lambda: "Hello Alice, I have opened it" in self.shown(app), "the answer", 30)
        self.until(lambda: self.statuses(app) == ["read"], "the ticks", 30)
        for number in range(10):
            self.write(app, f"alice {number}")
            bob.tell(f"write bob {number}")
        wanted = {f"{who} {number}" for who in ("alice", "bob") for number in range(10)}
        self.until(lambda: wanted <= self.texts(app), "all of them", 30)
        self.until(lambda: set(self.statuses(app)) <= {"delivered", "read"}, "all ticks", 30)
        self.screenshot(app, "two-windows")

    def test_the_server_goes_and_comes_back_and_nothing_is_lost(self) -> None:
        self.make_friends()
        app = self.open_alice()
        port = self.office.port
        self.stop_office(self.office)
        line = self.main(app).status.text
        self.until(lambda: "Reconnecting" in str(line.cget("text")), "the line", 30)
        self.write(app, "written while the server was away")
        self.until(lambda: "1 message waiting" in str(line.cget("text")), "the line", 30)
        self.office = self.start_office(port)
        self.main(app).status.now.invoke()
        self.until(lambda: self.statuses(app) == ["stored"], "the tick", 40)
        self.until(lambda: line.cget("text") == "Connected", "the line", 30)

    def test_the_code_that_the_other_one_copies_verifies(self) -> None:
        self.make_friends()
        bob = self.people[1]
        with Client(self.office.address, bob.folder, pin=self.office.pin) as other:
            other.log_in(bob.name, bob.password)
            theirs = other.safety("alice")
        app = self.open_alice()
        sheet = self.main(app).sheets.open_safety()
        self.until(lambda: sheet.known, "the number", 30)
        self.assertEqual("".join(sheet.number.cget("text").split()), theirs.number)
        sheet.theirs.value = theirs.code
        sheet.compare.invoke()
        header = self.main(app).header.below
        self.until(lambda: "Verified" in str(header.cget("text")), "the shield", 30)
        self.assertIn("The same", sheet.theirs.note.cget("text"))
        sheet.close()

    def test_history_can_be_read_without_a_server(self) -> None:
        self.make_friends()
        app = self.open_alice()
        self.write(app, "remember this")
        self.until(lambda: self.statuses(app) == ["stored"], "the tick", 30)
        app.close()
        self.apps.clear()
        self.stop_office(self.office)
        app = self.open_alice()
        self.until(lambda: "remember this" in self.shown(app), "the history", 30)
        self.assertIsNot(self.main(app).client.state, ConnectionState.CONNECTED)


class RealStartTest(RealTest):
    """The start window and a real server."""

    def create(self, app: App, username: str, password: str) -> None:
        """Fill in the tab for a new account and press Enter."""
        start = self.start(app)
        start.tabs.choose(1)
        tab = start.create
        tab.username.value = username
        tab.password.value = tab.again.value = password
        tab.again.entry.focus_force()
        tab.again.entry.event_generate("<Return>")

    def test_an_account_is_created_after_the_certificate_was_trusted(self) -> None:
        app = self.open_real()
        self.create(app, "alice", "correct horse battery")
        page = self.start(app).certificate
        self.until(lambda: page.winfo_ismapped(), "the question", 30)
        self.assertEqual(page.shown.get().replace(" ", ""), self.office.pin)
        page.trust.invoke()
        self.until(lambda: app.main is not None, "the main window", 30)
        window = self.main(app)
        asked = window.sheets.change_password()
        for field, text in zip(
            asked.fields(), ("correct horse battery", *["a new password"] * 2), strict=True
        ):
            field.value = text
        asked.submit()
        said = window.status.said
        self.until(lambda: "has been changed" in str(said.cget("text")), "the change", 30)
        app.log_out()
        start = self.start(app)
        start.log_in.password.value = "correct horse battery"
        start.submit()
        self.until(lambda: start.log_in.password.error, "the refusal", 30)
        start.log_in.password.value = "a new password"
        start.submit()
        self.until(lambda: app.main is not None, "the main window", 30)

    def test_a_changed_certificate_is_refused_and_said_at_the_server(self) -> None:
        self.make_friends()
        port = self.office.port
        self.stop_office(self.office)
        self.office = self.start_office(port, data="another")
        alice = self.people[0]
        shutil.rmtree(alice.folder)
        other_pin = "A" * 43
        app = self.open_real(pin=other_pin)
        start = self.start(app)
        start.log_in.username.value, start.log_in.password.value = alice.name, alice.password
        start.submit()
        self.until(lambda: start.server.error, "the sentence", 30)
        self.assertIsNone(app.main)

    def test_a_server_that_is_not_there_is_said_at_the_server(self) -> None:
        self.stop_office(self.office)
        app = self.open_real(username="alice", password="correct horse", pin=self.office.pin)
        self.until(lambda: self.start(app).server.error, "the sentence", 30)


class DemoTest(unittest.TestCase):
    """``run.py demo``."""

    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="bpost-demo-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_demo(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """Start the demo with a temporary folder of ours."""
        import os

        environment = {**os.environ, "TMPDIR": self.folder, "PYTHONPATH": str(ROOT), **more}
        return subprocess.Popen(
            [sys.executable, "-m", "client_tk.demo", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )

    def left(self) -> list[Path]:
        """Return what is left in the temporary folder."""
        return list(Path(self.folder).glob("bpost-demo-*"))

    def test_without_a_display_two_headless_clients_talk(self) -> None:
        process = self.run_demo(DISPLAY="")
        said, _ = process.communicate(timeout=patience(60))
        self.assertEqual(process.returncode, 0, said)
        self.assertIn("no display", said)
        for _, text in demo.LETTERS:
            self.assertIn(text, said)
        self.assertEqual(self.left(), [])

    def test_both_windows_open_and_a_signal_ends_everything(self) -> None:
        require_display()
        process = self.run_demo()
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        self.assertTrue(any("Two windows are open" in line for line in lines))
        folder = self.left()[0]
        deadline = time.monotonic() + patience(30)
        while list(folder.glob("*.password")) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(list(folder.glob("*.password")), [])
        process.terminate()
        process.communicate(timeout=patience(30))
        self.assertEqual(process.returncode, 143)
        self.assertEqual(self.left(), [])


if __name__ == "__main__":
    unittest.main()
