"""The start window: which server, who, and the password."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from bpost.errors import BPostError
from client_tk import account, words
from client_tk.account import Attempt, Complaint
from client_tk.certificate_w import CertificatePage
from client_tk.pictures import Pictures
from client_tk.theme import Look
from client_tk.widgets import (
    Button,
    Field,
    Frame,
    Label,
    Notebook,
    PasswordField,
    Progressbar,
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
        self.trying = False
        self._last: Attempt | None = None
        self._patience: str | None = None
        self.card = Frame(self)
        self.card.place(relx=0.5, rely=0.47, anchor="center")
        Frame(self.card, width=look.text_px(WIDTH)).pack()
        self._draw_head(pictures)
        self.form = Frame(self.card)
        self.form.pack(fill="x")
        self.certificate = CertificatePage(self.card, look)
        self._draw_form()
        self.bind_all_fields()

    def _draw_head(self, pictures: Pictures) -> None:
        look = self.look
        head = Frame(self.card)
        head.pack(pady=(0, look.px(22)))
        self._icon = pictures.program(look.px(56))
        Label(head, image=self._icon).pack()
        Label(head, text="BPost", font=look.fonts["huge"]).pack(pady=(look.px(10), 0))
        Label(head, text="Letters that only the two of you can read", style="Muted.TLabel").pack()

    def _draw_form(self) -> None:
        look = self.look
        hint = "host:port, or the invite link that you were given"
        self.server = Field(self.form, look, "Server", hint=hint)
        self.server.pack(fill="x", pady=(0, look.px(10)))
        self.tabs = Notebook(self.form)
        self.tabs.pack(fill="x")
        self.tabs.enable_traversal()
        self.log_in = LogInTab(self.tabs, look)
        self.create = CreateTab(self.tabs, look)
        self.tabs.add(self.log_in, text="Log in")
        self.tabs.add(self.create, text="Create account")
        self.general = Wrapped(self.form, text="", style="Danger.TLabel", font=look.fonts["small"])
        self.general.pack(fill="x", pady=(look.px(6), 0))
        foot = Frame(self.form)
        foot.pack(fill="x", pady=(look.px(8), 0))
        self.button = Button(foot, text="Log in", bootstyle="primary", command=self.submit)
        self.button.pack(fill="x")
        self.progress = ProgressLine(foot, look, self.cancel)
        self.tabs.bind("<<NotebookTabChanged>>", lambda _: self._tab_changed())

    def bind_all_fields(self) -> None:
        """Let Enter submit from every field, and a change take the sentence away."""
        for field in self.fields():
            field.entry.bind("<Return>", lambda _: self.submit())
            field.entry.bind("<KP_Enter>", lambda _: self.submit())
            field.on_change(field.clear)
        self.create.watch()

    def fields(self) -> list[Field]:
        """Return all fields, in their order."""
        tabs = (self.log_in, self.create)
        return [self.server, *(field for tab in tabs for field in tab.fields())]

    @property
    def creating(self) -> bool:
        """Whether the tab for a new account is shown."""
        return bool(self.tabs.index("current") == 1)

    def _tab_changed(self) -> None:
        self.button.configure(text="Create account" if self.creating else "Log in")
        self.general.configure(text="")
        if not self.trying:
            self.focus_first()

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

    # One attempt

    def submit(self) -> None:
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
        for field in self.fields():
            field.entry.state(["disabled" if trying else "!disabled"])
        self.tabs.state(["disabled" if trying else "!disabled"])
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
        self.set_trying(False)
        self.show_complaint(complaint, focus=True)

    def show_complaint(self, complaint: Complaint, focus: bool) -> None:
        """Show a sentence at the field that it belongs to."""
        tab = self.create if self.creating else self.log_in
        places = {"server": self.server, **tab.places()}
        field = places.get(complaint.place)
        if field is not None:
            field.fail(complaint.text, focus=focus)
        else:
            self.general.configure(text=complaint.text)

    def ask_trust(self, pin: str, text: str) -> None:
        """Ask whether the certificate with this pin is to be trusted, then try again with it."""
        self.set_trying(False)
        self.form.pack_forget()
        self.certificate.pack(fill="x")
        server = account.plain_server(self.server.value)
        self.certificate.ask(server, pin, text, lambda trusted: self._answered(pin, trusted))

    def _answered(self, pin: str, trusted: bool) -> None:
        self.certificate.pack_forget()
        self.form.pack(fill="x")
        last = self._last
        if trusted and last is not None:
            self._try(Attempt(last.server, last.username, last.password, last.create, pin))
        else:
            self.focus_first()


class LogInTab(Frame):
    """Name and password."""

    def __init__(self, parent: tkinter.Misc, look: Look) -> None:
        super().__init__(parent, padding=(look.px(1), look.px(16), look.px(1), 0))
        self.username = Field(self, look, "Username")
        self.password = PasswordField(self, look, "Password")
        for field in self.fields():
            field.pack(fill="x", pady=(0, look.px(8)))

    def fields(self) -> list[Field]:
        """Return the fields of this tab, in their order."""
        return [self.username, self.password]

    def places(self) -> dict[str, Field]:
        """Return the fields by the names that complaints call them."""
        return {"username": self.username, "password": self.password}

    def complaints(self) -> list[Complaint]:
        """Return what is plainly wrong."""
        wrong = {
            "username": account.username_error(self.username.value.strip()),
            "password": "" if self.password.value else "Write your password.",
        }
        return [Complaint(place, text) for place, text in wrong.items() if text]


class CreateTab(Frame):
    """Name and password, the password twice."""

    def __init__(self, parent: tkinter.Misc, look: Look) -> None:
        super().__init__(parent, padding=(look.px(1), look.px(16), look.px(1), 0))
        self.username = Field(self, look, "Username", hint="What others add you by")
        hint = "Nobody can reset it: without it your messages stay sealed."
        self.password = PasswordField(self, look, "Password", hint=hint)
        self.again = PasswordField(self, look, "Password again")
        for field in self.fields():
            field.pack(fill="x", pady=(0, look.px(8)))

    def watch(self) -> None:
        """Judge the passwords while they are typed."""
        self.password.on_change(self._judge)
        self.again.on_change(self._compare)

    def fields(self) -> list[Field]:
        """Return the fields of this tab, in their order."""
        return [self.username, self.password, self.again]

    def places(self) -> dict[str, Field]:
        """Return the fields by the names that complaints call them."""
        return {"username": self.username, "password": self.password, "again": self.again}

    def complaints(self) -> list[Complaint]:
        """Return what is plainly wrong."""
        wrong = {
            "username": account.username_error(self.username.value.strip()),
            "password": account.password_error(self.password.value),
            "again": "" if self.same else "The two passwords differ.",
        }
        return [Complaint(place, text) for place, text in wrong.items() if text]

    @property
    def same(self) -> bool:
        """Whether both passwords are the same."""
        return self.password.value == self.again.value

    def _judge(self) -> None:
        show_strength(self.password, self.username.value.strip())
        self._compare()

    def _compare(self) -> None:
        compare(self.password, self.again)


def show_strength(field: PasswordField, username: str) -> None:
    """Say below a new password how strong it is."""
    judged = words.strength(field.value, username)
    if judged.level:
        style = {1: "Danger", 2: "Warning"}.get(judged.level, "Good")
        field.say(judged.hint, style)


def compare(first: Field, second: Field) -> None:
    """Say below the second of two passwords whether it is the same, while it is typed."""
    second.clear()
    if not second.value:
        return
    if first.value == second.value:
        second.say("Both are the same.", "Good")
    elif not first.value.startswith(second.value):
        second.fail("The two passwords differ.", focus=False)


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
        self._timer: str | None = None

    def start(self) -> None:
        """Begin to move."""
        self.text.configure(text="Making your key from the password …")
        self.bar.start(15)
        self._timer = self.after(PATIENT_AFTER, self._wait)
        self.button.focus_set()

    def stop(self) -> None:
        """Stand still."""
        self.bar.stop()
        if self._timer is not None:
            self.after_cancel(self._timer)
            self._timer = None

    def _wait(self) -> None:
        self._timer = None
        self.text.configure(text="Waiting for the server …")
