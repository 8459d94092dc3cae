from __future__ import annotations

import ast
import unittest
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "bpost"
LAYERS = ("protocol", "crypto", "client")
COMPRESSORS = {
    "brotli", "bz2", "compression", "gzip", "lz4", "lzma", "snappy", "tarfile", "zipfile", "zlib",
    "zstandard",
}  # fmt: skip


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the top-level names of all modules that a module imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


class NoCompressionTest(unittest.TestCase):
    def test_e46_nothing_that_is_sealed_passes_a_compressor(self) -> None:
        for layer in LAYERS:
            for path in sorted((PACKAGE / layer).rglob("*.py")):
                tree = ast.parse(path.read_text(encoding="utf-8"))
                called = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
                with self.subTest(path=path.name):
                    self.assertEqual(COMPRESSORS.intersection(imported(tree)), set())
                    self.assertEqual(called.intersection({"compress", "compressobj"}), set())
