"""Whether processes have ended, also those that nobody has asked how: process 1 does that when it comes to it."""

import time
from collections.abc import Iterable
from contextlib import suppress

import psutil


def still_there(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still run after so many seconds; none, as soon as all have ended."""
    deadline = time.monotonic() + seconds
    left = [process for process in processes if _runs(process)]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [process for process in left if _runs(process)]
    return left


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        # The first thread may end before the others do.
        return process.is_running() and (process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1)
    return False
