"""The machine and the program versions that a measurement belongs to."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import psutil
from pydantic.dataclasses import dataclass

from reports.gpu import Gpu, this_gpu
from reports.processor import processor
from reports.records import STRICT


@dataclass(frozen=True, config=STRICT)
class Machine:
    """Where it was measured. `busy_percent` is how much of the processor other programs used just before."""

    processor: str
    cores: int
    memory_gib: float
    system: str
    busy_percent: float
    gpu: Gpu | None = None

    @property
    def name(self) -> str:
        """What tells one machine from another: the processor and its cores, and the GPU where there is one."""
        return f"{self.processor}, {self.cores} cores" + (f", {self.gpu.name}" if self.gpu else "")

    def __str__(self) -> str:
        return (
            f"{self.processor}, {self.cores} cores, {self.memory_gib:g} GiB of memory, {self.system}; "
            f"other programs used {self.busy_percent:.0f} % of the processor"
        )


def this_machine() -> Machine:
    """Return this machine's facts; looks at its load for half a second."""
    return Machine(
        processor=processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        busy_percent=psutil.cpu_percent(interval=0.5),
        gpu=this_gpu(),
    )


def versions(*packages: str) -> dict[str, str]:
    """Return Python's version, and those of the `packages` that are installed here."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
