"""What the window remembers between two starts: no secret, no message, no name of a contact."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from bpost.errors import ProfileError

FILE = "window.json"
APPEARANCES = ("system", "light", "dark")
LOCK_MINUTES = (0, 1, 5, 15, 60)
PORTABLE = ("appearance", "lock_minutes")


@dataclass
class Settings:
    """The settings of the window; `save` writes them."""

    folder: Path | None = None
    server: str = ""
    username: str = ""
    appearance: str = "system"
    zoom: int = 100
    geometry: str = ""
    side: int = 0  # the width of the list of conversations in pixels
    pins: dict[str, str] = field(default_factory=dict)  # of the servers that were trusted
    lock_minutes: int = 0  # without a key or a mouse until it locks; 0 is never

    def portable(self) -> dict[str, object]:
        """Return what makes sense on another computer too: a backup holds it."""
        return {name: getattr(self, name) for name in PORTABLE}

    def take_over(self, kept: Mapping[str, object]) -> None:
        """Take over what `portable` returned, on this computer or another one."""
        for name in PORTABLE:
            if type(kept.get(name)) is type(getattr(self, name)):
                setattr(self, name, kept[name])
        self.mend()

    def mend(self) -> None:
        """Replace what makes no sense by its default."""
        if self.appearance not in APPEARANCES:
            self.appearance = "system"
        if self.lock_minutes not in LOCK_MINUTES:
            self.lock_minutes = 0

    def save(self) -> None:
        """Write the settings, whole or not at all.

        Raises:
            ProfileError: the folder cannot be written to.
        """
        if self.folder is None:
            return
        kept = {name: value for name, value in asdict(self).items() if name != "folder"}
        path = self.folder / FILE
        fresh = path.with_suffix(".new")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with os.fdopen(os.open(fresh, flags, 0o600), "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=1)
            os.replace(fresh, path)
        except OSError as error:
            raise ProfileError(
                f"The settings could not be written to {path}: {error.strerror}. "
                "They are kept until the window is closed."
            ) from None


def load(folder: Path) -> Settings:
    """Read the settings of ``folder``; what is missing or makes no sense keeps its default."""
    settings = Settings(folder=folder)
    try:
        kept = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return settings
    if not isinstance(kept, dict):
        return settings
    for one in fields(Settings):
        value, default = kept.get(one.name), getattr(settings, one.name)
        if one.name != "folder" and type(value) is type(default):
            setattr(settings, one.name, value)
    settings.pins = {place: pin for place, pin in settings.pins.items() if isinstance(pin, str)}
    settings.mend()
    return settings
