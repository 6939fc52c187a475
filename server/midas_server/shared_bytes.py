"""Bytes in shared memory by which a server's processes tell each other, and the launcher, what they do."""

import mmap
import os

# The launcher names the files' common beginning here, and removes them when the server has ended.
PREFIX_VARIABLE = "MIDAS_BUSY_PREFIX"


def shared_bytes(name: str, size: int) -> mmap.mmap:
    """Map so many bytes under a name, all zero at first. Where no launcher asks, nobody else sees them."""
    prefix = os.environ.get(PREFIX_VARIABLE)
    if prefix is None:
        return mmap.mmap(-1, size)
    descriptor = os.open(f"{prefix}{name}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(descriptor, size)
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)
