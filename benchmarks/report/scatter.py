"""Speed against accuracy: a point for each network and format."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.report.axis import Axis, logarithmic
from benchmarks.report.blocks import Picture
from benchmarks.report.curves import grid
from benchmarks.report.drawing import WIDTH, Drawing, width

_HEIGHT = 360
_LEFT, _RIGHT = 52, 16

_Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom."""


@dataclass(frozen=True)
class Dot:
    """A network in a format: its speed, its accuracy, and the series that its colour stands for."""

    label: str
    series: int
    x: float
    y: float


def scatter(name: str, title: str, dots: Sequence[Dot], *, series: Sequence[str], across: str, upwards: str) -> Picture:
    """Return the chart of at least one dot; the horizontal axis is logarithmic.

    Args:
        name: the picture's file name.
        title: is written above the chart.
        dots: what to draw. A label is written once, beside the first dot that bears it.
        series: what the colours 0, 1, ... stand for.
        across: what the horizontal axis shows.
        upwards: what the vertical axis shows.
    """
    sheet = Drawing()
    sheet.text(12, 24, title, kind="title")
    top = sheet.legend(14, 46, series) + 4
    sheet.text(14, top, upwards, kind="soft small")
    top += 12
    bottom = top + _HEIGHT
    x = logarithmic([dot.x for dot in dots], _LEFT, WIDTH - _RIGHT)
    low, high = min(dot.y for dot in dots), max(dot.y for dot in dots)
    margin = 0.12 * (high - low) or 1.0
    y = Axis(low - margin, high + margin, bottom, top, logarithmic=False)
    grid(sheet, x, y, top, bottom, across)
    named: dict[str, list[Dot]] = {}
    for dot in dots:
        named.setdefault(dot.label, []).append(dot)
    for each in named.values():
        left, right = min(each, key=lambda dot: dot.x), max(each, key=lambda dot: dot.x)
        sheet.line(x.place(left.x), y.place(left.y), x.place(right.x), y.place(right.y), "mark")
    for dot in dots:
        sheet.marker(x.place(dot.x), y.place(dot.y), dot.series, tip=dot.label)
    taken = [_around(x.place(dot.x) - 5, y.place(dot.y), 10) for dot in dots]
    for label, each in named.items():
        length = 0.97 * width(label)
        first, last = min(each, key=lambda dot: dot.x), max(each, key=lambda dot: dot.x)
        free = _free(
            [
                (x.place(last.x) + 8, y.place(last.y)),
                (x.place(first.x) - 8 - length, y.place(first.y)),
                *((x.place(last.x) - length / 2, y.place(last.y) + away) for away in (15, -15, 28, -28, 41, -41)),
            ],
            length,
            taken,
            (top, bottom),
        )
        taken.append(_around(*free, length))
        sheet.text(free[0], free[1] + 4, label, kind="small")
    return sheet.picture(name, f"{title}: {upwards} against {across}", bottom + 44)


def _around(left: float, middle: float, length: float) -> _Box:
    return left, middle - 6, left + length, middle + 6


def _free(
    places: Sequence[tuple[float, float]], length: float, taken: Sequence[_Box], between: tuple[float, float]
) -> tuple[float, float]:
    """Return the first place where a label of this length lies in the chart and on nothing else, or else the first."""
    for left, middle in places:
        box = _around(left, middle, length)
        inside = box[0] >= _LEFT and box[2] <= WIDTH and between[0] <= box[1] and box[3] <= between[1]
        if inside and not any(_meet(box, other) for other in taken):
            return left, middle
    left, middle = places[0]
    return min(left, WIDTH - length), middle


def _meet(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
