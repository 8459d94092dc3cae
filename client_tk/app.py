"""The program: one root window that shows the start window or the main window."""

from __future__ import annotations

import sys
import threading
import time
import tkinter
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from bpost.client import Client
from bpost.client.keystore import data_folder
from bpost.errors import BPostError, ProfileError, UntrustedCertificate
from client_tk import account, placing, settings, system, words
from client_tk.account import Attempt, Complaint, MakeClient, Restoration, SignedIn
from client_tk.idle import IdleWatch
from client_tk.lanes import Failed, Lanes
from client_tk.link import Question
from client_tk.lock_w import LockWindow
from client_tk.main_w import MainWindow
from client_tk.pictures import Pictures
from client_tk.pump import Pump, Task
from client_tk.shell import Shell
from client_tk.start_w import StartWindow
from client_tk.sweeper import Sweeper
from client_tk.theme import Look, make_root

SMALLEST = (680, 460)
CLOSE_WITHIN = 5.0  # seconds


@dataclass(frozen=True)
class Options:
    """How the program was started."""

    server: str = ""
    pin: str | None = None
    profile: Path | None = None
    username: str = ""
    password: str = ""
    conversation: str = ""
    geometry: str = ""
    appearance: str = ""
    scale: float | None = None

    def __repr__(self) -> str:
        """Show everything but the password."""
        return f"Options(server={self.server!r}, username={self.username!r})"


class App:
    """The root window, and what lives as long as it does."""

    def __init__(self, options: Options, make: MakeClient = Client) -> None:
        self.options = options
        self._make = make
        self.settings = settings.load(options.profile or data_folder())
        if options.appearance:
            self.settings.appearance = options.appearance
        words.emoji_in_words(not system.draws_emoji())
        mode = self._mode(system.prefers_dark)
        self.root = make_root("BPost", mode, options.scale or system.screen_scale())
        self.root.report_callback_exception = self._callback_failed
        self.look = Look(self.root, mode, self.settings.zoom)
        self.pictures = Pictures(self.root)
        self.lanes = Lanes()
        self.question = Question()
        self.client: Client | None = None
        self.main: MainWindow | None = None
        self.start: StartWindow | None = None
        self.locked: LockWindow | None = None
        self.closed = False
        self._left = threading.Event()  # set once the last account is closed
        self._left.set()
        self._attempt = 0
        self._looked_at = 0.0
        self.on_mistake: Callable[[Exception], object] = self._show_mistake
        self.pump = Pump(self.root, self._next_task, lambda error: self.on_mistake(error))
        self.sweeper = Sweeper(self.root)
        self.idle = IdleWatch(self.root, lambda: self.settings.lock_minutes, self.lock)
        self._dress()
        self.pump.start()
        self._begin()

    def _dress(self) -> None:
        """Give the root window its icon, its size and its place."""
        root, px = self.root, self.look.px
        icons = [self.pictures.program(size) for size in (64, 32, 16)]
        root.iconphoto(True, *(cast("tkinter.PhotoImage", icon) for icon in icons))
        root.minsize(px(SMALLEST[0]), px(SMALLEST[1]))
        root.geometry(
            placing.find_place(root, self.look, (self.options.geometry, self.settings.geometry))
        )
        root.protocol("WM_DELETE_WINDOW", self.close)
        root.bind("<FocusIn>", self._focused, add="+")
        root.deiconify()

    def _begin(self) -> None:
        options = self.options
        self.show_start()
        if options.server and options.username and options.password and self.start:
            self.start.submit()

    def run(self) -> None:
        """Stay until the window is closed."""
        self.sweeper.start()
        self.root.mainloop()

    # Start window

    def show_start(self, complaint: Complaint | None = None) -> None:
        """Show the start window, and why it is shown again."""
        start = self.start = StartWindow(self.root, self.look, self.pictures)
        start.pack(fill="both", expand=True)
        start.on_attempt = self.attempt
        start.on_cancel = self.give_up
        start.on_restore = self.restore
        start.fill(
            self.options.server or self.settings.server,
            self.options.username or self.settings.username,
        )
        if self.options.password:
            start.log_in.password.value = self.options.password
        if complaint is not None:
            start.complain(complaint)
        self.root.title("BPost")

    def attempt(self, attempt: Attempt) -> None:
        """Try to log in or to create an account, in a worker thread."""
        known = replace(attempt, pin=attempt.pin or self._known_pin(attempt.server))
        profile = self.options.profile
        ask = self.question.ask
        self._try(lambda: account.sign_in(known, self._make, profile, ask), self._attempt_failed)

    def restore(self, attempt: Restoration, failed: Failed) -> None:
        """Try to restore a backup, in a worker thread."""
        profile = self.options.profile
        self._try(lambda: account.restore(attempt, self._make, profile), failed)

    def _try(self, enter: Callable[[], SignedIn], failed: Failed) -> None:
        """Enter an account once the last one is closed, unless that is given up meanwhile."""
        self._attempt += 1
        number, left = self._attempt, self._left

        def work() -> SignedIn:
            left.wait(CLOSE_WITHIN)  # until the profile of the last account is free
            return enter()

        def done(result: SignedIn) -> None:
            if number == self._attempt:
                self._enter(result)
            else:
                self.lanes.slow(result.client.close)

        def refused(error: BPostError) -> None:
            if number == self._attempt:
                failed(error)

        self.lanes.slow(work, done, refused)

    def _known_pin(self, server: str) -> str | None:
        """Return the pin that is known for a server; a link that holds one speaks for itself."""
        if "#" in server:
            return None
        return self.options.pin or self.settings.pins.get(account.place_of(server))

    def _attempt_failed(self, error: BPostError) -> None:
        start = self.start
        if start is None:
            return
        if isinstance(error, UntrustedCertificate):
            start.ask_trust(error.pin, error.reason)
        else:
            start.complain(account.complaint(error))

    def give_up(self) -> None:
        """Let an attempt come to nothing; its client is closed when it comes back."""
        self._attempt += 1
        self.question.answer(False)

    def _enter(self, result: SignedIn) -> None:
        client, server = result.client, result.server
        if result.pin:
            self.settings.pins[account.place_of(server)] = result.pin
        self.settings.server, self.settings.username = server, client.username
        self.settings.take_over(result.settings)
        self._save_settings()
        for before in (self.start, self.locked):
            if before is not None:
                before.set_trying(False)
                before.destroy()
        self.start = self.locked = None
        if result.settings:
            self.choose_appearance(self.settings.appearance)
        self.client = client
        shell = Shell(
            look=self.look,
            pictures=self.pictures,
            lanes=self.lanes,
            settings=self.settings,
            server=server,
            log_out=self.log_out,
            lock=self.lock,
            lock_after=self.lock_after,
            choose_appearance=self.choose_appearance,
            enlarge=self.enlarge,
            set_title=self._set_title,
        )
        self.main = MainWindow(self.root, shell, client)
        self.main.pack(fill="both", expand=True)
        self.main.controller.turned_away = result.out
        self.main.start(self.options.conversation)
        if result.news:
            self.main.say(result.news)

    # Main window

    def log_out(self, sentence: str = "") -> None:
        """Leave the account, and show the start window."""
        why = None if self.main is None else self.main.controller.parting(sentence)
        if self._leave():
            self.options = Options(profile=self.options.profile, pin=self.options.pin)
            self.show_start(why)

    def _leave(self) -> bool:
        """Close the account, and drop every view of it; return whether there was one."""
        client, main = self.client, self.main
        if client is None or main is None:
            return False
        main.leave()
        main.destroy()
        self.lanes.forget()
        self.client = self.main = None
        left = self._left = threading.Event()

        def leave() -> None:
            try:
                client.close()
            finally:
                left.set()

        self.lanes.quick(leave)
        return True

    # The lock

    def lock(self) -> None:
        """Close the account, so that its keys leave memory, and ask for the password."""
        client, main = self.client, self.main
        if client is None or main is None:
            return
        server, username = main.shell.server, client.username
        self.options = replace(
            self.options, username=username, password="", conversation=main.controller.book.current
        )
        self._leave()
        locked = self.locked = LockWindow(self.root, self.look, self.pictures, username, server)
        locked.pack(fill="both", expand=True)
        locked.on_unlock = lambda password: self.unlock(Attempt(server, username, password))
        locked.on_cancel = self.give_up
        locked.on_log_out = self._another_account
        self.root.title("BPost")

    def unlock(self, attempt: Attempt) -> None:
        """Open the account again."""
        known = replace(attempt, pin=self._known_pin(attempt.server))
        profile = self.options.profile

        def failed(error: BPostError) -> None:
            if self.locked is not None:
                self.locked.complain(account.complaint(error))

        self._try(lambda: account.sign_in(known, self._make, profile), failed)

    def lock_after(self, minutes: int) -> None:
        """Lock when nobody has been there for so long; 0 is never."""
        self.settings.lock_minutes = minutes
        self._save_settings()

    def _another_account(self) -> None:
        if self.locked is not None:
            self.locked.destroy()
            self.locked = None
        self.options = Options(profile=self.options.profile, pin=self.options.pin)
        self.show_start()

    def _set_title(self, username: str, unread: int) -> None:
        self.root.title(f"({unread}) BPost · {username}" if unread else f"BPost · {username}")

    def choose_appearance(self, appearance: str) -> None:
        """Be light, dark, or like the system."""
        self.settings.appearance = appearance
        self._save_settings()
        if appearance == "system":
            self._ask_system()
        else:
            self.look.use(appearance)

    def enlarge(self, steps: int) -> None:
        """Make the text larger or smaller."""
        self.look.enlarge(steps)
        self.settings.zoom = self.look.zoom
        self._save_settings()

    def _mode(self, dark: Callable[[], bool]) -> str:
        if self.settings.appearance == "system":
            return "dark" if dark() else "light"
        return self.settings.appearance

    def _ask_system(self) -> None:
        """Follow the system, if that is wanted; asking takes a while."""
        self._looked_at = time.monotonic()

        def answered(dark: bool) -> None:
            mode = self._mode(lambda: dark)
            if mode != self.look.palette.mode:
                self.look.use(mode)

        self.lanes.slow(system.prefers_dark, answered)

    def _focused(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if self.main is not None:
            self.main.shortcuts.focus_came(event.widget)
        if event.widget is not self.root:
            return
        if self.main is not None:
            self.main.messages.repaint()  # what is on the screen is seen now
        if self.settings.appearance == "system" and time.monotonic() - self._looked_at > 10:
            self._ask_system()

    def _save_settings(self) -> None:
        try:
            self.settings.save()
        except ProfileError as error:
            if self.main is not None:
                self.main.say(str(error), alarming=True)

    # Events and mistakes

    def _next_task(self) -> Task | None:
        answer = self.lanes.next_answer()
        if answer is not None:
            return answer
        client, main = self.client, self.main
        if client is None or main is None:
            return self._next_question()
        event = client.next_event(0)
        return None if event is None else lambda: main.controller.handle(event)

    def _next_question(self) -> Task | None:
        """Return how to ask for a number to be compared, if a log-in waits for that."""
        start, number = self.start, self.question.take()
        if start is None or not number:
            return None
        return lambda: start.ask_number(number, self.question.answer)

    def _show_mistake(self, error: Exception) -> None:
        """Show a mistake of ours, and write it where it can be reported from."""
        traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
        if self.main is not None:
            sentence = (
                f"Something went wrong inside BPost ({type(error).__name__}). Please report it."
            )
            self.main.say(sentence, alarming=True)

    def _callback_failed(self, _kind: object, error: BaseException, _trace: object) -> None:
        if isinstance(error, Exception):
            self.on_mistake(error)
        else:
            self.close()

    def close(self) -> None:
        """Leave the account and end the program; may be called twice."""
        if self.closed:
            return
        self.closed = True
        self.settings.geometry = self.root.geometry()
        if self.main is not None:
            self.main.leave()
        self._save_settings()
        self.question.answer(False)
        self.pump.stop()
        self.sweeper.stop()
        self.idle.stop()
        # What has the focus when the root goes is not forgotten by Tk 8.6, only freed; the next
        # root window of this process would stumble over it.
        self.root.focus_set()
        self.root.withdraw()
        self.root.update_idletasks()
        for timer in self.root.tk.splitlist(self.root.tk.call("after", "info")):
            self.root.tk.call("after", "cancel", timer)
        client = self.client
        self.lanes.close(client.close if client is not None else lambda: None, CLOSE_WITHIN)
        self.root.destroy()
