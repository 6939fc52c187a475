"""An orderly stop: readiness falls first, so that nobody sends more; then what was begun is finished.

A worker whose parent was killed stops too: nobody would start it anew, or end it, and it would hold the port.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from multiprocessing import parent_process
from types import FrameType
from typing import Any

_begun = False


def is_draining() -> bool:
    """Whether this process has been asked to stop."""
    return _begun


def drain_first(seconds: float) -> None:
    """Let SIGTERM wait: the server goes on for so long, with /readyz down, and then stops as it would have.

    Call it in the event loop of a running server. A second SIGTERM stops at once, and so does the end of the process
    that started this one as a worker.

    Args:
        seconds: longer than a load balancer takes to look at /readyz again.
    """
    stop = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or not callable(stop):
        return
    loop = asyncio.get_running_loop()

    def begin(number: int, frame: FrameType | None) -> None:
        global _begun  # noqa: PLW0603 - a process is asked to stop once
        if _begun:
            stop(number, frame)
        else:
            _begun = True
            loop.call_soon_threadsafe(loop.call_later, seconds, stop, number, None)

    def leave() -> None:
        global _begun  # noqa: PLW0603 - as above
        _begun = True
        loop.remove_reader(parent.sentinel)
        stop(signal.SIGTERM, None)

    signal.signal(signal.SIGTERM, begin)
    parent: Any = parent_process()
    if parent is not None:
        # At once: whoever serves next needs the port.
        loop.add_reader(parent.sentinel, leave)
