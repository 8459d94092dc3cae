"""A second window in a process of its own, which a test tells what to do.

``python -m tests.client_tk.other_window SERVER PIN PROFILE USER OPEN``, the password on the first
line of standard input; then one command a line: ``write TEXT``, ``shown`` (answers with a JSON
list of all that is drawn among the messages), ``close``.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
from pathlib import Path

from client_tk.app import App, Options
from tests.client_tk.gui import texts


def read_lines(lines: queue.SimpleQueue[str]) -> None:
    """Put what comes in on a queue; at its end, close."""
    for line in sys.stdin:
        lines.put(line.rstrip("\n"))
    lines.put("close")


def main() -> None:
    """Show the window, and obey."""
    server, pin, profile, user, other = sys.argv[1:6]
    app = App(
        Options(
            server=server,
            pin=pin,
            profile=Path(profile),
            username=user,
            password=sys.stdin.readline().rstrip("\n"),
            conversation=other,
            geometry="760x600+800+60",
            appearance="dark",
            scale=1.0,
        )
    )
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=read_lines, args=(lines,), daemon=True).start()

    def obey() -> None:
        while not lines.empty():
            command, _, text = lines.get().partition(" ")
            if command == "close":
                app.close()
                return
            main_window = app.main
            drawn = texts(main_window.messages.canvas) if main_window else []
            if command == "write" and main_window is not None:
                main_window.composer.text.focus_force()  # bob looks at what he answers
                main_window.composer.text.insert("end", text)
                main_window.composer.button.invoke()
            elif command == "shown":
                print(json.dumps(drawn), flush=True)
        app.root.after(20, obey)

    app.root.after(20, obey)
    app.run()


if __name__ == "__main__":
    main()
