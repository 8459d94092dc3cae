"""The start window: which server, who, and the password."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from dataclasses import replace

from bpost.errors import BPostError
from client_tk import account
from client_tk.account import Attempt, Complaint
from client_tk.certificate_w import CertificatePage
from client_tk.credentials_w import CreateTab, LogInTab
from client_tk.fields import Field
from client_tk.link_w import NumberPage
from client_tk.pictures import Pictures
from client_tk.reset_w import ResetSheet
from client_tk.restore_w import Restore, RestoreSheet
from client_tk.scrolled import Scrolled
from client_tk.theme import Look
from client_tk.widgets import (
    Button,
    Frame,
    Label,
    Progressbar,
    TabBar,
    Timers,
    Wrapped,
)

WIDTH = 400
PATIENT_AFTER = 4000  # milliseconds until it says that it waits for the server


class StartWindow(Frame):
    """Asks for all that an `Attempt` needs, and shows what became of it.

    ``on_attempt`` gets each attempt; `complain` or `ask_trust` answer it, unless it succeeds.
    """

    def __init__(self, parent: tkinter.Misc, look: Look, pictures: Pictures) -> None:
        super().__init__(parent)
        self.look = look
        self.on_attempt: Callable[[Attempt], object] = lambda _: None
        self.on_cancel: Callable[[], object] = lambda: None
        self.on_restore: Restore = lambda *_: None
        self.trying = False
        self._last: Attempt | None = None
        self.scroll = Scrolled(self, padding=look.px(12))
        self.scroll.pack(fill="both", expand=True)
        self.above = Frame(self.scroll)
        self.above.pack()
        self.card = Frame(self.scroll)
        self.card.pack()
        Frame(self.card, width=look.text_px(WIDTH)).pack()
        self.bind("<Configure>", lambda _: self._center(), add="+")
        self._draw_head(pictures)
        self.form = Frame(self.card)
        self.form.pack(fill="x")
        self.certificate = CertificatePage(self.card, look)
        self.number = NumberPage(self.card, look)
        self._draw_form()
        self._bind_fields()

    def _center(self) -> None:
        """Leave a little more room below the card than above it; scroll only if it is too low."""
        self.update_idletasks()
        room = self.winfo_height() - self.card.winfo_reqheight() - self.look.px(30)
        self.scroll.show_bar(room < 0)
        self.above.configure(height=max(self.look.px(12), min(room // 3, self.look.px(90))))

    def _draw_head(self, pictures: Pictures) -> None:
        look = self.look
        head = Frame(self.card)
        head.pack(anchor="w", pady=(0, look.px(24)))
        self._icon = pictures.program(look.px(54))
        Label(head, image=self._icon).pack(side="left", padx=(0, look.px(14)))
        Label(head, text="BPost", font=look.fonts["huge"]).pack(anchor="w")
        Label(head, text="Letters that only the two of you can read", style="Muted.TLabel").pack()

    def _draw_form(self) -> None:
        look = self.look
        hint = "host:port, or the invite link that you were given"
        self.server = Field(self.form, look, "Server", hint=hint)
        self.server.pack(fill="x", pady=(0, look.px(10)))
        self.tabs = TabBar(self.form, look, ("Log in", "Create account"), self._tab_changed)
        self.tabs.pack(fill="x", pady=(look.px(2), look.px(14)))
        self.pages = Frame(self.form)
        self.pages.pack(fill="x")
        self.log_in = LogInTab(self.pages, look)
        self.create = CreateTab(self.pages, look)
        self.log_in.pack(fill="x")
        self.general = Wrapped(self.form, text="", style="Danger.TLabel", font=look.fonts["small"])
        self.general.pack(fill="x", pady=(look.px(6), 0))
        self.anew = Button(
            self.form, text="Begin anew …", bootstyle="neutral", command=self.open_reset
        )
        self.again = Button(
            self.form,
            text="Log in with a new profile",
            bootstyle="neutral",
            command=lambda: self.submit(again=True),
        )
        # What can be done about a complaint, by its place.
        self.offers = {"lost": self.anew, "lost code": self.anew, "removed": self.again}
        foot = Frame(self.form)
        foot.pack(fill="x", pady=(look.px(8), 0))
        self.button = Button(foot, text="Log in", bootstyle="primary", command=self.submit)
        self.button.pack(fill="x")
        self.progress = ProgressLine(foot, look, self.cancel)
        self.restore = Button(
            self.form, text="Restore a backup …", bootstyle="link", command=self.open_restore
        )
        self.restore.pack(pady=(look.px(6), 0))

    def _bind_fields(self) -> None:
        """Let Enter submit from every field, and let a low window follow the focus."""
        for field in (*self.fields(), self.log_in.code):
            field.entry.bind("<Return>", lambda _: self.submit())
            field.entry.bind("<KP_Enter>", lambda _: self.submit())
            field.entry.bind("<FocusIn>", lambda event: self.scroll.reveal(event.widget), add="+")

    def fields(self) -> list[Field]:
        """Return all fields, in their order."""
        tabs = (self.log_in, self.create)
        return [self.server, *(field for tab in tabs for field in tab.fields())]

    @property
    def creating(self) -> bool:
        """Whether the tab for a new account is shown."""
        return self.tabs.chosen == 1

    def _tab_changed(self) -> None:
        if self.creating:
            self.log_in.pack_forget()
            self.create.pack(fill="x")
        else:
            self.create.pack_forget()
            self.log_in.pack(fill="x")
        self.button.configure(text="Create account" if self.creating else "Log in")
        self.general.configure(text="")
        self._center()

    def focus_first(self) -> None:
        """Put the focus into the first field that is still empty."""
        tab = self.create if self.creating else self.log_in
        empty = [field for field in (self.server, *tab.fields()) if not field.value]
        (empty or [tab.fields()[-1]])[0].entry.focus_set()

    def fill(self, server: str, username: str) -> None:
        """Put in what was remembered."""
        self.server.value = server
        self.log_in.username.value = username
        self.focus_first()

    def open_restore(self) -> RestoreSheet:
        """Ask for a backup and what opens it."""
        return RestoreSheet(self, self.look, self.on_restore, self.on_cancel)

    def open_reset(self) -> ResetSheet | None:
        """Say what it means to begin the account anew, and do it if that is wanted."""
        last = self._last
        if last is None:
            return None
        again = replace(last, anew=True)
        return ResetSheet(self, self.look, last.username, lambda: self._try(again))

    # One attempt

    def submit(self, *, again: bool = False) -> None:
        """Try what the fields say, unless something is plainly wrong with them."""
        if self.trying:
            return
        for field in self.fields():
            field.clear()
        self.general.configure(text="")
        tab = self.create if self.creating else self.log_in
        complaints = [*self._server_complaints(), *tab.complaints()]
        if complaints:
            for number, one in enumerate(complaints):
                self.show_complaint(one, focus=number == 0)
            return
        self._try(
            Attempt(
                server=self.server.value.strip(),
                username=tab.username.value.strip(),
                password=tab.password.value,
                create=self.creating,
                code="" if self.creating else self.log_in.code.value.strip(),
                again=again,
            )
        )

    def _server_complaints(self) -> list[Complaint]:
        if not self.server.value.strip():
            return [Complaint("server", "Write the address of the server, or paste an invite.")]
        try:
            account.place_of(self.server.value)
        except BPostError as error:
            return [Complaint("server", str(error))]
        return []

    def _try(self, attempt: Attempt) -> None:
        self._last = attempt
        self.set_trying(True)
        self.on_attempt(attempt)

    def set_trying(self, trying: bool) -> None:
        """Show progress in place of the button, or the button."""
        self.trying = trying
        for offer in self.offers.values():
            offer.pack_forget()
        for field in self.fields():
            field.entry.state(["disabled" if trying else "!disabled"])
        self.tabs.enable(not trying)
        self.restore.state(["disabled" if trying else "!disabled"])
        if trying:
            self.button.pack_forget()
            self.progress.pack(fill="x")
            self.progress.start()
        else:
            self.progress.stop()
            self.progress.pack_forget()
            self.button.pack(fill="x")

    def cancel(self) -> None:
        """Give the attempt up."""
        if self.trying:
            self.set_trying(False)
            self.on_cancel()
            self.focus_first()

    def complain(self, complaint: Complaint) -> None:
        """Show why the attempt failed."""
        self._show_form()
        self.set_trying(False)
        self.show_complaint(complaint, focus=True)

    def ask_number(self, number: str, answer: Callable[[bool], object]) -> None:
        """Ask whether another device shows the same number, while the attempt waits."""

        def answered(same: bool) -> None:
            self._show_form()
            answer(same)

        self.form.pack_forget()
        self.number.pack(fill="x")
        self._center()
        self.number.ask(number, answered)
        self.progress.say("Say the same on your other device …")

    def _show_form(self) -> None:
        self.number.pack_forget()
        self.certificate.pack_forget()
        self.form.pack(fill="x")
        self._center()

    def show_complaint(self, complaint: Complaint, focus: bool) -> None:
        """Show a sentence at the field that it belongs to."""
        if "code" in complaint.place:
            self.log_in.show_code()
        tab = self.create if self.creating else self.log_in
        places = {"server": self.server, **tab.places()}
        field = places.get(complaint.place)
        if field is not None:
            field.fail(complaint.text, focus=focus)
        else:
            style = "TLabel" if complaint.place == "news" else "Danger.TLabel"
            self.general.configure(text=complaint.text, style=style)
        offer = self.offers.get(complaint.place)
        if offer is not None:
            offer.pack(anchor="w", pady=(self.look.px(8), 0), after=self.general)
            self._center()

    def ask_trust(self, pin: str, text: str) -> None:
        """Ask whether the certificate with this pin is to be trusted, then try again with it."""
        self.set_trying(False)
        self.form.pack_forget()
        self.certificate.pack(fill="x")
        self._center()
        server = account.plain_server(self.server.value)
        self.certificate.ask(server, pin, text, lambda trusted: self._answered(pin, trusted))

    def _answered(self, pin: str, trusted: bool) -> None:
        self._show_form()
        last = self._last
        if trusted and last is not None:
            self._try(replace(last, pin=pin))
        else:
            self.focus_first()


class ProgressLine(Frame):
    """Shows that an attempt is under way, and lets it be given up."""

    def __init__(self, parent: tkinter.Misc, look: Look, cancel: Callable[[], object]) -> None:
        super().__init__(parent)
        self.bar = Progressbar(self, mode="indeterminate", bootstyle="primary")
        self.bar.pack(fill="x", pady=(look.px(4), look.px(6)))
        self.text = Label(self, text="", style="Muted.TLabel", font=look.fonts["small"])
        self.text.pack(side="left")
        self.button = Button(self, text="Cancel", bootstyle="link", command=cancel)
        self.button.pack(side="right")
        self.button.bind("<Escape>", lambda _: cancel())
        self._timers = Timers(self)

    def start(self) -> None:
        """Begin to move."""
        self.text.configure(text="Making your key from the password …")
        self.bar.start(15)
        self._timers.set("patience", PATIENT_AFTER, self._wait)
        self.button.focus_set()

    def say(self, text: str) -> None:
        """Say what is waited for."""
        self._timers.clear("patience")
        self.text.configure(text=text)

    def stop(self) -> None:
        """Stand still."""
        self.bar.stop()
        self._timers.clear("patience")

    def _wait(self) -> None:
        self.text.configure(text="Waiting for the server …")
