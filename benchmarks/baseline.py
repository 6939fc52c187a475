"""The baseline of the regression gate as a JSON file that is committed."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from benchmarks.errors import BenchmarkError
from benchmarks.gate import Expected
from benchmarks.json_types import NotOfType, read_as
from benchmarks.machine import Machine

FILE = Path(__file__).with_name("baseline.json")


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """Ratios by name, and what they belong to; ``seconds`` is the length of one measurement."""

    schema: Literal[1] = 1
    measured_at: str
    command: str
    machine: Machine
    versions: Mapping[str, str]
    model: str
    photo: str
    seconds: float
    ratios: Mapping[str, Expected]


def read_baseline(file: Path) -> Baseline:
    """Read a baseline.

    Raises:
        BenchmarkError: there is none, or the file is not one.
    """
    try:
        return read_as(Baseline, json.loads(file.read_text()))
    except FileNotFoundError as error:
        raise BenchmarkError(f"there is no baseline at {file}: make one with --update") from error
    except OSError as error:
        raise BenchmarkError(f"cannot read {file}: {error.strerror}") from error
    except NotOfType as error:
        raise BenchmarkError(f"{file} is not a baseline: {error}; make a new one with --update") from error
    except ValueError as error:
        raise BenchmarkError(f"{file} is not JSON: {error}; make a new one with --update") from error


def write_baseline(file: Path, baseline: Baseline) -> None:
    """Write a baseline, in place of what was there.

    Raises:
        BenchmarkError: the file cannot be written.
    """
    try:
        file.write_text(json.dumps(asdict(baseline), indent=1) + "\n")
    except OSError as error:
        raise BenchmarkError(f"cannot write {file}: {error.strerror}") from error
