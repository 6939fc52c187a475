"""What was chosen for a network on a machine, and why: the file `auto.json` beside the network's files.

It holds for the place where it was measured: the processor, its cores and abilities, the GPU, and the runtimes'
versions.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, get_args

from export.errors import AutoError
from midas_server.cores import cores
from midas_server.repository import version_folder
from reports.nvidia_smi import ask
from reports.processor import features, processor

Goal = Literal["latency", "throughput"]

GOALS: tuple[Goal, ...] = get_args(Goal)
FILE = "auto.json"
RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "openvino")
SECONDS = 120.0

_SAME = 0.03
"""Builds within this share of the fastest count as equally fast: two runs of one build differ by as much."""

_WORTH = 1.10
"""How much faster other settings than export's own must be. A single instance is slower in Triton than it looks here:
Triton sometimes does not notice that it has become free."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a user asks of the choice; None is the default, and any that was asked for earlier will do.

    Attributes:
        goal: "latency": the time of one photo alone; "throughput", the default: photos a second at full load.
        max_error: the largest relative error against float32 on photos; by default what export allows a trained
            network in each precision.
        seconds: after which no further build is begun.
    """

    goal: Goal | None = None
    max_error: float | None = None
    seconds: float = SECONDS


@dataclass(frozen=True, kw_only=True)
class Timed:
    """A build with its settings, and what was measured of it.

    Attributes:
        build: target and precision, "openvino bf16".
        instances: of the network step.
        max_batch_size: most photos that it takes at a time.
        usual: whether instances and batch are those that export writes otherwise.
        error: relative error against float32 on the worst of the photos.
        bound: what the error has to stay below; None where any will do.
        alone_ms: median milliseconds from a photo's bytes to its depth, one photo at a time.
        photos_per_second: at full load.
    """

    build: str
    instances: int
    max_batch_size: int
    usual: bool
    error: float
    bound: float | None
    alone_ms: float
    photos_per_second: float

    @property
    def fits(self) -> bool:
        """Whether it is accurate enough."""
        return self.bound is None or self.error < self.bound

    def speed(self, goal: Goal) -> float:
        """The larger, the better."""
        return self.photos_per_second if goal == "throughput" else 1000 / self.alone_ms

    def __str__(self) -> str:
        instances = f"{self.instances} instance{'s' if self.instances > 1 else ''}"
        photos = f"up to {self.max_batch_size} photos" if self.max_batch_size > 1 else "one photo"
        return f"{self.build}, {instances}, {photos} at a time"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a choice holds: the processor and its abilities, the cores, the GPU, and the runtimes' versions."""

    processor: str
    cores: int
    features: Sequence[str]
    gpu: str | None
    versions: Mapping[str, str]

    @classmethod
    def here(cls) -> "Place":
        """This machine, with what is installed."""
        return cls(
            processor=processor(),
            cores=cores(),
            features=list(features()),
            gpu=", ".join(row[0] for row in ask("name")) or None,
            versions=_versions(),
        )

    def __str__(self) -> str:
        abilities = f" with {', '.join(self.features)}" if self.features else ""
        return f"{self.processor}, {self.cores} cores{abilities}" + (f", {self.gpu}" if self.gpu else "")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The content of the file.

    Attributes:
        goal, max_error: what was asked for; without a max_error each precision has export's own bound.
        place: where it was measured.
        measured_at: ISO 8601.
        seconds: that it took, the exports included.
        chosen: the row of the table that won.
        table: all that were measured.
        left_out: why others were not, by their names.
    """

    goal: Goal
    max_error: float | None
    place: Place
    measured_at: str
    seconds: float
    chosen: Timed
    table: Sequence[Timed]
    left_out: Mapping[str, str]

    def to_json(self) -> str:
        """JSON text."""
        return json.dumps(asdict(self), indent=1) + "\n"

    def holds(self, wish: Wish, here: Place) -> bool:
        """Whether it is what `wish` would give `here`, so that nothing need be measured."""
        asked = wish.goal in (None, self.goal) and wish.max_error in (None, self.max_error)
        return asked and self.place == here


def best(table: Sequence[Timed], goal: Goal) -> Timed:
    """The fastest row for `goal` that is accurate enough.

    Of rows that are equally fast within the noise, the one with the smallest error. Settings other than export's own
    must be clearly faster.

    Raises:
        AutoError: no row's error is small enough.
    """
    allowed = [row for row in table if row.fits]
    if not allowed:
        least = min(table, key=lambda row: row.error)
        raise AutoError(
            f"no build has an error below {least.bound:.1e}: the smallest is {least.error:.1e}, of {least.build}. "
            "Allow more with --max-error"
        )

    def worth(row: Timed) -> float:
        return row.speed(goal) / (1.0 if row.usual else _WORTH)

    fastest = max(worth(row) for row in allowed)
    equal = [row for row in allowed if worth(row) >= (1 - _SAME) * fastest]
    return min(equal, key=lambda row: (row.error, -worth(row)))


def read_choice(repository: Path, name: str) -> Choice | None:
    """The choice beside the network `name`; None where there is none that this version can read."""
    try:
        facts = json.loads((version_folder(repository, name) / FILE).read_text())
        rows = {"chosen": Timed(**facts["chosen"]), "table": [Timed(**row) for row in facts["table"]]}
        return Choice(**{**facts, **rows, "place": Place(**facts["place"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _versions() -> dict[str, str]:
    found = {}
    for package in RUNTIMES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
