"""Regions of shared memory that a server on this machine writes depth maps into.

A region is a file in /dev/shm, as POSIX shared memory is on Linux. It is made here rather than by Python's
multiprocessing.shared_memory for two reasons: its memory must be reserved, because a write to a file for which /dev/shm
has no room left ends the writer, and that is the server; and nobody but its owner may unlink it.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from midas_client._errors import AnswerError
from midas_client._transports.answer import DEPTH, LENGTH, OUTPUTS, PlainOutputs

FOLDER = Path("/dev/shm")  # noqa: S108  (not a temporary file: where POSIX shared memory lives on Linux)

# The namespace of process numbers, the user, the process, when it started, and a random part that nobody can guess.
_NAME = re.compile(r"midas_client_(\d+)_(\d+)_(\d+)_(\d+)_[0-9a-f]{16}")

# A NaN that no computation gives, and a length that no answer has. It lies where the answer's first and last number
# will be.
_UNWRITTEN = np.uint32(0x7FA5C3D1)


class NotWrittenError(AnswerError):
    """The server says that it has answered, and the region is as it was."""


class Region:
    """Shared memory of this process, readable and writable by its user only.

    Attributes:
        name: under which the server knows it; the file in /dev/shm has the same.
        size: in bytes.

    Raises:
        OSError: /dev/shm is full, or not there.
    """

    def __init__(self, size: int) -> None:
        self.name = f"midas_client_{_namespace()}_{os.getuid()}_{os.getpid()}_{_start_of(os.getpid())}"
        self.name += f"_{secrets.token_hex(8)}"
        self.size = size
        self._owner = os.getpid()
        file = os.open(FOLDER / self.name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            os.posix_fallocate(file, 0, size)
            self._memory = mmap.mmap(file, size)
        except OSError:
            self.unlink()
            raise
        finally:
            os.close(file)

    def expect(self, size: int) -> None:
        """Prepare for an answer of this many bytes."""
        words = np.frombuffer(self._memory, np.uint32)
        words[0] = words[size // 4 - 1] = _UNWRITTEN

    def read(self, shape: Sequence[int]) -> npt.NDArray[np.float32]:
        """A copy of the answer float32 of this shape.

        Raises:
            AnswerError: it does not fit, or was not written.
        """
        count = math.prod(shape)
        if min(shape, default=0) < 0 or count * 4 > self.size:
            raise AnswerError(f"The answer of shape {list(shape)} does not fit into its {self.size:,} bytes")
        numbers = np.frombuffer(self._memory, np.float32, count)
        words = numbers.view(np.uint32)
        if count and _UNWRITTEN in (words[0], words[-1]):
            raise NotWrittenError("The server has not written the answer to shared memory")
        # A copy: what the caller holds, no later request and no other process may change.
        return numbers.reshape(shape).copy()

    def read_bytes(self) -> bytes:
        """A copy of the answer's one BYTES element, which begins with its length.

        Raises:
            AnswerError: it does not fit, or was not written.
        """
        length = int(np.frombuffer(self._memory, "<u4", 1)[0])
        if length == _UNWRITTEN:
            raise NotWrittenError("The server has not written the answer to shared memory")
        if length + LENGTH > self.size:
            raise AnswerError(f"The answer of {length:,} bytes does not fit into its {self.size:,} bytes")
        return self._memory[LENGTH : LENGTH + length]

    def unlink(self) -> None:
        """Remove the file. The memory is freed when the server has let go of it too, and no array can be hurt."""
        # After a fork the child has the object, and the file is still the parent's.
        if os.getpid() == self._owner:
            with contextlib.suppress(OSError):
                (FOLDER / self.name).unlink()


class OutputsInRegion(PlainOutputs):
    """The outputs of a depth model, one of them in a region: DEPTH or ENCODED."""

    def __init__(self, region: Region, placed: str = DEPTH) -> None:
        self.region = region
        self.placed = placed

    def requested(self, make: Callable[[str], Any]) -> list[Any]:
        outputs = super().requested(make)
        outputs[OUTPUTS.index(self.placed)].set_shared_memory(self.region.name, self.region.size)
        return outputs

    def array(self, result: Any, name: str) -> npt.NDArray[Any] | None:
        if name != self.placed:
            return super().array(result, name)
        tensor = result.get_output(name)
        if tensor is None:
            return None
        if name != DEPTH:
            return np.array([[self.region.read_bytes()]], dtype=np.object_)
        shape = tensor["shape"] if isinstance(tensor, dict) else tensor.shape  # over HTTP it is JSON
        return self.region.read([int(side) for side in shape])


def remove_files_of_the_dead() -> None:
    """Remove the regions of this user's processes that ended without doing so."""
    for path in FOLDER.glob(f"midas_client_{_namespace()}_{os.getuid()}_*"):
        match = _NAME.fullmatch(path.name)
        if match and not _lives(match):
            with contextlib.suppress(OSError):
                path.unlink()


def is_abandoned(name: str) -> bool:
    """Whether a region that the server has is this user's, and of no use any more to whoever registered it."""
    match = _NAME.fullmatch(name)
    if not match or (match[1], match[2]) != (str(_namespace()), str(os.getuid())):
        return False
    return not _lives(match) or not (FOLDER / name).exists()


def _lives(match: re.Match[str]) -> bool:
    return _start_of(int(match[3])) == match[4]


def _start_of(pid: int) -> str | None:
    """When a process started, in clock ticks since the machine did; None if it is no more, or a zombie."""
    try:
        # The command's name, in brackets, may itself have spaces and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else fields[19]


def _namespace() -> int:
    """Containers may share /dev/shm and count their processes each from 1."""
    return Path("/proc/self/ns/pid").stat().st_ino
