"""Files that are there completely or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write the file so that its name never shows half of it, whatever happens meanwhile.

    The bytes go into a file beside it, which then takes the name; so the folder must be writable. An older file of
    that name is replaced, or kept if the writing fails. A pipe or a device is written to directly.

    Raises:
        OSError: it cannot be written; the error names the given path.
    """
    target = Path(os.path.realpath(path))  # behind a link, which stays one
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    part = target.with_name(f".{os.urandom(8).hex()}.part")
    try:
        with part.open("xb") as file:
            file.write(data)
        part.replace(target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if isinstance(error, OSError) and error.errno is not None:
            # The name of the other file would only puzzle.
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise
