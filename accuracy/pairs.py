"""The photos with depth of a data set: a `pairs.csv`, or a folder in a known layout."""

import csv
import math
from pathlib import Path
from typing import cast

from accuracy.errors import AccuracyError
from accuracy.layouts import find_layout
from accuracy.pair import KINDS, Pair, TruthKind

NAME = "pairs.csv"
HEADER = ("photo", "truth", "kind", "scale")


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of a data set, at least one; the files that they name are not opened yet.

    Args:
        path: a csv file with the header `photo,truth,kind,scale` (paths relative to it, scale may be empty: 1), a
            folder that holds one called pairs.csv, or a folder in the layout of NYUv2, KITTI, DIODE, TUM RGB-D or
            Middlebury.

    Raises:
        AccuracyError: there is no such data set, or a line of the csv is wrong.
    """
    if path.is_file():
        return _read_csv(path)
    if not path.is_dir():
        raise AccuracyError(f"there is no {path}: name a folder of photos with depth, or a csv file of pairs")
    if (path / NAME).is_file():
        return _read_csv(path / NAME)
    return find_layout(path)[1]


def _read_csv(path: Path) -> list[Pair]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if tuple(rows.fieldnames or ()) != HEADER:
                raise AccuracyError(f"{path}: the first line must be {','.join(HEADER)}")
            pairs = [_pair(row, path, rows.line_num) for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise AccuracyError(f"{path} is no csv file of pairs: {error}") from None
    except OSError as error:
        raise AccuracyError(f"{path} cannot be read: {error.strerror}") from None
    if not pairs:
        raise AccuracyError(f"{path} names no pair: add a line {','.join(HEADER)} for each photo")
    return pairs


def _pair(row: dict[str, str | None], path: Path, line: int) -> Pair:
    photo, truth, kind, scale = (row.get(name) or "" for name in HEADER)
    if not photo or not truth:
        raise AccuracyError(f"{path}, line {line}: photo and truth must be named")
    if kind not in KINDS:
        raise AccuracyError(f"{path}, line {line}: kind is {kind!r}, allowed are {', '.join(KINDS)}")
    try:
        factor = float(scale) if scale.strip() else 1.0
    except ValueError:
        factor = math.nan
    if not (math.isfinite(factor) and factor > 0):
        raise AccuracyError(f"{path}, line {line}: scale is {scale!r}, it must be a number above 0, or empty for 1")
    return Pair(path.parent / photo, path.parent / truth, cast(TruthKind, kind), factor, f"{path.name}, line {line}")
