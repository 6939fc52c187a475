"""A fork waits until no thread is inside of gRPC.

gRPC makes itself ready for a fork only while no thread is inside of it. Where one is, the child has the locks of that
thread and not the thread: it aborts, or waits for an answer until its timeout. So new calls wait while a process is
forked, and the fork waits for the calls under way. What cannot be waited for is noted, and the child gets an error.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from functools import cache

import grpc

from midas_client._errors import UsageError

# A fork waits no longer than this, in seconds, for calls that are under way.
LONGEST_WAIT = 10.0


@cache
def keep_grpc() -> grpc.Channel:
    """Keep gRPC going until this process ends; the channel is never used, so it connects to nothing.

    With its last channel gRPC shuts down, in a thread of its own and with a lock in its hands. A child that was forked
    meanwhile waits for the lock for ever when it opens a channel, and no timeout ends that.
    """
    return grpc.insecure_channel("127.0.0.1:1")


class _Gate:
    """Counts who is inside of gRPC."""

    def __init__(self, *, usable: bool = True) -> None:
        self._changed = threading.Condition()
        self._forking = False
        self._inside = 0
        self._awaited = 0
        self._usable = usable

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """While this thread is inside of gRPC. Waits for a fork that has begun."""
        with self._changed:
            self._changed.wait_for(lambda: not self._forking)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def awaited(self) -> Iterator[None]:
        """While a call is awaited. No fork waits for it: the fork may be what keeps the event loop from going on."""
        with self._changed:
            self._awaited += 1
        try:
            yield
        finally:
            with self._changed:
                self._awaited -= 1

    def check(self) -> None:
        """Refuse to go on where gRPC would abort or wait for ever.

        Raises:
            UsageError: this process was forked while gRPC was in use.
        """
        if not self._usable:
            raise UsageError(
                "This process was forked while its parent waited for an answer over gRPC, which gRPC does not survive",
                hint="Fork when no call is under way, or use multiprocessing's spawn or forkserver, or http://",
            )

    def before_fork(self) -> None:
        self._changed.acquire()
        self._forking = True
        if not self._awaited:
            self._changed.wait_for(lambda: not self._inside, LONGEST_WAIT)

    def after_fork_in_parent(self) -> None:
        self._forking = False
        self._changed.notify_all()
        self._changed.release()

    def after_fork_in_child(self) -> None:
        self.__init__(usable=self._usable and not self._inside and not self._awaited)  # type: ignore[misc]


GATE = _Gate()

if hasattr(os, "register_at_fork"):  # where processes cannot be forked, there is none
    os.register_at_fork(
        before=GATE.before_fork,
        after_in_parent=GATE.after_fork_in_parent,
        after_in_child=GATE.after_fork_in_child,
    )
