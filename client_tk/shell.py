"""What the main window needs of the program around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from client_tk.lanes import Lanes
from client_tk.pictures import Pictures
from client_tk.settings import Settings
from client_tk.theme import Look


@dataclass
class Shell:
    """The program, as one main window sees it."""

    look: Look
    pictures: Pictures
    lanes: Lanes
    settings: Settings
    server: str
    log_out: Callable[[str], object]
    lock: Callable[[], object]
    lock_after: Callable[[int], object]
    choose_appearance: Callable[[str], object]
    enlarge: Callable[[int], object]
    set_title: Callable[[str, int], object]
