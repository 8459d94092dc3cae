"""The import rules of the tree: a folder is a layer, and each library has one owner."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import unittest
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BASE = {"bpost", "bpost.errors", "bpost.limits", "bpost.b64"}

# Which packages of ours the modules below a folder may import, besides their own.
LAYERS: dict[str, set[str]] = {
    "bpost/protocol": set(),
    "bpost/crypto": set(),
    "bpost/net": set(),
    "bpost/server": {"bpost.protocol", "bpost.net", "bpost.crypto.login", "bpost.crypto.keylog"},
    "bpost/client": {"bpost.protocol", "bpost.net", "bpost.crypto"},
    "client_tk": {"bpost.client"},
}

# Each foreign library, and the only modules that may import it.
OWNERS: dict[str, set[str]] = {
    "cryptography": {"bpost/crypto/primitives.py", "bpost/net/certificates.py"},
    "peewee": {
        "bpost/server/models.py",
        "bpost/server/store.py",
        "bpost/client/chain_models.py",
        "bpost/client/change_models.py",
        "bpost/client/handover_models.py",
        "bpost/client/log_models.py",
        "bpost/client/missing_models.py",
        "bpost/client/models.py",
        "bpost/client/store.py",
    },
    "playhouse": {"bpost/client/store.py"},
    "sqlcipher3": {"bpost/client/store.py"},
    "simple_websocket": {"bpost/net/ws_server.py"},
    "wsproto": {"bpost/net/ws_server.py"},
    "websocket": {"bpost/net/ws_client.py"},
    "prometheus_client": {"bpost/server/collector.py"},
    "segno": {"client_tk/qr.py"},
    "ttkbootstrap": {"client_tk/theme.py", "client_tk/widgets.py"},
}

# Standard modules that a layer has no use for: no I/O, no clock where the rule says so.
FORBIDDEN: dict[str, set[str]] = {
    "bpost/protocol": {"socket", "ssl", "time", "datetime", "threading", "os", "random", "hashlib"},
    "bpost/crypto": {"socket", "ssl", "time", "datetime", "threading", "random", "sqlite3"},
    "bpost/client": {"tkinter", "random"},
    "bpost/server": {"tkinter"},
    "client_tk": {"socket", "ssl", "sqlite3"},
}

# One lock, around a library's workers.
EXCEPTED = {"bpost/crypto/primitives.py": {"threading"}}


def sources(folder: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield the path and the syntax tree of each module below ``folder``."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the full name of each module that ``tree`` imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def is_module(name: str) -> bool:
    """Tell whether ``name`` is a module or package of this project."""
    path = ROOT / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


def is_file(name: str) -> bool:
    """Tell whether ``name`` is a module of this project in a file of its own."""
    return (ROOT / name.replace(".", "/")).with_suffix(".py").is_file()


def below(name: str, package: str) -> bool:
    """Tell whether ``name`` is ``package`` or lies in it."""
    return name == package or name.startswith(package + ".")


class ArchitectureTest(unittest.TestCase):
    """What may import what."""

    def test_a_layer_imports_only_the_layers_below_it(self) -> None:
        for folder, allowed in LAYERS.items():
            own = folder.replace("/", ".")
            for path, tree in sources(folder):
                for name in imports(tree):
                    if not (below(name, "bpost") or below(name, "client_tk")):
                        continue
                    if name in BASE or not is_module(name) or name == "bpost.crypto":
                        continue
                    with self.subTest(path=path, imports=name):
                        self.assertTrue(
                            below(name, own) or any(below(name, good) for good in allowed),
                            f"{path} imports {name}",
                        )

    def test_no_modules_import_each_other_in_a_circle(self) -> None:
        graph = {
            path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): {
                name for name in imports(tree) if is_file(name)
            }
            for folder in ("bpost", "client_tk")
            for path, tree in sources(folder)
        }
        graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, with the circle

    def test_a_foreign_library_has_one_owner(self) -> None:
        for folder in ("bpost", "client_tk"):
            for path, tree in sources(folder):
                for name in imports(tree):
                    owners = OWNERS.get(name.split(".")[0])
                    with self.subTest(path=path, imports=name):
                        self.assertTrue(owners is None or path in owners)

    def test_a_layer_keeps_clear_of_what_it_has_no_use_for(self) -> None:
        for folder, forbidden in FORBIDDEN.items():
            for path, tree in sources(folder):
                found = {name.split(".")[0] for name in imports(tree)} & forbidden
                found -= EXCEPTED.get(path, set())
                with self.subTest(path=path):
                    self.assertEqual(found, set())

    def test_the_server_imports_of_crypto_only_what_hashes_log_in_keys_and_the_log(
        self,
    ) -> None:
        found = {
            name
            for _, tree in sources("bpost/server")
            for name in imports(tree)
            if below(name, "bpost.crypto") and is_module(name)
        }
        hashes = {"bpost.crypto.login", "bpost.crypto.keylog"}
        self.assertEqual(found - {"bpost.crypto"}, hashes)

    def test_run_py_needs_the_standard_library_alone(self) -> None:
        tree = ast.parse((ROOT / "run.py").read_text(encoding="utf-8"))
        names = {name.split(".")[0] for name in imports(tree)}
        self.assertEqual(
            names,
            {"__future__", "hashlib", "importlib", "os", "pathlib", "subprocess", "sys"},
        )

    def test_no_module_is_longer_than_it_should_be(self) -> None:
        for folder in ("bpost", "client_tk", "bench"):
            for path in sorted((ROOT / folder).rglob("*.py")):
                lines = len(path.read_text(encoding="utf-8").splitlines())
                with self.subTest(path=path.name):
                    self.assertLessEqual(lines, 400)

    def test_no_private_key_is_in_the_repository(self) -> None:
        for folder in ("bpost", "client_tk", "tests", "docs", "certs"):
            for path in (ROOT / folder).rglob("*"):
                if path.is_file() and path.suffix in {".pem", ".key", ".p12", ".der"}:
                    with self.subTest(path=path.name):
                        ignored = ["git", "check-ignore", "--quiet", str(path)]
                        done = subprocess.run(ignored, cwd=ROOT, check=False)
                        self.assertEqual(done.returncode, 0, "it would be committed")


if __name__ == "__main__":
    unittest.main()
