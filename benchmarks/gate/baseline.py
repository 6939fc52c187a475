"""The baselines of the regression gate, one for each kind of processor, as a JSON file that is committed."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic.dataclasses import dataclass

from benchmarks.errors import BenchmarkError
from benchmarks.gate.ratios import RATIOS, Expected
from reports.machine import Machine
from reports.records import STRICT, RecordError, read_record, write_record

FILE = Path(__file__).resolve().parent.parent / "baseline.json"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Baseline:
    """Ratios by name, and what they belong to.

    Attributes:
        features: of the processor, see `reports.processor.features`.
        seconds: length of one measurement.
    """

    measured_at: str
    command: str
    machine: Machine
    features: tuple[str, ...]
    versions: dict[str, str]
    model: str
    photo: str
    seconds: float
    ratios: dict[str, Expected]

    @property
    def kind(self) -> str:
        """The kind of processor that it belongs to."""
        return kind(self.machine, self.features)


@dataclass(frozen=True, config=STRICT)
class BaselineFile:
    """What the file holds."""

    schema: Literal[2]
    baselines: tuple[Baseline, ...]


def kind(machine: Machine, features: Sequence[str]) -> str:
    """Return what a baseline belongs to, in words: processor, cores, and what it computes by itself."""
    return f"{machine.processor}, {machine.cores} cores" + (f", with {', '.join(features)}" if features else "")


def fitting(baselines: Sequence[Baseline], machine: Machine, features: Sequence[str]) -> Baseline | None:
    """Return this kind of processor's baseline, or what another one with as many cores says about this one.

    The latter is the newest, without the ratios that depend on the kind of processor. None where nothing is left.
    """
    own = [each for each in baselines if each.kind == kind(machine, features)]
    if own:
        return own[0]
    native = {ratio.name for ratio in RATIOS if ratio.native}
    others = [
        replace(each, ratios={name: ratio for name, ratio in each.ratios.items() if name not in native})
        for each in baselines
        if each.machine.cores == machine.cores
    ]
    return max((each for each in others if each.ratios), key=lambda each: each.measured_at, default=None)


def read_baselines(file: Path) -> tuple[Baseline, ...]:
    """Read the baselines, each of another kind of processor.

    Raises:
        BenchmarkError: there are none, or the file is not one of baselines.
    """
    if not file.exists():
        raise BenchmarkError(f"there is no baseline at {file}: make one with --update")
    try:
        return read_record(BaselineFile, file).baselines
    except RecordError as error:
        raise BenchmarkError(f"{error}. If it holds no baselines, delete it and make one with --update") from error


def write_baseline(file: Path, baseline: Baseline) -> None:
    """Write a baseline beside those of other kinds of processors, in place of an earlier one of its kind.

    Raises:
        RecordError: the file cannot be written.
        BenchmarkError: the file is there and holds no baselines.
    """
    there = read_baselines(file) if file.exists() else ()
    kept = [each for each in there if each.kind != baseline.kind]
    write_record(file, BaselineFile(2, (*kept, baseline)))
