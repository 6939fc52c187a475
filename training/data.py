"""Which photos with depth are trained on, how often, and which are held out."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from accuracy.errors import AccuracyError
from accuracy.pair import Pair
from accuracy.pairs import read_pairs
from training.errors import TrainingError

HELD_OUT = 0.02
MOST_HELD_OUT = 48  # of one data set: an evaluation should take seconds


@dataclass(frozen=True)
class DataSet:
    """Pairs that are drawn from alike.

    Attributes:
        name: of its folder.
        pairs: those to train on, at least one.
        held_out: those that are only ever evaluated on.
        weight: share of all photos that come from here, against the other sets' weights.
    """

    name: str
    pairs: Sequence[Pair]
    held_out: Sequence[Pair]
    weight: float


def read_data(entries: Sequence[str]) -> list[DataSet]:
    """The data sets of a command line.

    Args:
        entries: `DIR`, or `DIR=WEIGHT` with a number above 0; without one a set weighs as much as it has pairs.

    Raises:
        TrainingError: no such data set, or a weight that is none.
    """
    return [_read(*_parsed(entry)) for entry in entries]


def read_all(path: Path) -> list[Pair]:
    """Every pair of a data set; raises TrainingError where there is none."""
    try:
        return read_pairs(path)
    except AccuracyError as error:
        raise TrainingError(str(error)) from error


def fingerprint(sets: Sequence[DataSet]) -> int:
    """A number that changes with the photos that are learnt from, their order and their weights."""
    names = [f"{each.name} {each.weight} {[pair.photo.name for pair in each.pairs]}" for each in sets]
    return zlib.crc32("\n".join(names).encode())


def _parsed(entry: str) -> tuple[Path, float | None]:
    path, equals, number = entry.rpartition("=")
    if not equals:
        return Path(entry), None
    try:
        weight = float(number)
    except ValueError:
        return Path(entry), None
    if not 0 < weight < float("inf"):
        raise TrainingError(f"--data {entry}: a weight must be a number above 0")
    return Path(path), weight


def _read(path: Path, weight: float | None) -> DataSet:
    pairs = read_all(path)
    held_out = [pair for pair in pairs if _draw(pair) < HELD_OUT][:MOST_HELD_OUT]
    rest = [pair for pair in pairs if pair not in set(held_out)]
    if not rest:
        rest, held_out = pairs, []
    return DataSet(path.name, rest, held_out, weight or float(len(rest)))


def _draw(pair: Pair) -> float:
    """0..1 from the photo's name: the same photos are held out wherever the data lies."""
    return (zlib.crc32(pair.photo.name.encode()) & 0xFFFFFFFF) / 2**32
