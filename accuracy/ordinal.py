"""Which of two points is nearer: questions that people answered, as in DIW."""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from accuracy.errors import AccuracyError

NAME = "ordinal.csv"
DIW_NAME = "DIW_test.csv"
HEADER = ("photo", "x_a", "y_a", "x_b", "y_b", "nearer", "weight")

Point = tuple[int, int]


@dataclass(frozen=True)
class Question:
    """Two points (x, y) in pixels from the upper left corner (0, 0), of which people said which is nearer.

    Attributes:
        nearer, farther: the points.
        weight: how much the answer counts, above 0.
    """

    nearer: Point
    farther: Point
    weight: float = 1.0


def read_questions(path: Path) -> dict[Path, list[Question]]:
    """The questions about each photo.

    Args:
        path: a csv file in one of two forms, with paths relative to it. The project's own has the header
            `photo,x_a,y_a,x_b,y_b,nearer,weight` (nearer: a or b; weight may be empty: 1). DIW's (`DIW_test.csv`) has
            two lines a photo, its name and `y_a,x_a,y_b,x_b,relation,width,height`, with coordinates from 1 and the
            relation of the depths: `>` says that a is farther.

    Raises:
        AccuracyError: the file cannot be read, or a line is wrong.
    """
    try:
        lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise AccuracyError(f"{path} cannot be read: {error}") from None
    own = bool(lines) and tuple(lines[0].strip().split(",")) == HEADER
    found: dict[Path, list[Question]] = {}
    for photo, question in _own(lines, path) if own else _diw(lines, path):
        found.setdefault(path.parent / photo, []).append(question)
    if not found:
        raise AccuracyError(f"{path} holds no question: expected lines {','.join(HEADER)}")
    return found


def _own(lines: list[str], path: Path) -> Iterator[tuple[str, Question]]:
    for number, row in enumerate(csv.DictReader(lines), start=2):
        try:
            a, b = (int(row["x_a"]), int(row["y_a"])), (int(row["x_b"]), int(row["y_b"]))
            nearer, farther = {"a": (a, b), "b": (b, a)}[row["nearer"].strip()]
            weight = float(row["weight"] or 1) if a != b else math.nan  # of one point nobody can say which is nearer
        except (ValueError, KeyError, TypeError, AttributeError):
            weight = math.nan
        if not (math.isfinite(weight) and weight > 0):
            raise AccuracyError(
                f"{path}, line {number}: expected {','.join(HEADER)} with whole pixels of two different "
                "points, a or b, and a weight above 0"
            )
        yield row["photo"], Question(nearer, farther, weight)


def _diw(lines: list[str], path: Path) -> Iterator[tuple[str, Question]]:
    for number in range(0, len(lines) - 1, 2):
        try:
            y_a, x_a, y_b, x_b, relation, _, _ = lines[number + 1].split(",")
            a, b = (int(x_a) - 1, int(y_a) - 1), (int(x_b) - 1, int(y_b) - 1)
            nearer, farther = {"<": (a, b), ">": (b, a)}[relation.strip()]
        except (ValueError, KeyError):
            raise AccuracyError(
                f"{path}, line {number + 2}: expected the header {','.join(HEADER)}, or DIW's "
                "y_a,x_a,y_b,x_b,relation,width,height with relation < or >"
            ) from None
        yield lines[number].strip(), Question(nearer, farther)
