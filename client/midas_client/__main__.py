"""`python -m midas_client`: the same as the command `midas-client`."""

import sys

from midas_client._cli import main

if __name__ == "__main__":
    sys.exit(main())
