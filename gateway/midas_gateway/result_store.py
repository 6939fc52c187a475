"""Results on disk, for as long as their links hold: bounded in bytes and in age.

A result is one file, `<id>.<ending>`. Its name is all that is known of it, so several workers share the folder and a
restart loses nothing.
"""

from __future__ import annotations

import re
import secrets
import time
from contextlib import suppress
from pathlib import Path

_ID = re.compile(r"[A-Za-z0-9_-]{22}")
# Writing looks through the folder again after so many seconds.
_TIDY_SECONDS = 5.0


class ResultStore:
    """The results of a gateway.

    Args:
        folder: made if it is not there, readable by its owner alone.
        limit: bytes of all of them together; the oldest go first.
        seconds: how long each is kept.
    """

    def __init__(self, folder: Path, *, limit: int, seconds: float) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._limit = limit
        self.seconds = seconds
        self._written = 0
        self._tidied = 0.0

    def put(self, content: bytes, ending: str) -> str:
        """Keep a result. Its id, of 128 random bits, is all that is needed to fetch it.

        Args:
            content: the file.
            ending: its file type: png, jpg or npy.
        """
        identity = secrets.token_urlsafe(16)
        part = self._folder / f".{identity}.part"
        part.write_bytes(content)
        part.rename(self._folder / f"{identity}.{ending}")
        self._written += len(content)
        if self._written > self._limit // 20 or time.monotonic() - self._tidied > _TIDY_SECONDS:
            self.tidy()
        return identity

    def find(self, identity: str) -> Path | None:
        """The file of a result that is still kept."""
        if not _ID.fullmatch(identity):
            return None
        for path in self._folder.glob(f"{identity}.*"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime <= self.seconds:
                    return path
        return None

    def tidy(self) -> None:
        """Drop what is too old, and the oldest where all are too large."""
        self._written, self._tidied = 0, time.monotonic()
        files = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
        total = 0
        now = time.time()
        # From the newest on: what no longer fits is the oldest.
        for modified, size, path in sorted(files, reverse=True):
            total += size
            if total > self._limit or now - modified > self.seconds:
                path.unlink(missing_ok=True)
