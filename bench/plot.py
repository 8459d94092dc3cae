"""A picture of a run: bars of messages a second, three for each count of connections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from bench.processes import BPOST, CEILING, FLOOR

WIDTH, HEIGHT, MARGIN = 900, 480, 60
GROUND, INK, LINE = "#ffffff", "#222222", "#dddddd"
COLOURS = {CEILING: "#b8c4d6", BPOST: "#2f6fde", FLOOR: "#d9a441"}
SIZE = 15
LINES = 5


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw the throughput among ``rows`` into a PNG file."""
    shown = [row for row in rows if row["run"] == "throughput"]
    image = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(SIZE)
    most = max(row["per_second"] for row in shown)
    _scale(pen, font, most)
    counts = list(dict.fromkeys(row["connections"] for row in shown))
    for place, count in enumerate(counts):
        group = {row["server"]: row for row in shown if row["connections"] == count}
        _group(pen, font, group, (place, len(counts)), most)
    for number, (kind, colour) in enumerate(COLOURS.items()):
        left = MARGIN + number * 120
        pen.rectangle((left, 14, left + SIZE, 14 + SIZE), fill=colour)
        pen.text((left + SIZE + 6, 12), kind, INK, font)
    pen.text((WIDTH - 2 * MARGIN, 12), "messages/s", INK, font)
    image.save(path, "PNG")


def _top(value: float, most: float) -> float:
    return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * value / most


def _scale(pen: ImageDraw.ImageDraw, font: Any, most: float) -> None:
    for number in range(LINES + 1):
        value = most * number / LINES
        top = _top(value, most)
        pen.line((MARGIN, top, WIDTH - 10, top), LINE)
        pen.text((MARGIN - 6, top), f"{value:,.0f}", INK, font, anchor="rm")


def _group(
    pen: ImageDraw.ImageDraw,
    font: Any,
    group: dict[str, dict[str, Any]],
    place: tuple[int, int],
    most: float,
) -> None:
    width = (WIDTH - MARGIN - 10) / place[1]
    bar = width / (len(COLOURS) + 1)
    left = MARGIN + place[0] * width + bar / 2
    for number, (kind, colour) in enumerate(COLOURS.items()):
        if kind in group:
            value, at = group[kind]["per_second"], left + number * bar
            pen.rectangle((at, _top(value, most), at + bar - 4, HEIGHT - MARGIN), fill=colour)
            pen.text(
                (at + bar / 2, _top(value, most) - 10), f"{value:,.0f}", INK, font, anchor="mm"
            )
    count = next(iter(group.values()))["connections"]
    middle = left + bar * len(COLOURS) / 2
    pen.text((middle, HEIGHT - MARGIN + 18), f"{count:,} connections", INK, font, anchor="mm")
