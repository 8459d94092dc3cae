"""What must not be in the sources: shells, pickles, evaluated text, SQL put together (S58)."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path

from tests.server.parts import ROOT, OfficeTest

FOLDERS = ("bpost", "client_tk")
MODULES = {"pickle", "marshal", "shelve", "dill", "yaml", "xml", "ftplib", "telnetlib"}
CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "getstatusoutput"}
STATEMENTS = {"execute", "executemany", "executescript", "execute_sql"}

# Passed over: checks for the type checker; programs started from a fixed list, without a shell; and
# guesses that a word is a password because of the name it has.
PASSED_OVER = "B101,B105,B106,B107,B404,B603"


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Yield each module's path and syntax tree."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call with the last part of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            target = node.func
            name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
            yield name, node


def is_put_together(node: ast.expr) -> bool:
    """Tell whether a text is made of parts at run time."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "join")
    return isinstance(node, ast.JoinedStr | ast.BinOp)


class StaticTest(unittest.TestCase):
    """Rules on the sources."""

    lasts = 9

    def test_s58_nothing_is_unpickled_or_parsed_by_what_can_run_code(self) -> None:
        for path, tree in sources():
            for node in ast.walk(tree):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    names = {alias.name.split(".")[0] for alias in node.names}
                    names.add((getattr(node, "module", None) or "").split(".")[0])
                    with self.subTest(path=path, line=node.lineno):
                        self.assertEqual(names & MODULES, set())

    def test_s58_no_text_is_run_and_no_shell_is_started(self) -> None:
        for path, tree in sources():
            for name, call in calls(tree):
                plain = isinstance(call.func, ast.Name) or name in ("system", "popen")
                shell = [key for key in call.keywords if key.arg == "shell"]
                with self.subTest(path=path, line=call.lineno):
                    self.assertFalse(plain and name in CALLS, name)
                    self.assertEqual(shell, [])

    def test_s58_no_sql_statement_is_put_together_from_values(self) -> None:
        for path, tree in sources():
            if not path.startswith(str(Path("bpost") / "server")):
                continue
            for name, call in calls(tree):
                if name in STATEMENTS and call.args:
                    with self.subTest(path=path, line=call.lineno):
                        self.assertFalse(is_put_together(call.args[0]))

    @unittest.skipUnless(importlib.util.find_spec("bandit"), "bandit is not installed")
    def test_s58_bandit_finds_nothing(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "bandit", "-q", "-r", *FOLDERS, "-f", "json", "-s", PASSED_OVER],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        found = json.loads(done.stdout)["results"]
        self.assertEqual([(row["filename"], row["issue_text"]) for row in found], [])


class InjectionTest(OfficeTest):
    """Text that would be SQL, if anyone took it for that."""

    def test_s58_sql_in_fields_is_text(self) -> None:
        alice, bob = self.friends()
        nasty = "'; DROP TABLE messages; --"
        self.assertEqual(
            alice.ask("0", "alice", nasty, "bob", "';DROP/**/TABLE/**/x;--")[1], "WillBeSent"
        )
        self.assertEqual(bob.heard(), [["5", nasty, "alice"]])
        self.assertEqual(alice.ask("2", nasty, "A" * 43)[1:3], ["Error", "bad-field"])
        alice.ask("6", "alice", nasty)
        self.assertEqual(bob.ask("4", "bob", "alice"), ["4", "OK", nasty])


if __name__ == "__main__":
    unittest.main()
