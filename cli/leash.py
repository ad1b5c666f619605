"""Processes that cannot outlive the one that started them, not even when that one is killed with -9."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
# Loaded here and not after the fork, where only little is safe to do.
_LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent ends: a ``preexec_fn`` for ``Popen``.

    The kernel means the parent's *thread*: start processes from a thread that lives on.

    Source: prctl(2), PR_SET_PDEATHSIG. Linux only; elsewhere it does nothing.
    """
    prctl = getattr(_LIBC, "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have ended between the fork and the line above; init has adopted us then.
        if os.getppid() == 1:
            os.kill(os.getpid(), signal.SIGKILL)
