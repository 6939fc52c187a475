"""A server's files in shared memory: tensors between Triton and its Python steps, and a network's signs of load."""

import os
from pathlib import Path

import psutil

FOLDER = Path("/dev/shm")  # noqa: S108  (not a temporary file: where POSIX shared memory lives on Linux)
PREFIX = "midas_triton_"


def region_prefix() -> str:
    """A prefix for the regions of a server that this process is about to start; it names the process."""
    return f"{PREFIX}{os.getpid()}_{os.urandom(3).hex()}_"


def remove_regions(prefix: str) -> None:
    """Remove what a server that has ended left behind."""
    for region in FOLDER.glob(f"{prefix}*"):
        region.unlink(missing_ok=True)


def remove_orphaned_regions() -> None:
    """Remove what servers left behind whose launcher was killed before it could."""
    for region in FOLDER.glob(f"{PREFIX}*"):
        owner = region.name.removeprefix(PREFIX).split("_")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            region.unlink(missing_ok=True)
