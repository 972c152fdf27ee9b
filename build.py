#!/usr/bin/env python3
"""Sets up, builds, serves, checks and tests web5-py. Needs nothing but Python: everything else it gets by itself."""

import sys
from pathlib import Path

if sys.version_info < (3, 11):
    sys.exit(
        f"build.py needs Python 3.11 or newer; this is {sys.version.split()[0]}. On Debian: apt-get install python3"
    )

sys.path.insert(0, str(Path(__file__).resolve().parent / "pysrc"))

from web5_build import commands

if __name__ == "__main__":
    sys.exit(commands.main(sys.argv[1:]))
