"""Becomes another program that dies with the process that started it, however that one dies.

    python -I -S leash.py PARENT PROGRAM ARGUMENT…

On Linux the kernel sends SIGKILL when the parent is gone (PR_SET_PDEATHSIG, which survives exec), so even `kill -9`
of the supervisor leaves nothing behind. A small program of its own and not a `preexec_fn`: the supervisor has
threads, and Python may deadlock between fork and exec. Elsewhere there is no such call: there the children live on
after a `kill -9` of the supervisor (never after Ctrl-C, SIGTERM or a crash in Python), and the next start names the
ports they hold.
"""

from __future__ import annotations

import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Put the leash on and become the program."""
    parent, *argv = sys.argv[1:]
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != int(parent):  # it was gone before the leash was on
            os._exit(1)
    os.execv(argv[0], argv)  # noqa: S606 # the supervisor's own argv, no shell


if __name__ == "__main__":
    main()
