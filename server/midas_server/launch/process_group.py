"""Ends the steps that a server has left behind: they are in its process group."""

import contextlib
import os
import signal
import time

import psutil


def end_group(leader: int) -> None:
    """Kill the steps that have not ended with their server, and wait until none is left.

    They notice within a second or two that it is gone, but they have nothing to do any more.

    Args:
        leader: the server's process id, after it was waited for. Linux gives the number out again as soon as no step
            is left, so a process of that number is a stranger.
    """
    while not psutil.pid_exists(leader) and any(_runs_in_group(leader, pid) for pid in psutil.pids()):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)
        time.sleep(0.02)


def _runs_in_group(group: int, pid: int) -> bool:
    """False for one that has ended.

    It holds nothing any more, but is listed until process 1 asks how it ended: seconds later, or never.
    """
    with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
        if os.getpgid(pid) == group:
            process = psutil.Process(pid)
            return process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1
    return False
