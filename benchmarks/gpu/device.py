"""The machine as records have it, and the GPU's clock and power while something runs. Standard library and pynvml."""

import importlib
import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from reports.nvidia_smi import gpu_facts, gpu_use
from reports.processor import processor

_EVERY_S = 0.1


@dataclass
class Seen:
    """What was seen of the GPU; empty without one."""

    clocks_mhz: list[float] = field(default_factory=list)
    powers_w: list[float] = field(default_factory=list)

    @property
    def clock_mhz(self) -> float | None:
        """The mean."""
        return round(mean(self.clocks_mhz), 1) if self.clocks_mhz else None

    @property
    def power_w(self) -> float | None:
        """The mean."""
        return round(mean(self.powers_w), 1) if self.powers_w else None


class Watch:
    """Reads the clock and the power of the first GPU: with pynvml where that is installed, else with nvidia-smi."""

    def __init__(self, on: bool) -> None:
        self._on = on
        self._nvml: Any = None
        self._gpu: Any = None
        if on:
            try:
                self._nvml = importlib.import_module("pynvml")
                self._nvml.nvmlInit()
                self._gpu = self._nvml.nvmlDeviceGetHandleByIndex(0)
            except Exception:  # noqa: BLE001 - not installed, or errors of its own kind: nvidia-smi is asked then
                self._nvml = None

    @contextmanager
    def watching(self) -> Iterator[Seen]:
        """Watch in this context."""
        seen, over = Seen(), threading.Event()
        if not self._on:
            yield seen
            return

        def look() -> None:
            while not over.wait(_EVERY_S):
                self._look(seen)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield seen
        finally:
            over.set()
            thread.join()

    def _look(self, seen: Seen) -> None:
        if self._nvml is not None:
            try:
                clock = self._nvml.nvmlDeviceGetClockInfo(self._gpu, self._nvml.NVML_CLOCK_SM)
                power = self._nvml.nvmlDeviceGetPowerUsage(self._gpu) / 1000
            except Exception:  # noqa: BLE001 - a figure that the driver does not give
                return
            seen.clocks_mhz.append(clock)
            seen.powers_w.append(power)
            return
        use = gpu_use()
        if use is not None and use.clock_mhz is not None:
            seen.clocks_mhz.append(use.clock_mhz)
        if use is not None and use.power_w is not None:
            seen.powers_w.append(use.power_w)


def machine() -> dict[str, Any]:
    """Return the fields of `reports.machine.Machine`; looks at the load for half a second."""
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "busy_percent": _busy_percent(),
        "gpu": gpu_facts(),
    }


def _busy_percent() -> float:
    def ticks() -> tuple[int, int]:
        numbers = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return sum(numbers), numbers[3] + numbers[4]

    before = ticks()
    time.sleep(0.5)
    total, idle = (after - earlier for after, earlier in zip(ticks(), before, strict=True))
    return round(100 * (1 - idle / total), 1) if total else 0.0
