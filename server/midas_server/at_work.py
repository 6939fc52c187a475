"""Which processes work on a network's photos at the moment: the instances of the network, and those of its preprocess.

Each has a byte in shared memory, which is 1 while it works.
"""

import mmap
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# The launcher names the files' common beginning here, and removes them when the server has ended.
PREFIX_VARIABLE = "MIDAS_BUSY_PREFIX"

_SIZE = mmap.PAGESIZE
_OTHERS = _SIZE // 2  # the bytes of the steps around the network begin here


class AtWork:
    """One of the processes that work for a network. Where no launcher asks, it knows of itself only.

    What a process before it of the same step and number left is forgotten.

    Args:
        network: the network step's name.
        args: what Triton hands to `initialize`.
    """

    def __init__(self, network: str, args: Mapping[str, str]) -> None:
        # Triton ends the names of instances with their numbers in a group; our configs have one group.
        number = int(args["model_instance_name"].rpartition("_")[2])
        self._index = (number if args["model_name"] == network else _OTHERS + number) % _SIZE
        self._working = _shared(network)
        self._working[self._index] = 0

    @contextmanager
    def now(self) -> Iterator[None]:
        """Work in this context."""
        self._working[self._index] = 1
        try:
            yield
        finally:
            self._working[self._index] = 0

    def alone(self) -> bool:
        """Whether one process works at the moment, and no other.

        Two that begin at the same moment see each other, and neither is alone.
        """
        return self._working[:].count(1) == 1


def _shared(network: str) -> mmap.mmap:
    prefix = os.environ.get(PREFIX_VARIABLE)
    if prefix is None:
        return mmap.mmap(-1, _SIZE)
    descriptor = os.open(Path(f"{prefix}{network}"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(descriptor, _SIZE)
        return mmap.mmap(descriptor, _SIZE)
    finally:
        os.close(descriptor)
