"""Keep a state of the sources: ``python -m tests.releases NAME [COMMIT]``."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from tests.releases import FOLDER


def main() -> int:
    """Write the archive, and the line about it in README.md."""
    parser = argparse.ArgumentParser(prog="python -m tests.releases", description=__doc__)
    parser.add_argument("name", help="of the release, such as 1.0.0")
    parser.add_argument("commit", nargs="?", default="HEAD")
    options = parser.parse_args()
    file = FOLDER / f"{options.name}.zip"
    if file.exists():
        print(f"{file} is there already, and what was released does not change.", file=sys.stderr)
        return 1
    made = ["git", "archive", "--format=zip", "-9", f"--output={file}", options.commit, "bpost"]
    named = ["git", "rev-parse", "--short", options.commit]
    subprocess.run(made, cwd=FOLDER.parents[1], check=True)
    commit = subprocess.run(named, cwd=FOLDER, check=True, capture_output=True, text=True)
    with (FOLDER / "README.md").open("a", encoding="utf-8") as readme:
        day = time.strftime("%Y-%m-%d")
        readme.write(f"| `{file.name}` | {commit.stdout.strip()} | {day} |\n")
    print(f"{file}, {file.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
