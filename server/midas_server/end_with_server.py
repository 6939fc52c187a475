"""A step ends with its server, however that ends.

Triton's own program of a step looks for its server by number: a killed server that nobody has waited for keeps its
number, and a step that waits for Triton's answer does not come to its end. Linux can kill it (PR_SET_PDEATHSIG), but
at the end of the thread that is its parent. At first that is one of those with which Triton loads models, and they end
soon. Then Linux gives the step to Triton's main thread.
"""

import ctypes
import os
import select
import signal
import threading
from pathlib import Path

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def end_with_server() -> None:
    """End this process, a step, when the tritonserver that started it ends."""
    server = os.getppid()
    try:
        descriptor = os.pidfd_open(server)
    except OSError:  # the kernel is older than 5.3, or a sandbox forbids it
        return
    # Triton names itself to its steps: where it is not the parent any more, it has ended already.
    if os.getppid() != server or b"%d" % server not in Path("/proc/self/cmdline").read_bytes().split(b"\0"):
        os._exit(0)
    threading.Thread(target=_wait, args=(server, descriptor), name="end with server", daemon=True).start()


def _wait(server: int, descriptor: int) -> None:
    ended = select.poll()
    ended.register(descriptor, select.POLLIN)
    children = Path(f"/proc/{server}/task/{server}/children")  # of its main thread
    while not ended.poll(500):
        try:
            given_over = str(os.getpid()) in children.read_text().split()
        except OSError:  # a kernel without this file, or the server has ended
            break
        if given_over:
            # It holds for as long as this thread lives, and needs no Python, which a step that waits may hold up.
            _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            break
    ended.poll()
    os._exit(0)  # nobody is left to answer, and the launcher removes the files
