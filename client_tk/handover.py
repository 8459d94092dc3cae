"""Earlier messages on their way to or from another device, as sentences and answers. No Tk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bpost.client import Client, HandoverInfo
from bpost.errors import BPostError
from client_tk import words
from client_tk.lanes import Lanes
from client_tk.link import LinkDesk

UNDER_WAY = ("asked", "fetching", "sending", "later")


@dataclass(frozen=True)
class Card:
    """What is to be said above the conversations, how far it is, and what can be answered.

    ``about`` tells one card from another, so that one that was put away stays away.
    """

    text: str = ""
    answers: tuple[tuple[str, str], ...] = ()
    part: float | None = None
    about: tuple[str, str, str] = ("", "", "")


NOTHING = Card()


def card_of(one: HandoverInfo) -> Card:
    """Return what to say about a handover."""
    name = f"“{words.printable(one.name)}”" if one.name else "without a name"
    part = one.count / one.total if one.total else 0.0
    so_far = f"{one.count:,} of {one.total:,}"
    about = (one.way, one.state, one.device)
    hide = (("Hide", "hide"),)
    texts: dict[tuple[str, str], tuple[str, tuple[tuple[str, str], ...], float | None]] = {
        ("give", "asked"): (
            f"Your new device {name} asks for your earlier messages. Is that you?",
            (("Send them", "give"), ("Don't", "refuse")),
            None,
        ),
        ("give", "sending"): (f"Sending your earlier messages to {name}: {so_far}", hide, part),
        ("get", "asked"): (
            "Say yes on one of your other devices: then your earlier messages come.",
            hide,
            None,
        ),
        ("get", "fetching"): (f"Getting your earlier messages: {so_far}", hide, part),
        ("get", "done"): ("Your earlier messages are here.", hide, None),
        ("get", "refused"): (
            "Your other device did not send your earlier messages: somebody there said no.",
            (("Ask again", "fetch"), ("Hide", "hide")),
            None,
        ),
        ("get", "later"): (
            f"Your earlier messages go on in a while ({so_far}): another device of yours has not "
            "read its mail for long.",
            hide,
            None,
        ),
        ("get", "gone"): (
            "The device that sent your earlier messages was removed from your account.",
            (("Ask the others", "fetch"), ("Hide", "hide")),
            None,
        ),
    }
    text, answers, part_shown = texts.get((one.way, one.state), ("", (), None))
    return Card(text, answers, part_shown, about)


OFFER = Card(
    "You are new on this device. Get your earlier messages from your other device?",
    (("Get them", "fetch"), ("Not now", "decline")),
    about=("get", "offer", ""),
)


class HandoverDesk:
    """What the bar above the conversations asks, and where its answers go."""

    def __init__(self, client: Client, lanes: Lanes, say: Callable[[str, bool], object]) -> None:
        self._client = client
        self._lanes = lanes
        self._say = say
        self.linking = LinkDesk(client, lanes)
        self._put_away: set[tuple[str, str, str]] = set()
        self._seen: set[str] = set()
        self.show: Callable[[Card], object] = lambda _: None
        self.card = NOTHING

    def load(self) -> None:
        """Look what there is, and show it."""
        self._lanes.quick(self._read, self._loaded, self._failed)

    def _read(self) -> tuple[bool, Sequence[HandoverInfo]]:
        return self._client.history_offered, self._client.handovers()

    def _loaded(self, found: tuple[bool, Sequence[HandoverInfo]]) -> None:
        offered, handovers = found
        self._seen |= {one.device for one in handovers if one.state in UNDER_WAY}
        cards = [card_of(one) for one in handovers if one.device in self._seen]
        cards += [OFFER] if offered else []
        open_ = [card for card in cards if card.text and card.about not in self._put_away]
        questions = [card for card in open_ if card.about[:2] == ("give", "asked")]
        self.card = next(iter([*questions, *open_]), NOTHING)
        self.show(self.card)

    def act(self, action: str) -> None:
        """Do what a button says."""
        device = self.card.about[2]
        said = ""
        if action == "hide":
            self._put_away.add(self.card.about)
            self.load()
            return
        if action == "give":
            said = "Your earlier messages are on their way to that device."
        if action == "refuse":
            said = "Nothing was sent. Remove that device under Settings, Devices, if it is not you."
        work: dict[str, Callable[[], object]] = {
            "give": lambda: self._client.give_history(device),
            "refuse": lambda: self._client.give_history(device, yes=False),
            "fetch": self._client.fetch_history,
            "decline": self._client.decline_history,
        }

        def done(_: object) -> None:
            if said:
                self._say(said, False)
            self.load()

        self._put_away.clear()
        self._lanes.quick(work[action], done, self._failed)

    def _failed(self, error: BPostError) -> None:
        self._say(str(error), True)
