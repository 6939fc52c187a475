"""The machine and the program versions that a measurement belongs to."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
from pydantic.dataclasses import dataclass

from reports.gpu import Gpu, this_gpu
from reports.records import STRICT

_FEATURES = {
    "avx512": {"avx512f"},
    "vnni": {"avx512_vnni", "avx_vnni", "asimddp"},
    "bf16": {"avx512_bf16", "bf16"},
    "amx": {"amx_bf16"},
}
"""The kernel's flags for each, on Intel, AMD and ARM; one of them is enough."""


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
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        busy_percent=psutil.cpu_percent(interval=0.5),
        gpu=this_gpu(),
    )


def features() -> tuple[str, ...]:
    """Return which of the abilities that decide how fast a build is this processor has, such as "avx512", "bf16"."""
    facts = _cpu_facts()
    flags = set(facts.get("flags", facts.get("Features", "")).split())
    return tuple(name for name, any_of in _FEATURES.items() if flags & any_of)


def versions(*packages: str) -> dict[str, str]:
    """Return Python's version, and those of the `packages` that are installed here."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    """Return the model's name with its family's number, since many virtual machines give a name without one."""
    facts = _cpu_facts()
    name = facts.get("model name", platform.machine())
    return f"{name} (family {facts.get('cpu family', '?')}, model {facts.get('model', '?')})"


def _cpu_facts() -> dict[str, str]:
    facts: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    return facts
