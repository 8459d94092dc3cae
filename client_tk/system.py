"""What the desktop prefers and can do: dark or light, how large a point is, coloured emoji.

Each question goes to the desktop's own tools with a deadline; without an answer it is light, and
what Tk thinks of the screen.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

PATIENCE = 1.0
XFT_WITH_COLORS = 20305  # version 2.3.5


def ask(*command: str) -> str:
    """Return what a program says, or an empty text if it cannot be asked."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def prefers_dark() -> bool:
    """Tell whether this desktop is set to dark windows."""
    if sys.platform == "darwin":
        return ask("defaults", "read", "-g", "AppleInterfaceStyle") == "Dark"
    if sys.platform == "win32":
        return _windows_prefers_dark()
    return _linux_prefers_dark()


def _linux_prefers_dark() -> bool:
    if "dark" in os.environ.get("GTK_THEME", "").lower():
        return True
    said = ask("gsettings", "get", "org.gnome.desktop.interface", "color-scheme")
    if said:
        return "dark" in said
    return _kde_prefers_dark()


def _kde_prefers_dark() -> bool:
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    try:
        lines = (folder / "kdeglobals").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return False
    return any(line.startswith("ColorScheme=") and "dark" in line.lower() for line in lines)


def _windows_prefers_dark() -> bool:
    path = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
    said = ask("reg", "query", path, "/v", "AppsUseLightTheme")
    return said.endswith("0x0")


def screen_scale() -> float | None:
    """Return how much larger than 96 dots an inch things are to be; None if Tk knows best.

    Under X11 Tk believes the screen's size in millimetres, which desktops leave alone when they
    are told to draw larger; they set Xft.dpi instead.
    """
    asked = os.environ.get("BPOST_SCALE")
    if asked:
        return _positive(asked)
    if not sys.platform.startswith("linux"):
        return None
    for line in ask("xrdb", "-query").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "Xft.dpi":
            dots = _positive(value)
            return dots / 96 if dots else None
    return None


def _positive(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0.5 <= number <= 1000 else None


def draws_emoji() -> bool:
    """Tell whether emoji can be drawn at all.

    libXft before 2.3.5 sends coloured glyphs that the X server refuses (BadLength), which ends the
    program: without this question, anybody could end it by sending an emoji.
    """
    if not sys.platform.startswith("linux"):
        return True
    try:
        return int(ctypes.CDLL("libXft.so.2").XftGetVersion()) >= XFT_WITH_COLORS
    except (OSError, AttributeError):
        return True  # Tk does without that library, and so without coloured glyphs
