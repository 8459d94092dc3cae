"""Tests of bpost.crypto.labels."""

from __future__ import annotations

import ast
import unittest
from collections.abc import Iterator
from pathlib import Path

from bpost.crypto import labels

ROOT = Path(__file__).resolve().parents[2]
LABELS = {name: value for name, value in vars(labels).items() if isinstance(value, bytes)}


def nodes() -> Iterator[tuple[Path, ast.AST]]:
    """Yield every syntax node of the layer, with the file that it is in."""
    for path in sorted((ROOT / "bpost" / "crypto").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield path, node


def first_term(node: ast.expr) -> ast.expr:
    """Return what stands leftmost in a sum."""
    while isinstance(node, ast.BinOp):
        node = node.left
    return node


class LabelsTest(unittest.TestCase):
    def test_e36_no_label_begins_another(self) -> None:
        values = list(LABELS.values())
        for at, one in enumerate(values):
            for other in values[at + 1 :]:
                self.assertFalse(one.startswith(other) or other.startswith(one), (one, other))

    def test_e36_labels_stand_nowhere_else(self) -> None:
        for path, node in nodes():
            if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
                elsewhere = b"bpost/" in node.value and path.name != "labels.py"
                self.assertFalse(elsewhere, f"{path.name}:{node.lineno}")

    def test_e36_every_derived_key_has_a_label(self) -> None:
        for path, node in nodes():
            if isinstance(node, ast.keyword) and node.arg == "info":
                label = ast.unparse(first_term(node.value))
                where = f"{path.name}:{node.value.lineno}"
                self.assertTrue(label.removeprefix("labels.") in LABELS, f"{where} {label}")

    def test_every_label_is_used_in_one_place(self) -> None:
        used = {node.attr for _, node in nodes() if isinstance(node, ast.Attribute)}
        self.assertLessEqual(set(LABELS), used)


if __name__ == "__main__":
    unittest.main()
