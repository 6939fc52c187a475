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
_OTHERS = _SIZE // 2  # the bytes of steps around the network


class AtWork:
    """One of the processes that work for a network. Where no launcher asks, it knows of itself only.

    What a process before it of the same step and number left is forgotten.

    Args:
        network: the network step's name.
        args: what Triton hands to `initialize`.
    """

    def __init__(self, network: str, args: Mapping[str, str]) -> None:
        # Triton names instances <step>_<group>_<number>, or <step>_<number> where the config has no group.
        instance = args["model_instance_name"]
        number = int(instance.rpartition("_")[2])
        self._index = (number if instance.startswith(f"{network}_") else _OTHERS + number) % _SIZE
        prefix = os.environ.get(PREFIX_VARIABLE)
        descriptor = -1
        if prefix is not None:
            descriptor = os.open(Path(f"{prefix}{network}"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.ftruncate(descriptor, _SIZE)
        self._working = mmap.mmap(descriptor, _SIZE)
        if descriptor >= 0:
            os.close(descriptor)
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
