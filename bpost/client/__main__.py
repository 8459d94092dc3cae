"""Run the command line: ``python -m bpost.client``."""

from __future__ import annotations

import sys

from bpost.client.cli import main

if __name__ == "__main__":
    sys.exit(main())
