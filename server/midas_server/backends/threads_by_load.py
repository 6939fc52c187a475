"""How many threads an instance of a network computes with: all while it is alone, its share while others compute too.

Threads of one computation wait for each other at every layer, and wait longer where something else runs on the same
cores. On two cores a photo alone takes nearly half as long with two threads as with one; but two instances with two
threads each took 44 ms a photo of midas_v21_small_256 together, and with one thread each 37 ms.

All cores are those that the process may use: in a container with a limit on its time fewer than the machine has.

A runtime fixes the threads when it opens a network, so an instance opens it twice. Instances are processes; each has a
byte in shared memory, which is 1 while it computes.
"""

import mmap
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from midas_server.cores import cores, fewer_cores

Arrays = Mapping[str, Any]
Compute = Callable[[Arrays], Arrays]

# The launcher names the files' common beginning here, and removes them when the server has ended.
PREFIX_VARIABLE = "MIDAS_BUSY_PREFIX"
_SIZE = mmap.PAGESIZE


def share_of_cores(config: Mapping[str, Any], threads_parameter: str) -> int | None:
    """The threads of an instance while all compute; None where they are those that a runtime takes by itself.

    Args:
        config: the model config, parsed from JSON.
        threads_parameter: what the backend calls the number of threads. A config that sets it means it.
    """
    instances = sum(int(group.get("count", 1)) for group in config.get("instance_group", []))
    if _asked(config, threads_parameter):
        return None
    return max(1, cores() // instances) if instances > 1 and cores() > 1 else fewer_cores()


def _asked(config: Mapping[str, Any], threads_parameter: str) -> bool:
    return config.get("parameters", {}).get(threads_parameter, {}).get("string_value", "0") not in ("", "0")


def threads_by_load(
    args: Mapping[str, str], config: Mapping[str, Any], threads_parameter: str, opened: Callable[[int | None], Compute]
) -> Compute:
    """Open a network as often as it takes.

    Args:
        args: what Triton hands to `initialize`.
        config: the model config, parsed from JSON.
        threads_parameter: what the backend calls the number of threads; see `share_of_cores`.
        opened: opens the network with so many threads, or with None as the config says.

    Returns:
        What computes with the right number of threads.
    """
    share, prefix = share_of_cores(config, threads_parameter), os.environ.get(PREFIX_VARIABLE)
    alone = None if _asked(config, threads_parameter) else fewer_cores()
    if share in (None, alone) or prefix is None:
        return opened(alone)
    # Triton names instances <model>_<group>_<number>; there is one group.
    index = int(args["model_instance_name"].rpartition("_")[2])
    neighbours = Neighbours(Path(f"{prefix}{config['name']}"), index)
    return ByLoad(opened(alone), opened(share), neighbours, warm_up=len(config.get("model_warmup", [])))


class Neighbours:
    """The instances of one network in one server.

    Args:
        file: in shared memory; made if needed.
        index: which of them this one is. What a process before it of the same index left is forgotten.
    """

    def __init__(self, file: Path, index: int) -> None:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, _SIZE)
            self._busy = mmap.mmap(descriptor, _SIZE)
        finally:
            os.close(descriptor)
        self._index = index % _SIZE
        self._busy[self._index] = 0

    @contextmanager
    def computing(self) -> Iterator[bool]:
        """Compute in this context; tells whether no other instance does so when it begins."""
        self._busy[self._index] = 1
        try:
            # Two that begin at the same moment see each other, and both take their share.
            yield self._busy[:].count(1) == 1
        finally:
            self._busy[self._index] = 0


class ByLoad:
    """One network, opened with all threads and with a share of them.

    Args:
        alone, shared: compute with the one and with the other.
        neighbours: tells which it is to be.
        warm_up: how many samples Triton sends before the first request: both compute those.
    """

    def __init__(self, alone: Compute, shared: Compute, neighbours: Neighbours, warm_up: int) -> None:
        self._alone, self._shared = alone, shared
        self._neighbours = neighbours
        self._warm_up = warm_up

    def __call__(self, feeds: Arrays) -> Arrays:
        """Compute a batch, with all cores where no other instance computes."""
        if self._warm_up > 0:
            self._warm_up -= 1
            self._shared(feeds)
            return self._alone(feeds)
        with self._neighbours.computing() as alone:
            return self._alone(feeds) if alone else self._shared(feeds)
