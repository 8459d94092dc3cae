"""What the window remembers between two starts: no secret, no message, no name of a contact."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from bpost.errors import ProfileError

FILE = "window.json"
APPEARANCES = ("system", "light", "dark")


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
    if settings.appearance not in APPEARANCES:
        settings.appearance = "system"
    return settings
