"""What nvidia-smi says of the GPUs. Standard library only, so that a bare machine with a GPU can be asked as well."""

import csv
import subprocess
from dataclasses import dataclass

_TIMEOUT_S = 10


@dataclass(frozen=True)
class GpuUse:
    """How all GPUs of the machine are used at a moment: means, but their memory and power together.

    A figure that the driver does not give is None.
    """

    percent: float | None
    memory_mb: float | None
    clock_mhz: float | None = None
    power_w: float | None = None


def gpu_facts() -> dict[str, str | int | float | None] | None:
    """Return the fields of `reports.gpu.Gpu` for the machine's first GPU; None where there is none."""
    for row in ask("name", "driver_version", "memory.total", "clocks.max.sm", "power.limit", "compute_cap"):
        memory, clock, power = (number(row[i]) for i in (2, 3, 4))
        return {
            "name": row[0],
            "driver": row[1],
            "memory_mib": None if memory is None else round(memory),
            "clock_mhz": None if clock is None else round(clock),
            "power_limit_w": power,
            "compute": None if number(row[5]) is None else row[5],
        }
    return None


def gpu_use() -> GpuUse | None:
    """Return how the GPUs are used now; None without one."""
    rows = ask("utilization.gpu", "memory.used", "clocks.current.sm", "power.draw")
    if not rows:
        return None
    columns = [[value for value in map(number, column) if value is not None] for column in zip(*rows, strict=True)]
    busy, memory_mib, clock, power = columns
    return GpuUse(
        percent=sum(busy) / len(busy) if busy else None,
        memory_mb=sum(memory_mib) * 2**20 / 1e6 if memory_mib else None,
        clock_mhz=sum(clock) / len(clock) if clock else None,
        power_w=sum(power) if power else None,
    )


def ask(*fields: str) -> list[list[str]]:
    """Return nvidia-smi's answer to `fields`, a row a GPU; an empty list where it is missing, or finds none."""
    command = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    if done.returncode != 0:
        return []
    rows = [[cell.strip() for cell in row] for row in csv.reader(done.stdout.splitlines())]
    return [row for row in rows if len(row) == len(fields)]


def number(text: str) -> float | None:
    """Read a figure; None for the likes of `[N/A]`, which the driver says of what it does not know."""
    try:
        return float(text)
    except ValueError:
        return None
