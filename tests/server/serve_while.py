"""Serves as `midas-server serve` does, which starts a server that crashes again, while a test does something to it."""

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from midas_server.launch import Triton

T = TypeVar("T")


def serve_while(server: Triton, act: Callable[[], T]) -> T:
    """What the action returns or raises; it runs in a thread of its own, since only the one that entered may wait."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(act())
        except BaseException as error:  # noqa: BLE001  (it is raised again below)
            future.set_exception(error)
        finally:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)  # as Ctrl-C ends `serve`

    thread = threading.Thread(target=run)
    thread.start()
    try:
        try:
            server.wait()
        finally:
            thread.join()
    except KeyboardInterrupt:
        pass
    return future.result(timeout=0)
