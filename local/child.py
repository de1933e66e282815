"""Becomes another program that ends when its parent does, however the parent ends (Linux).

Run as `python child.py COMMAND …`. Elsewhere than on Linux it only becomes the program:
there, the local cloud ends its children itself unless it is killed hard.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel for the signal, then become the program."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the local cloud's own commands


if __name__ == "__main__":
    main()
