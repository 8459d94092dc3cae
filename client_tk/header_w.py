"""Above the messages: who the other person is, and what one has to know about them."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from dataclasses import dataclass

from bpost.client import Contact
from client_tk import words
from client_tk.pictures import Pictures
from client_tk.theme import DISCS, Look
from client_tk.widgets import Button, Canvas, Frame, IconButton, Label, Menu, Wrapped


@dataclass(frozen=True)
class Person:
    """The other person of a conversation, as the header shows them."""

    name: str
    contact: Contact | None
    notice: str = ""
    own: bool = False

    @property
    def line(self) -> tuple[str, str, str]:
        """Return the icon, the sentence below the name, and its style."""
        contact = self.contact
        if self.own:
            return "person", "What happens on your devices", "Muted"
        if contact is not None and contact.key_changed:
            return "shield-exclamation", "The key has changed", "Warning"
        if contact is not None and contact.verified:
            return "shield-check", "Verified · sealed end to end", "Good"
        if contact is not None and contact.has_key:
            return "shield-lock", "Sealed end to end", "Muted"
        if contact is None or not contact.listed:
            return "shield", "Not in your contacts", "Muted"
        return "shield", "No key yet: the first message waits for it", "Muted"

    @property
    def may_write(self) -> bool:
        """Whether one can write to this person."""
        contact = self.contact
        return not self.own and contact is not None and contact.listed and not contact.blocked


class Header(Frame):
    """Picture, name, shield, and a menu of what can be done with the contact."""

    def __init__(self, parent: tkinter.Misc, look: Look, pictures: Pictures) -> None:
        super().__init__(parent)
        self.look = look
        self.pictures = pictures
        self.person = Person("", None)
        self.ask_safety: Callable[[], object] = lambda: None
        self.ask_change: Callable[[str], object] = lambda _: None
        self.face = Canvas(self, highlightthickness=0)
        self.face.pack(side="left", padx=(look.px(20), look.px(12)), pady=look.px(10))
        words_ = Frame(self)
        words_.pack(side="left", fill="x", expand=True)
        self.name = Label(words_, text="", font=look.fonts["name"])
        self.name.pack(anchor="w")
        self.below = Label(words_, text="", font=look.fonts["small"], compound="left")
        self.below.pack(anchor="w")
        self.menu_button = IconButton(
            self, look, "three-dots-vertical", "More about this contact", self.open_menu
        )
        self.menu_button.pack(side="right", padx=(0, look.px(14)))
        self.safety = IconButton(
            self, look, "shield-lock", "Compare safety numbers", lambda: self.ask_safety()
        )
        self.safety.pack(side="right", padx=(0, look.px(4)))
        self.menu_button.lift()  # Tab comes to it after the safety number
        self._menu = Menu(self, tearoff=False)
        look.follow(self.restyle)
        self.bind("<Destroy>", lambda _: look.forget(self.restyle), add="+")

    def show_person(self, person: Person) -> None:
        """Show somebody."""
        self.person = person
        if person.own:
            self.safety.pack_forget()
        else:
            self.safety.pack(side="right", padx=(0, self.look.px(4)), after=self.menu_button)
        self.restyle()

    def restyle(self) -> None:
        """Draw everything anew."""
        icon, sentence, style = self.person.line
        palette = self.look.palette
        tint = {"Warning": palette.warning, "Good": palette.good}.get(style, palette.muted)
        image = self.look.icon(icon, 13, tint)
        self.name.configure(text=words.OWN if self.person.own else self.person.name)
        self.below.configure(text=f" {sentence}", style=f"{style}.TLabel", image=image)
        size = self.look.text_px(38)
        self.face.configure(width=size, height=size, background=palette.background)
        self.face.delete("all")
        if self.person.name:
            color = DISCS[words.color_number(self.person.name, len(DISCS))]
            self.face.create_image(0, 0, image=self.pictures.disc(size, color), anchor="nw")
            self.face.create_text(
                size // 2,
                size // 2,
                text=words.initials(self.person.name),
                font=self.look.fonts["name"],
                fill="#ffffff",
            )

    def open_menu(self) -> Menu:
        """Open the menu below its button."""
        menu = self._menu
        menu.delete(0, "end")
        if not self.person.own:
            self._add_changes(menu)
        menu.add_command(label="Export as a page …", command=lambda: self.ask_change("html"))
        menu.add_command(label="Export as JSON …", command=lambda: self.ask_change("json"))
        button = self.menu_button
        menu.tk_popup(button.winfo_rootx(), button.winfo_rooty() + button.winfo_height())
        return menu

    def _add_changes(self, menu: Menu) -> None:
        """Add what can be done with the other person."""
        contact = self.person.contact
        menu.add_command(label="Compare safety numbers …", command=self.ask_safety)
        menu.add_separator()
        if contact is None or not contact.listed:
            menu.add_command(label="Add to contacts", command=lambda: self.ask_change("add"))
        else:
            menu.add_command(
                label="Remove from contacts", command=lambda: self.ask_change("remove")
            )
        blocked = contact is not None and contact.blocked
        menu.add_command(
            label="Unblock" if blocked else "Block",
            command=lambda: self.ask_change("unblock" if blocked else "block"),
        )
        menu.add_separator()


class Banner(Frame):
    """A sentence between header and messages, with the buttons that answer it."""

    def __init__(self, parent: tkinter.Misc, look: Look) -> None:
        super().__init__(parent, style="Notice.TFrame", padding=(look.px(20), look.px(10)))
        self.look = look
        self.act: Callable[[str], object] = lambda _: None
        self.text = Wrapped(self, text="", style="Notice.TLabel")
        self.buttons = Frame(self, style="Notice.TFrame")
        # Before the text, so that where there is little room it is the text that wraps.
        self.buttons.pack(side="right", padx=(look.px(12), 0))
        self.text.pack(side="left", fill="x", expand=True)
        self.shown: tuple[str, tuple[tuple[str, str], ...]] = ("", ())

    def show_person(self, person: Person) -> bool:
        """Show what has to be known of somebody; tell whether there is anything."""
        sentence, answers = what_to_know(person)
        if (sentence, answers) == self.shown:
            return bool(sentence)
        self.shown = (sentence, answers)
        self.text.configure(text=sentence)
        for button in self.buttons.winfo_children():
            button.destroy()
        for number, (label, action) in enumerate(answers):
            style = "primary" if number == 0 else "neutral"
            button = Button(
                self.buttons,
                text=label,
                bootstyle=style,
                command=lambda action=action: self.act(action),
            )
            button.pack(side="left", padx=(self.look.px(8) if number else 0, 0))
        return bool(sentence)


def what_to_know(person: Person) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return what has to be known of somebody, and the answers: label and action."""
    name, contact = person.name, person.contact
    if person.own:
        return "", ()
    if contact is not None and contact.was_verified:
        return (
            f"You had verified {name}, and now their key has changed. Perhaps they began anew; "
            "perhaps somebody is between you. Your messages are held until you verify the new key.",
            (("Verify …", "safety"),),
        )
    if contact is not None and contact.key_changed:
        return (
            f"The key of {name} has changed. Perhaps they began anew; perhaps somebody is between "
            "you. Your messages are held until you have looked.",
            (("Compare numbers", "safety"), ("Continue", "trust")),
        )
    if contact is not None and contact.blocked:
        return f"You have blocked {name}. They are not told.", (("Unblock", "unblock"),)
    if contact is None or not contact.listed:
        return (
            f"{name} is not in your contacts. Add them to answer.",
            (("Add", "add"), ("Block", "block")),
        )
    if person.notice:
        return person.notice, (("Understood", "dismiss"),)
    return "", ()
