"""A server's files in shared memory: tensors between Triton and its Python steps, and a network's signs of load."""

import os
from pathlib import Path

from midas_server.launch.leftovers import own_prefix

FOLDER = Path("/dev/shm")  # noqa: S108  (not a temporary file: where POSIX shared memory lives on Linux)


def region_prefix() -> str:
    """A prefix for the regions of a server that this process is about to start; it names the process."""
    return f"{own_prefix()}{os.urandom(3).hex()}_"


def remove_regions(prefix: str) -> None:
    """Remove what a server that has ended left behind."""
    for region in FOLDER.glob(f"{prefix}*"):
        region.unlink(missing_ok=True)
