"""`python -m edgeasr`, the same as the `edgeasr` command."""

import sys

from edgeasr.cli import main

if __name__ == "__main__":
    sys.exit(main())
