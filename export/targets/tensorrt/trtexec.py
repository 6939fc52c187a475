"""One run of trtexec, and what its failures mean."""

import os
import shlex
import signal
import subprocess
from collections.abc import Sequence

from export.errors import TensorRTError

_LAST_LINES = 12


def run_trtexec(command: Sequence[str]) -> list[str]:
    """Run it to its end and return the lines that it printed.

    Raises:
        TensorRTError: it does not start, fails or is killed; with its last lines.
    """
    # Its GPU numbers are then nvidia-smi's; CUDA's own order puts the fastest first.
    environment = {**os.environ, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise TensorRTError(f"{command[0]} does not run: {error}") from error
    said = done.stdout.splitlines()
    if done.returncode < 0:
        raise TensorRTError(
            f"trtexec was ended by {signal.Signals(-done.returncode).name}. Where the machine ran out of memory, close "
            f"other programs or build on a larger one. Its last lines:{last_of(said)}"
        )
    if done.returncode != 0:
        raise TensorRTError(
            f"trtexec failed with status {done.returncode}: {shlex.join(command)}\nIts last lines:{last_of(said)}"
        )
    return said


def last_of(said: Sequence[str]) -> str:
    """The last lines, indented, each on a line of its own."""
    return "".join(f"\n  {line.rstrip()}" for line in said[-_LAST_LINES:])
