"""The baseline of the regression gate as a JSON file that is committed."""

from pathlib import Path
from typing import Literal

from pydantic.dataclasses import dataclass

from benchmarks.errors import BenchmarkError
from benchmarks.gate.ratios import Expected
from reports.machine import Machine
from reports.records import STRICT, RecordError, read_record

FILE = Path(__file__).resolve().parent.parent / "baseline.json"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Baseline:
    """Ratios by name, and what they belong to; ``seconds`` is the length of one measurement."""

    schema: Literal[1] = 1
    measured_at: str
    command: str
    machine: Machine
    versions: dict[str, str]
    model: str
    photo: str
    seconds: float
    ratios: dict[str, Expected]


def read_baseline(file: Path) -> Baseline:
    """Read a baseline, which :func:`reports.records.write_record` wrote.

    Raises:
        BenchmarkError: there is none, or the file is not one.
    """
    if not file.exists():
        raise BenchmarkError(f"there is no baseline at {file}: make one with --update")
    try:
        return read_record(Baseline, file)
    except RecordError as error:
        raise BenchmarkError(f"{error}; make a new one with --update") from error
