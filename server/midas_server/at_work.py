"""Which processes work on a network's photos at the moment: the instances of the network, and those of its preprocess.

Each has a byte in shared memory, which is 1 while it works.
"""

import mmap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from midas_server.shared_bytes import shared_bytes

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
        self._working = shared_bytes(network, _SIZE)
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
