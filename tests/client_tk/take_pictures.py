"""Take the pictures of the README: ``python -m tests.client_tk.take_pictures``.

They show real windows with an account of the simulated client library in it. Needs ImageMagick.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from bpost.client import Contact
from client_tk.app import App
from tests.client_tk.gui import GuiTest
from tests.client_tk.simulator import SimulatedClient

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
HOUR, DAY = 3600, 24 * 3600


def an_account(client: SimulatedClient) -> None:
    """Let there be the conversations of an ordinary week."""
    now = time.time()
    evening = now - now % DAY - 3 * HOUR

    def say(name: str, text: str, sent: float, status: str = "") -> None:
        client.put(name, text, own=bool(status), status=status or "received", sent=sent, quiet=True)

    for name in ("bob", "carol", "dave.miller", "erin", "frank"):
        client.know(Contact(name=name, added=0, has_key=True, verified=name == "bob"))
    say("frank", "The boat is back in the water", evening - 4 * DAY)
    say("erin", "Happy birthday!", evening - 2 * DAY, "read")
    say("erin", "Thank you, that is kind of you", evening - 2 * DAY + 600)
    say("dave.miller", "Minutes are on their way", evening - 2 * HOUR, "delivered")
    client.seen("frank")
    client.seen("erin")
    say("bob", "I found the old post office on the map. It is by the harbour now.", evening)
    say("bob", "The one with the yellow door?", evening + 90, "read")
    say("bob", "That one. They still stamp everything by hand.", evening + 200)
    say("bob", "Good morning! Shall we go and look?", now - 1800, "read")
    say("bob", "Yes. I will bring the letters, and you bring the stamps.", now - 1500)
    say("bob", "The large ones need two, I have weighed them.", now - 1480)
    say("bob", "Two it is. See you at ten, by the yellow door.", now - 1200, "read")
    say("bob", "If it rains, we meet inside.", now - 1190, "delivered")
    client.seen("bob")
    say("carol", "Have you got a minute?", now - 400)
    say("carol", "It is about the garden", now - 300)


class Pictures(GuiTest):
    """The windows of the README."""

    def runTest(self) -> None:  # noqa: N802
        """Take all of them."""
        IMAGES.mkdir(parents=True, exist_ok=True)
        app = self.open_app(username="alice", geometry="860x620+0+0")
        self.start(app).log_in.password.value = "a long enough password"
        self.start(app).log_in.password.entry.focus_force()
        self.take(app, "start")
        app.close()
        self.apps.clear()
        app = self.open_main(an_account)
        self.main(app).open("bob")
        self.settle(app)
        self.take(app, "main-light")
        app.choose_appearance("dark")
        self.settle(app)
        self.take(app, "main-dark")

    def take(self, app: App, name: str) -> None:
        """Take one picture."""
        taken, kept = self.screenshot(app, name), IMAGES / f"{name}.png"
        command = ["convert", str(taken), "-strip", "-define", "png:compression-level=9", str(kept)]
        subprocess.run(command, check=True, timeout=60)


if __name__ == "__main__":
    test = Pictures()
    Pictures.setUpClass()
    print(test.run())
