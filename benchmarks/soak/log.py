"""The soak's file: a line of JSON for each start, fault and stretch of time, appended as it happens.

An interrupted soak goes on in the same file. Each line has `kind` and `at`, the seconds of soak so far, in which the
time between two runs does not count.
"""

import json
import threading
import time
from pathlib import Path
from typing import Any


class Log:
    """The file, open for adding; threads may share it.

    Attributes:
        before: seconds of soak that earlier runs have done.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = read(file) if file.exists() else []
        self.before = max((float(line["at"]) for line in lines), default=0.0)
        self._file = file.open("a", buffering=1)
        if lines and not file.read_bytes().endswith(b"\n"):
            self._file.write("\n")  # after a line that a kill broke off
        self._lock = threading.Lock()
        self._started = time.monotonic()

    @property
    def at(self) -> float:
        """Seconds of soak so far."""
        return self.before + time.monotonic() - self._started

    def add(self, kind: str, **facts: Any) -> None:
        """Add a line."""
        with self._lock:
            self._file.write(json.dumps({"kind": kind, "at": round(self.at, 1), **facts}) + "\n")

    def close(self) -> None:
        """End it."""
        self._file.close()


def read(file: Path) -> list[dict[str, Any]]:
    """The lines, without one that a kill broke off."""
    found: list[dict[str, Any]] = []
    for line in file.read_text().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found
