"""What a running server takes."""

import os
from pathlib import Path

import psutil

from midas_server.launch import Triton


def private_bytes(server: Triton) -> int:
    """Memory that belongs to the server's processes alone, shared memory not counted."""
    private = 0
    process = psutil.Process(server.pid)
    for each in [process, *process.children()]:
        try:
            memory = each.memory_info()
        except psutil.NoSuchProcess:
            continue
        private += memory.rss - memory.shared
    return private


def region_bytes() -> int:
    """Shared memory of the servers that this process has started."""
    regions = Path("/dev/shm").glob(f"midas_triton_{os.getpid()}_*")  # noqa: S108
    return sum(region.stat().st_blocks * 512 for region in regions)
