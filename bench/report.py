"""The figures for people, as tables, and for programs, as JSON."""

from __future__ import annotations

import json
import os
import platform
import ssl
from collections.abc import Sequence
from typing import Any

from bench.processes import BPOST, CEILING, FLOOR

Row = dict[str, Any]

COLUMNS = (
    ("server", "server"),
    ("accounts", "accounts"),
    ("mails", "stored messages"),
    ("waiting", "waiting"),
    ("connections", "connections"),
    ("per_second", "messages/s"),
    ("log_ins_per_second", "log-ins/s"),
    ("deliveries_ms", "delivered p50 / p99 / p99.9 ms"),
    ("visits_ms", "log-in p50 / p99 / p99.9 ms"),
    ("cpu_ms_per_1000", "CPU ms/1,000"),
    ("memory_mib", "memory MiB"),
    ("kib_per_connection", "KiB/connection"),
    ("idle_cpu_percent", "idle CPU %"),
    ("first_ms", "first after ms"),
    ("grown_mib", "grown MiB"),
    ("fill_seconds", "made in s"),
)


def table(rows: Sequence[Row]) -> str:
    """Return the rows of one kind of run as a table; columns that none of them has are left out."""
    chosen = [one for one in COLUMNS if any(row.get(one[0]) is not None for row in rows)]
    lines = [[title for _, title in chosen]]
    lines += [[_cell(row.get(name)) for name, _ in chosen] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(_line(line, widths) for line in lines)


def ratios(rows: Sequence[Row]) -> list[Row]:
    """Return how BPost does beside the references, for each count of connections."""
    found: list[Row] = []
    for row in rows:
        if row["server"] != BPOST:
            continue
        others = {one["server"]: one for one in rows if one["connections"] == row["connections"]}
        for name in ("per_second", "log_ins_per_second"):
            for other in (CEILING, FLOOR):
                theirs = others.get(other, {}).get(name)
                if theirs and row.get(name):
                    ratio = round(row[name] / theirs, 2)
                    found.append({"connections": row["connections"], "of": other, name: ratio})
    return found


def machine() -> Row:
    """Say on what, and how busy with other things, the figures are measured; ask before."""
    return {
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "system": platform.platform(),
        "openssl": ssl.OPENSSL_VERSION,
    }


def as_json(there: Row, rows: Sequence[Row]) -> str:
    """Return everything as JSON; ``there`` is what :func:`machine` said."""
    kinds = dict.fromkeys(row["run"] for row in rows)
    compared = {kind: ratios([row for row in rows if row["run"] == kind]) for kind in kinds}
    return json.dumps({"machine": there, "rows": list(rows), "ratios": compared}, indent=1)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return " / ".join(f"{one:g}" for one in value.values())
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
    return "| " + " | ".join(padded) + " |"
