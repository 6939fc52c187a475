"""Machines, and what a million photos cost, for a number of photos a day."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.capacity.rate import measured_rate, modelled_rate, peak
from benchmarks.record import Record, Result
from benchmarks.report.figures import by_setting
from benchmarks.report.published import RTX_3090_FRAMES_PER_SECOND, T4_SERVICE
from benchmarks.report.rounds import medians

SECONDS_A_DAY = 86400
MEASURED, MODELLED, PUBLISHED = "measured", "modelled", "published, not measured here"


@dataclass(frozen=True)
class Demand:
    """What is wanted.

    Attributes:
        photos_a_day: in the mean.
        limit_ms: what the p99 of a photo's time may be.
        peak_factor: how many times the mean the busiest hour has.
        spare: machines beyond those that the busiest hour takes, for one that is down or restarted.
    """

    photos_a_day: float
    limit_ms: float
    peak_factor: float
    spare: int

    @property
    def peak_rate(self) -> float:
        """Photos a second in the busiest hour."""
        return self.photos_a_day / SECONDS_A_DAY * self.peak_factor


@dataclass(frozen=True)
class Option:
    """One way to meet the demand.

    Attributes:
        machine: its processor or GPU.
        gpu: whether it is one with a GPU.
        model, build: what it runs.
        rate: photos a second that one machine takes within the limit; 0 if it cannot keep it.
        source: `MEASURED`, `MODELLED` or `PUBLISHED`.
    """

    machine: str
    gpu: bool
    model: str
    build: str
    rate: float
    source: str

    def machines(self, demand: Demand) -> int | None:
        """How many it takes, the spare ones with them; None if one photo alone takes too long."""
        return math.ceil(demand.peak_rate / self.rate) + demand.spare if self.rate else None

    def machine_hours(self, demand: Demand) -> float | None:
        """Hours of one machine for a million photos; machines run day and night."""
        count = self.machines(demand)
        return None if count is None else count * 24 * 1e6 / demand.photos_a_day


def measured_options(records: Sequence[Record], demand: Demand, photo: str, result: Result) -> Iterator[Option]:
    """What the records have of photos of this size with this result: the whole pipeline over gRPC."""
    for record in records:
        machine = record.machine
        name = machine.gpu.name if machine.gpu else f"{machine.processor.split(' (')[0]}, {machine.cores} cores"
        rows = [
            row
            for row in medians(record).rows
            if (row.target, row.protocol, row.photo, row.result) == ("ensemble", "grpc", photo, result)
        ]
        for group in by_setting(rows):
            rate, source = measured_rate(group, demand.limit_ms), MEASURED
            reached = peak(group)
            if rate is None:
                if reached is None:
                    continue
                rate, source = modelled_rate(*reached, demand.limit_ms), MODELLED
            yield Option(name, machine.gpu is not None, group[0].model, group[0].build, rate, source)


def published_options(demand: Demand) -> Iterator[Option]:
    """What others published for GPUs, with the same model of waiting; of the network alone on the RTX 3090."""
    service = 1 / T4_SERVICE.seconds_a_photo
    rate = modelled_rate(service, 1000 * T4_SERVICE.seconds_a_photo, demand.limit_ms)
    yield Option(T4_SERVICE.machine, True, "a MiDaS service", "not said", rate, PUBLISHED)
    for model, frames in RTX_3090_FRAMES_PER_SECOND.items():
        rate = modelled_rate(frames, 1000 / frames, demand.limit_ms)
        yield Option("RTX 3090", True, model, "pytorch, network alone", rate, PUBLISHED)
