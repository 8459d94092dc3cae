"""The Autobahn test suite against our WebSocket layer: ``python -m tests.net.autobahn``.

It starts the echo server, lets the suite's ``wstest`` talk to it, and says what did not pass. The
status is 0 when all did.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.net import echo_server

AGENT = "BPost"
GROUPS = ("1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*")
PASSED = {"OK", "INFORMATIONAL"}

Verdicts = Mapping[str, Mapping[str, str]]


def specification(port: int, cases: Sequence[str], reports: Path) -> str:
    """Return what ``wstest`` is to do."""
    return json.dumps(
        {
            "outdir": str(reports),
            "servers": [{"agent": AGENT, "url": f"wss://127.0.0.1:{port}"}],
            "cases": list(cases),
            "exclude-cases": [],
            "exclude-agent-cases": {},
        }
    )


def judge(verdicts: Verdicts) -> tuple[list[str], bool]:
    """Return lines to print about the suite's verdicts, and whether every case passed.

    A case has one for what was said and one for how it was closed.
    """
    counts: Counter[str] = Counter()
    bad = []
    for case, verdict in verdicts.items():
        both = (verdict["behavior"], verdict["behaviorClose"])
        counts[both[0]] += 1
        if not PASSED.issuperset(both):
            bad.append(f"{case}: {both[0]}, closing {both[1]}")
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    return [*bad, f"{len(verdicts)} cases: {told}; {len(bad)} did not pass"], not bad


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.net.autobahn", description=__doc__)
    parser.add_argument("cases", nargs="*", default=GROUPS, help="such as 5.* or 6.4.1")
    parser.add_argument("--wstest", default="wstest", metavar="PROGRAM", help="the suite's program")
    parser.add_argument("--reports", type=Path, metavar="FOLDER", help="keep its pages here")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, echo_server.serving() as server:
        reports = (options.reports or Path(folder, "reports")).resolve()
        file = Path(folder, "specification.json")
        file.write_text(specification(server.port, options.cases, reports))
        command = [options.wstest, "--mode", "fuzzingclient", "--spec", str(file)]
        subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)
        verdicts = json.loads((reports / "index.json").read_text())[AGENT]
    lines, passed = judge(verdicts)
    print("\n".join(lines))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
