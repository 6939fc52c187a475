"""The GPU as records have it."""

from pydantic.dataclasses import dataclass

from reports.nvidia_smi import gpu_facts
from reports.records import STRICT


@dataclass(frozen=True, config=STRICT)
class Gpu:
    """A GPU's facts.

    `clock_mhz` is the highest clock of its processors and `power_limit_w` the power that it is held to, both of
    which decide its speed; `compute` is its compute capability, for instance "7.5". A figure that the driver does
    not give is None.
    """

    name: str
    driver: str
    memory_mib: int | None
    clock_mhz: int | None
    power_limit_w: float | None
    compute: str | None = None

    def __str__(self) -> str:
        facts = [self.name, f"driver {self.driver}"]
        facts += [f"{self.memory_mib:,} MiB"] if self.memory_mib else []
        facts += [f"clock up to {self.clock_mhz:,} MHz"] if self.clock_mhz else []
        facts += [f"power limit {self.power_limit_w:g} W"] if self.power_limit_w else []
        facts += [f"compute capability {self.compute}"] if self.compute else []
        return ", ".join(facts)


def this_gpu() -> Gpu | None:
    """Return the machine's first GPU; None where there is none that nvidia-smi knows."""
    facts = gpu_facts()
    return None if facts is None else Gpu(**facts)  # type: ignore[arg-type]
