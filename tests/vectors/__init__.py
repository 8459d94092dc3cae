"""Published test vectors, trimmed and packed; README.md says where they are from."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "wycheproof"
Case = dict[str, Any]


def wycheproof(name: str) -> Iterator[Case]:
    """Yield the cases of one file; values in hexadecimal come as bytes."""
    with gzip.open(FOLDER / f"{name}.json.gz", "rt", encoding="ascii") as file:
        for case in json.load(file):
            yield {key: _bytes(key, value) for key, value in case.items()}


def _bytes(key: str, value: Any) -> Any:
    plain = key in {"id", "result", "flags", "size"}
    return value if plain else bytes.fromhex(value)
