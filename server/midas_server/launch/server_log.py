"""What a tritonserver says while it runs: passed on line by line, and the last of it kept for error messages."""

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO

GPU_DEVICE = Path("/dev/nvidiactl")
# Spare the operator of a machine without a GPU errors about what it does not have.
NOISE_WITHOUT_GPU = ("CudaDriverHelper", "CUDA driver version is insufficient", "pinned system memory")


class ServerLog:
    """Reads one server's output in a thread of its own, until it ends.

    Args:
        output: what the server writes to; closed when it ends.
        write: where each line goes.
    """

    def __init__(self, output: IO[str], write: Callable[[str], None]) -> None:
        self._output = output
        self._write = write
        self._last_lines: deque[str] = deque(maxlen=60)
        threading.Thread(target=self._read, daemon=True).start()

    def complaints(self) -> str:
        """The errors among the last lines; all of them where there is none."""
        lines = list(self._last_lines)
        errors = [line for line in lines if line.startswith(("E", "F", "error")) or "rror" in line]
        return "".join(errors or lines).strip() or "it said nothing"

    def _read(self) -> None:
        noise = () if GPU_DEVICE.exists() else NOISE_WITHOUT_GPU
        with self._output as lines:
            for line in lines:
                if any(complaint in line for complaint in noise):
                    continue
                self._last_lines.append(line)
                self._write(line)
