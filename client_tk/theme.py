"""How the window looks: colours, fonts, sizes and icons, light and dark.

One `Look` belongs to the one root window. Everything that draws asks it: ``px`` turns the sizes
of the design, made for a screen of 96 dots an inch, into pixels of this screen; ``palette`` holds
the colours that ttkbootstrap does not know; ``fonts`` holds named fonts, so a change of the text
size reaches every widget at once.
"""

from __future__ import annotations

import os
import tkinter
from collections.abc import Callable
from dataclasses import dataclass, replace
from tkinter import font as tkfont
from typing import Literal

import ttkbootstrap

FAMILIES = (
    "Segoe UI",
    "SF Pro Text",
    "Helvetica Neue",
    "Inter",
    "Cantarell",
    "Ubuntu",
    "Noto Sans",
    "Roboto",
    "Open Sans",
    "DejaVu Sans",
)
# Role: size in pixels at 100 %, weight.
FONTS: dict[str, tuple[int, Literal["normal", "bold"]]] = {
    "body": (14, "normal"),
    "small": (12, "normal"),
    "tiny": (11, "normal"),
    "name": (14, "bold"),
    "badge": (11, "bold"),
    "title": (18, "bold"),
    "huge": (26, "bold"),
    "mono": (12, "normal"),
    "digits": (18, "normal"),
}
TK_FONTS = ("TkDefaultFont", "TkTextFont", "TkMenuFont", "TkHeadingFont", "TkIconFont")
ZOOMS = (80, 90, 100, 110, 125, 150, 175, 200)
UNSCALED = 4 / 3  # what "tk scaling" is on a screen of 96 dots an inch


@dataclass(frozen=True)
class Palette:
    """The colours of one mode, beside those of the theme of the same name."""

    mode: str
    background: str
    side: str
    line: str
    edge: str
    text: str
    muted: str
    accent: str
    on_accent: str
    hover: str
    chosen: str
    own: str
    own_meta: str
    other: str
    other_meta: str
    read: str
    danger: str
    warning: str
    notice: str
    good: str


LIGHT = Palette(
    mode="light",
    background="#ffffff",
    side="#f5f6f8",
    line="#e3e6ea",
    edge="#b9c0ca",
    text="#1d2129",
    muted="#646c78",
    accent="#265dba",
    on_accent="#ffffff",
    hover="#ebedf1",
    chosen="#dce8fa",
    own="#dbe9fd",
    own_meta="#52678a",
    other="#f0f2f5",
    other_meta="#6b7380",
    read="#1f7ae0",
    danger="#b93a3e",
    warning="#9a5b00",
    notice="#fdf3dc",
    good="#1d8557",
)
DARK = Palette(
    mode="dark",
    background="#16181d",
    side="#1c1f25",
    line="#2b2f37",
    edge="#4a505c",
    text="#e6e8ec",
    muted="#9aa2ae",
    accent="#6aa1f8",
    on_accent="#0d1524",
    hover="#252932",
    chosen="#26364f",
    own="#22456f",
    own_meta="#a5bcdb",
    other="#272b33",
    other_meta="#99a1ad",
    read="#6fb6ff",
    danger="#f0787c",
    warning="#e5ae55",
    notice="#3a3220",
    good="#4fc08d",
)
PALETTES = {"light": LIGHT, "dark": DARK}
# Discs behind initials; white letters read well on all of them, in both modes.
DISCS = (
    "#4b6fb5",
    "#3b8583",
    "#7a62b3",
    "#b0607f",
    "#a8693a",
    "#5d8046",
    "#5c7690",
    "#a25656",
)


def _theme() -> ttkbootstrap.Theme:
    """Return our family of ttkbootstrap themes, `bpost-light` and `bpost-dark`."""
    return ttkbootstrap.Theme(
        name="bpost",
        primary="#2f74e8",
        success="#25a56d",
        info="#2f74e8",
        warning="#d9952b",
        danger="#e5484d",
        neutral="#a6aeba",
        light={"background": LIGHT.background, "foreground": LIGHT.text},
        dark={"background": DARK.background, "foreground": DARK.text},
    )


def make_root(title: str, mode: str, scale: float | None = None) -> ttkbootstrap.App:
    """Open the one root window, ``light`` or ``dark``, hidden until the caller shows it.

    ``scale`` is 1 for 96 dots an inch; None takes what the screen says.
    """
    scaling = None if scale is None else UNSCALED * scale
    _theme().register()
    root = ttkbootstrap.App(title=title, theme=f"bpost-{mode}", iconphoto=None, scaling=scaling)
    root.withdraw()
    raw = float(root.tk.call("tk", "scaling")) / UNSCALED
    nearest = round(raw * 4) / 4
    if abs(raw - nearest) < 0.06:
        root.tk.call("tk", "scaling", nearest * UNSCALED)
    return root


class Look:
    """The look of the window: mode, text size, and what follows from them.

    ``version`` grows with each change; who caches pictures or sizes compares it.
    """

    def __init__(self, root: ttkbootstrap.App, mode: str = "light", zoom: int = 100) -> None:
        self.root = root
        self.scale = float(root.tk.call("tk", "scaling")) / UNSCALED
        self.zoom = zoom if zoom in ZOOMS else 100
        self.palette = PALETTES[mode]
        self.version = 0
        self.fonts: dict[str, tkfont.Font] = {}
        self._followers: list[Callable[[], None]] = []
        self._make_fonts()
        self.use(mode)

    def px(self, size: float) -> int:
        """Return ``size``, made for 96 dots an inch, in pixels of this screen."""
        return max(1, round(size * self.scale)) if size else 0

    def text_px(self, size: float) -> int:
        """Return a size that grows with the text, in pixels of this screen."""
        return max(1, round(size * self.scale * self.zoom / 100))

    def use(self, mode: str) -> None:
        """Draw everything in ``light`` or ``dark`` from now on."""
        if self.root.style.theme_use() != f"bpost-{mode}":
            self.root.style.theme_use(f"bpost-{mode}")
        ttkbootstrap.Frame(self.root, bootstyle="@chrome").destroy()  # makes its style
        side = str(self.root.style.lookup("@chrome.TFrame", "background"))
        self.palette = replace(PALETTES[mode], side=side)
        self._make_styles()
        self._changed()

    def enlarge(self, steps: int) -> None:
        """Make the text larger or smaller by ``steps`` of the scale; 0 goes back to 100 %."""
        place = ZOOMS.index(self.zoom) + steps
        self.zoom = ZOOMS[max(0, min(place, len(ZOOMS) - 1))] if steps else 100
        self._size_fonts()
        self._make_styles()
        self._changed()

    def follow(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` after each change, as long as the window lives."""
        self._followers.append(callback)

    def forget(self, callback: Callable[[], None]) -> None:
        """Take back `follow`."""
        if callback in self._followers:
            self._followers.remove(callback)

    def icon(self, name: str, size: float = 16, color: str | None = None) -> str:
        """Return the Tk image of a Bootstrap icon."""
        logical = round(size * self.zoom / 100)
        return str(ttkbootstrap.Icon(name, size=logical, color=color or self.palette.text))

    def _changed(self) -> None:
        self.version += 1
        for callback in list(self._followers):
            callback()

    def _make_fonts(self) -> None:
        family = self._family()
        fixed = str(tkfont.nametofont("TkFixedFont", root=self.root).actual("family"))
        for role, (_, weight) in FONTS.items():
            own = fixed if role in ("mono", "digits") else family
            self.fonts[role] = tkfont.Font(
                root=self.root, name=f"BPost.{role}", family=own, size=-12, weight=weight
            )
        for name in TK_FONTS:
            tkfont.nametofont(name, root=self.root).configure(family=family)
        self._size_fonts()

    def _family(self) -> str:
        """Return the first family of our list that this machine has."""
        wanted = os.environ.get("BPOST_FONT")
        present = set(tkfont.families(self.root))
        for family in (wanted, *FAMILIES):
            if family and family in present:
                return family
        return str(tkfont.nametofont("TkDefaultFont", root=self.root).actual("family"))

    def _size_fonts(self) -> None:
        # Negative sizes are pixels: points would be whole numbers, too coarse for small steps.
        for role, (size, _) in FONTS.items():
            self.fonts[role].configure(size=-self.text_px(size))
        for name in TK_FONTS:
            font = tkfont.nametofont(name, root=self.root)
            font.configure(size=-self.text_px(14), weight="normal")

    def _make_styles(self) -> None:
        """Set what ttkbootstrap leaves to the application."""
        style, palette = self.root.style, self.palette
        self.root.configure(background=palette.background)
        style.configure("TButton", padding=(self.px(14), self.px(7)))
        style.configure("TEntry", padding=(self.px(9), self.px(7)))
        for name, colors in {
            "Side": (palette.side, palette.text),
            "Notice": (palette.notice, palette.text),
        }.items():
            style.configure(f"{name}.TFrame", background=colors[0])
            style.configure(f"{name}.TLabel", background=colors[0], foreground=colors[1])
        for name, color in {
            "Muted": palette.muted,
            "Danger": palette.danger,
            "Warning": palette.warning,
            "Good": palette.good,
        }.items():
            style.configure(f"{name}.TLabel", foreground=color, background=palette.background)
            style.configure(f"{name}Side.TLabel", foreground=color, background=palette.side)
        style.configure("Line.TFrame", background=palette.line)
        style.configure("Edge.TFrame", background=palette.edge)
        style.configure("Sash", sashthickness=self.px(5), gripcount=0)
        style.configure("Horizontal.TPanedwindow", background=palette.side)
        inside = style.lookup("TEntry", "fieldbackground")
        style.configure("Input.TLabel", background=inside, foreground=palette.muted)


def destroyed(widget: tkinter.Misc) -> bool:
    """Tell whether a widget is gone, even when the whole window is."""
    try:
        return not widget.winfo_exists()
    except tkinter.TclError:
        return True
