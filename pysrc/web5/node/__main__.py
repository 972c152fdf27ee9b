"""`python -m web5.node` is the program `web5-node`."""

import sys

from web5.node.program.main import main

if __name__ == "__main__":
    sys.exit(main())
