"""What the server's processes take of the machine while something is measured."""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import TracebackType

import psutil

from reports.nvidia_smi import GpuUse, gpu_use

_CPU_EVERY_S = 0.25
_GPU_EVERY_S = 1.0
_MEMORY_EVERY_S = 3.0  # Linux walks all pages of a process to count them: once a second took 1 % of two cores


@dataclass(frozen=True)
class Usage:
    """What the server used; every figure is None where it could not be known.

    `cpu_cores` is the processors' worth of work in the middle of the measured time, since a load generator begins
    and ends with the server idle. `memory_mb` is memory that the processes share with nobody, `shared_memory_mb`
    what they share with each other, each page once; both are the most that was seen. GPU figures are of the whole
    machine: the medians of what was seen.
    """

    cpu_cores: float | None = None
    memory_mb: float | None = None
    shared_memory_mb: float | None = None
    gpu_percent: float | None = None
    gpu_memory_mb: float | None = None
    gpu_clock_mhz: float | None = None
    gpu_power_w: float | None = None


class UsageMeter:
    """Watches a server and its steps' processes from a thread, between entering and leaving a `with` statement.

    Args:
        pid: tritonserver's process; None for a server of which only the address is known.
        gpu: asks for the use of the GPUs; gives None without one.
    """

    def __init__(self, pid: int | None, gpu: Callable[[], GpuUse | None] = gpu_use) -> None:
        self._pid = pid
        self._gpu = gpu
        self._cpu: list[tuple[float, float]] = []
        self._memory: list[tuple[float, float]] = []
        self._gpus: list[GpuUse] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "UsageMeter":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def usage(self) -> Usage:
        """Return what was seen until now."""
        return Usage(
            cpu_cores=_slope_of_middle(self._cpu),
            memory_mb=max((private for private, _ in self._memory), default=None),
            shared_memory_mb=max((shared for _, shared in self._memory), default=None),
            gpu_percent=_median([use.percent for use in self._gpus]),
            gpu_memory_mb=_median([use.memory_mb for use in self._gpus]),
            gpu_clock_mhz=_median([use.clock_mhz for use in self._gpus]),
            gpu_power_w=_median([use.power_w for use in self._gpus]),
        )

    def _watch(self) -> None:
        processes = self._processes()
        has_gpu = True
        memory_at = gpu_at = 0.0
        while not self._done.is_set():
            now = time.monotonic()
            if processes:
                self._cpu.append((now, sum(map(_cpu_seconds, processes))))
            if now >= memory_at:
                memory_at = now + _MEMORY_EVERY_S
                self._read_memory(processes)
            if has_gpu and now >= gpu_at:
                gpu_at = now + _GPU_EVERY_S
                use = self._gpu()
                has_gpu = use is not None
                if use is not None:
                    self._gpus.append(use)
            self._done.wait(_CPU_EVERY_S)
        if processes:
            self._cpu.append((time.monotonic(), sum(map(_cpu_seconds, processes))))
        self._read_memory(processes)

    def _read_memory(self, processes: Sequence[psutil.Process]) -> None:
        memory = [_memory_mb(process.pid) for process in processes]
        if memory:
            self._memory.append((sum(own for own, _ in memory), sum(shared for _, shared in memory)))

    def _processes(self) -> list[psutil.Process]:
        if self._pid is None:
            return []
        try:
            server = psutil.Process(self._pid)
            return [server, *server.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def _cpu_seconds(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _memory_mb(pid: int) -> tuple[float, float]:
    """The private memory of a process, and its part of what it shares with others, as Linux accounts for it."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0, 0.0
    kib = {name: int(value) for name, value in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}
    return kib.get("Pss_Anon", 0) * 1024 / 1e6, kib.get("Pss_Shmem", 0) * 1024 / 1e6


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _slope_of_middle(readings: Sequence[tuple[float, float]]) -> float | None:
    """The growth a second over the middle three fifths of `readings` (time, seconds of work)."""
    if len(readings) < 2:
        return None
    cut = len(readings) // 5
    (begin, before), (end, after) = readings[cut], readings[len(readings) - 1 - cut]
    return max(0.0, after - before) / (end - begin) if end > begin else None
