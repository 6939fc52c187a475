"""Whether a step's process gets on with its work: it says so in shared memory, and the launcher's watchdog reads it.

Triton 24.10 asks its steps once a second whether they are there, and a thread of its own answers for them: a step that
never comes back from `execute` is healthy to it for ever.
"""

import os
from pathlib import Path
from types import TracebackType

from midas_server.shared_bytes import shared_bytes

_SIZE = 16  # two counters of 8 bytes: batches begun, batches ended


def progress_file(prefix: str, pid: int) -> Path:
    """Where the process says it; the prefix is the launcher's, as in the environment of its steps."""
    return Path(f"{prefix}{_name(pid)}")


def _name(pid: int) -> str:
    return f"process_{pid}"


class BatchCounters:
    """A context around each batch. Where no launcher asks, it counts for itself."""

    def __init__(self) -> None:
        self._counters = memoryview(shared_bytes(_name(os.getpid()), _SIZE)).cast("Q")

    def __enter__(self) -> None:
        self._counters[0] += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._counters[1] += 1


def read_progress(file: Path) -> tuple[int, int]:
    """Batches that a process has begun and ended; none of a process that says nothing."""
    try:
        counters = memoryview(file.read_bytes()[:_SIZE]).cast("Q")
    except (OSError, TypeError):  # TypeError: it is being made
        return 0, 0
    return (counters[0], counters[1]) if len(counters) == 2 else (0, 0)
