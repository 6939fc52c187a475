"""What a running server takes."""

import psutil

from midas_server.launch import Triton
from midas_server.launch.leftovers import own_prefix
from midas_server.launch.shared_memory import FOLDER


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
    regions = FOLDER.glob(f"{own_prefix()}*")
    return sum(region.stat().st_blocks * 512 for region in regions)
