"""What the controller asks of the main window, and all that it knows of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class View(Protocol):
    """What the main window offers the controller."""

    def show_list(self) -> None:
        """Show the conversations anew."""

    def show_conversation(self) -> None:
        """Show another conversation."""

    def show_person(self) -> None:
        """Show anew what is known of the other person."""

    def show_handover(self) -> None:
        """Show anew what other devices ask for, or send."""

    def lines_changed(self) -> None:
        """Show the lines of the timeline anew."""

    def line_added(self, own: bool) -> None:
        """Show a line that has been added to the timeline."""

    def show_connection(self) -> None:
        """Show anew where the connection stands."""

    def say(self, sentence: str, alarming: bool = False) -> None:
        """Show a sentence for a while."""

    def focus_composer(self) -> None:
        """Put the focus where one writes."""

    def give_back(self, text: str, sentence: str) -> None:
        """Put a text that was not sent back into the composer, and say why."""

    def signed_out(self, sentence: str) -> None:
        """Leave the main window: the account is logged in no more."""

    def looking(self) -> bool:
        """Tell whether somebody looks at the window."""

    def later(self, milliseconds: int, action: Callable[[], object]) -> None:
        """Do something later, in the Tk thread."""
