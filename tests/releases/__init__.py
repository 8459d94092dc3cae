"""Earlier states of the library and the server, as archives of their sources; see README.md."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
CITIZEN = FOLDER / "citizen.py"


def newest() -> Path:
    """Return the archive that was kept last: the version before this one."""
    names = (FOLDER / "README.md").read_text(encoding="utf-8").split("| `")[1:]
    return FOLDER / names[-1].partition("`")[0]
