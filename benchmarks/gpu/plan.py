"""What is measured on a GPU, the most important first, and what has to be left out when time is short."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.report.published import RTX_3090_FRAMES_PER_SECOND
from export.variants import VARIANTS

Runtime = Literal["pytorch eager", "pytorch compiled", "onnx runtime", "tensorrt", "served"]

RUNTIMES: tuple[Runtime, ...] = ("pytorch eager", "pytorch compiled", "onnx runtime", "tensorrt", "served")

EXPECTED_S = {"pytorch eager": 10.0, "pytorch compiled": 75.0, "onnx runtime": 60.0, "tensorrt": 90.0, "served": 90.0}
"""How long a job may take before one of its kind was measured: none is begun that would not end in time."""

EXPORTED = ("midas_v21_small_256", "dpt_hybrid_384", "depth_anything_v2_vits", "dpt_large_384")
"""The networks that are exported for ONNX Runtime and TensorRT, which takes long."""

SERVED = "midas_tiny_256"


@dataclass(frozen=True)
class Job:
    """One network with one runtime in one precision."""

    model: str
    runtime: Runtime
    precision: str

    def __str__(self) -> str:
        return f"{self.model}, {self.runtime} {self.precision}"


def order(models: Sequence[str]) -> list[str]:
    """Return the networks, the most important first: those with a published speed, one of each other kind, the rest.

    The metric networks and the first version of Depth Anything are as fast as the second version, so they are last.
    """

    def rank(name: str) -> int:
        if name in RTX_3090_FRAMES_PER_SECOND:
            return 0
        return 1 if name == SERVED or (name.startswith("depth_anything_v2_") and "metric" not in name) else 2

    return sorted(models, key=rank)


def jobs(models: Sequence[str], runtimes: Iterable[str], precisions: Sequence[str]) -> list[Job]:
    """Return all jobs, the most important first.

    Eager PyTorch in the first precision is what the published figures are of; the served path is what the project is
    about; compiled PyTorch takes longest.
    """
    first, *others = precisions
    ordered = order(models)
    exported = [name for name in EXPORTED if name in ordered]
    planned = [Job(name, "pytorch eager", first) for name in ordered]
    planned.append(Job(SERVED, "served", "fp32"))
    planned += [Job(name, "pytorch eager", other) for other in others for name in ordered]
    planned += [Job(name, runtime, "fp16") for name in exported for runtime in ("onnx runtime", "tensorrt")]
    planned += [Job(name, "pytorch compiled", precision) for precision in precisions for name in ordered]
    wanted = set(runtimes)
    return [job for job in planned if job.runtime in wanted]


@dataclass
class Budget:
    """The time that a run has.

    Attributes:
        seconds: of the whole run.
        clock: gives seconds.
        longest: the longest that a job of each runtime has taken.
    """

    seconds: float
    clock: Callable[[], float] = time.monotonic
    longest: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._started = self.clock()

    @property
    def left(self) -> float:
        """Seconds."""
        return self._started + self.seconds - self.clock()

    def allows(self, job: Job) -> bool:
        """Whether a job of this kind should end in time."""
        return self.left > self.longest.get(job.runtime, EXPECTED_S[job.runtime])

    def note(self, job: Job, seconds: float) -> None:
        """Note how long a job took."""
        self.longest[job.runtime] = max(self.longest.get(job.runtime, 0.0), seconds)


def every_variant() -> list[str]:
    """Return the names of all networks of the table."""
    return list(VARIANTS)
