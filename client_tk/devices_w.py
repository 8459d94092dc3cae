"""The devices of the account: their names, when they were last seen, and removing one."""

from __future__ import annotations

import time
import tkinter
from collections.abc import Callable, Sequence
from typing import Protocol

from bpost.client import DeviceInfo
from bpost.errors import BPostError
from client_tk import words
from client_tk.fields import Field
from client_tk.handover import HandoverDesk
from client_tk.link_w import LinkSheet
from client_tk.sheet import Sheet
from client_tk.theme import Look
from client_tk.widgets import Button, Checkbutton, Frame, Label, Separator, Wrapped

WIDTH = 520
Failed = Callable[[BPostError], object]


class Household(Protocol):
    """What the sheet asks for; answers come later, in the Tk thread."""

    def list_devices(self, done: Callable[[list[DeviceInfo]], object], failed: Failed) -> None:
        """Ask for the devices."""

    def name_device(self, name: str, done: Callable[[], object], failed: Failed) -> None:
        """Name this device."""

    def remove_device(
        self, device: str, done: Callable[[], object], failed: Failed, *, renew: bool
    ) -> None:
        """Remove another device; renew the account key with that, or not."""

    def renew_key(self, done: Callable[[], object], failed: Failed) -> None:
        """Renew the account key."""


RENEW_TEXT = (
    "If somebody may have got at one of your devices, renew your account key: what the old one "
    "signs is believed no more. Contacts follow by themselves, and one line tells them; whom you "
    "had verified, and who had verified you, is to be compared again."
)


class DevicesSheet(Sheet):
    """Lists the devices; each other one can be removed, after a second look."""

    def __init__(
        self,
        parent: tkinter.Misc,
        look: Look,
        household: Household,
        say: Callable[[str], object],
        desk: HandoverDesk,
    ) -> None:
        super().__init__(parent, look, "Devices", width=WIDTH)
        self._household = household
        self._say = say
        self._desk = desk
        text = (
            "Each of these can read and write your messages. Remove one that you have lost or do "
            "not know: it is cut off at once, and what is sent from then on is not sealed for it."
        )
        Wrapped(self.body, text=text, style="Muted.TLabel").pack(fill="x")
        self.name = Field(self.body, look, "Name of this device")
        self.name.pack(fill="x", pady=(look.px(14), 0))
        self.name.entry.bind("<Return>", lambda _: self.rename())
        self.rename_button = Button(
            self.name.line, text="Save the name", bootstyle="neutral", command=self.rename
        )
        self.rename_button.pack(side="right", padx=(look.px(8), 0))
        self.rows = Frame(self.body)
        self.rows.pack(fill="x", pady=(look.px(10), 0))
        self.removers: dict[str, Button] = {}
        self.keep: Button | None = None
        self.renewed = tkinter.BooleanVar(self, value=True)
        """Whether the account key is renewed with the removal that is being asked about."""
        self._draw_more()
        self._draw_key()
        self.done = self.add_button("Close", self.close, "primary")
        # Beside the button, where it is seen however far the list is scrolled.
        self.note = Wrapped(self.buttons, text="Looking …", style="Muted.TLabel")
        self.note.pack(side="left", fill="x", expand=True, padx=(look.px(14), 0))
        self.open(self.done)
        self.load()

    def _draw_more(self) -> None:
        """Draw what lets another device in, and what gets messages from one."""
        Separator(self.body).pack(fill="x", pady=self.look.px(6))
        row = Frame(self.body)
        row.pack(fill="x")
        self.add = Button(row, text="Add a device …", bootstyle="neutral", command=self.link)
        self.add.pack(side="left")
        self.fetch_button = Button(
            row, text="Get earlier messages", bootstyle="neutral", command=self.fetch
        )
        self.fetch_button.pack(side="left", padx=(self.look.px(8), 0))

    def _draw_key(self) -> None:
        """Draw what renews the account key."""
        look = self.look
        Separator(self.body).pack(fill="x", pady=look.px(6))
        self.key_text = Wrapped(self.body, text=RENEW_TEXT, style="Muted.TLabel")
        self.key_text.pack(fill="x")
        self.renew_button = Button(self.body, text="Renew the key …", bootstyle="neutral")
        self.renew_button.configure(command=self._ask_renew)
        self.renew_button.pack(anchor="w", pady=(look.px(8), 0))

    def load(self) -> None:
        """Ask for the devices anew."""
        self._household.list_devices(self.show, self._failed)

    def show(self, devices: Sequence[DeviceInfo]) -> None:
        """Show the devices."""
        if not self.winfo_exists():
            return
        self.note.configure(text="" if len(devices) > 1 else "You use no other device.")
        others = any(one.listed and not one.this for one in devices)
        self.fetch_button.state(["!disabled" if others else "disabled"])
        for child in self.rows.winfo_children():
            child.destroy()
        self.removers.clear()
        for device in devices:
            if device.this and not self.name.value:
                self.name.value = device.name
            self._draw(device)
        if self.focus_get() in (None, self):  # what had it was in the list as it was before
            self.done.focus_set()

    def rename(self) -> None:
        """Give this device the name that was written."""
        self.name.clear()
        self._household.name_device(self.name.value, self._renamed, self._name_failed)

    def fetch(self) -> None:
        """Ask for earlier messages; the window behind shows what comes of it."""
        self.close()
        self._desk.act("fetch")

    def link(self) -> LinkSheet:
        """Show a code for a new device, in place of this sheet."""
        parent = self.master
        self.close()
        return LinkSheet(parent, self.look, self._desk.linking)

    def _draw(self, device: DeviceInfo) -> None:
        """Draw one device, with the button that removes it."""
        look = self.look
        Separator(self.rows).pack(fill="x", pady=look.px(6))
        row = Frame(self.rows)
        row.pack(fill="x")
        told = Frame(row)
        told.pack(side="left", fill="x", expand=True)
        name = words.printable(device.name) or "A device without a name"
        Label(told, text=name, font=look.fonts["name"]).pack(anchor="w")
        about = Wrapped(told, text=_about(device), style="Muted.TLabel")
        about.pack(fill="x", anchor="w")
        if device.this:
            return
        button = Button(row, text="Remove …", bootstyle="neutral")
        button.configure(command=lambda: self._ask(device, row, button))
        button.pack(side="right", padx=(look.px(8), 0))
        self.removers[device.id] = button

    def _ask(self, device: DeviceInfo, row: Frame, button: Button) -> None:
        """Let the removal be confirmed, in the place of the button."""
        button.pack_forget()
        keep = Button(row, text="Keep", bootstyle="neutral", command=self.load)
        sure = Button(row, text="Remove for good", bootstyle="danger")
        sure.configure(command=lambda: self._remove(device, sure, keep))
        keep.pack(side="right", padx=(self.look.px(8), 0))
        sure.pack(side="right", padx=(self.look.px(8), 0))
        self.removers[device.id] = sure
        self.renewed.set(True)
        text = "Renew the account key too, which this device had"
        self.box = Checkbutton(row.master, text=text, variable=self.renewed)
        self.box.pack(anchor="w", after=row, pady=(self.look.px(4), 0))
        keep.focus_set()
        self.keep = keep

    def _remove(self, device: DeviceInfo, *buttons: Button) -> None:
        for button in buttons:
            button.state(["disabled"])
        self.note.configure(text="Removing …")
        name = device.name or "The device"

        def removed() -> None:
            self._say(f"{words.printable(name)} has been removed.")
            if self.winfo_exists():
                self.load()

        renew = self.renewed.get()
        self._household.remove_device(device.id, removed, self._failed, renew=renew)

    def _ask_renew(self) -> None:
        """Let the renewal be confirmed, by the same button."""
        self.renew_button.configure(
            text="Renew it now", bootstyle="primary", command=self._renew_key
        )

    def _renew_key(self) -> None:
        self.renew_button.state(["disabled"])
        self.note.configure(text="Renewing …")

        def renewed() -> None:
            self._say("The account key is renewed. Your other devices and contacts follow.")
            if self.winfo_exists():
                self._reset_renew()
                self.load()

        self._household.renew_key(renewed, self._failed)

    def _reset_renew(self) -> None:
        self.renew_button.state(["!disabled"])
        self.renew_button.configure(
            text="Renew the key …", bootstyle="neutral", command=self._ask_renew
        )

    def _renamed(self) -> None:
        self._say("The name is saved.")
        if self.winfo_exists():
            self.load()

    def _name_failed(self, error: BPostError) -> None:
        if self.winfo_exists():
            self.name.fail(str(error))

    def _failed(self, error: BPostError) -> None:
        if not self.winfo_exists():
            self._say(str(error))
            return
        self._reset_renew()
        self.note.configure(text=str(error))


def _about(device: DeviceInfo) -> str:
    """Say when a device came and was last seen."""
    now = time.time()
    added = f"added {words.short_time(device.added, now)}"
    if not device.listed:
        return f"Began to join and never finished: nothing is sealed for it ({added})"
    if device.this:
        return f"This device, {added}"
    return f"Last seen {words.short_time(device.last_seen, now)}, {added}"
