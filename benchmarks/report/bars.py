"""Bars: the time of each step one behind the other, or one figure for each of several settings."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report.axis import linear, written
from benchmarks.report.blocks import Picture
from benchmarks.report.drawing import WIDTH, Drawing, width

_LEFT, _RIGHT = 14, 14
_BAR, _LABEL, _GAP = 17, 18, 9


@dataclass(frozen=True)
class Part:
    """A piece of a bar: the series that gives it its colour, and its length.

    ``faint`` is a lighter shade of that colour, ``thin`` half the height.
    """

    series: int
    value: float
    faint: bool = False
    thin: bool = False
    tip: str = ""


@dataclass(frozen=True)
class Bar:
    """A bar of pieces one behind the other; ``end`` is written behind it."""

    parts: Sequence[Part]
    end: str


@dataclass(frozen=True)
class Group:
    """Bars under one label."""

    label: str
    bars: Sequence[Bar]


def bars(
    name: str, title: str, groups: Sequence[Group], *, series: Sequence[str], across: str, note: str = ""
) -> Picture:
    """Return the chart of at least one group.

    Args:
        name: the picture's file name.
        title: is written above the chart.
        groups: from top to bottom.
        series: what the colours 0, 1, ... stand for.
        across: what the bars' length shows.
        note: is written below the names of the series.
    """
    sheet = Drawing()
    sheet.text(12, 24, title, kind="title")
    top = sheet.legend(14, 46, series, boxes=True) + 4
    if note:
        sheet.text(14, top, note, kind="soft small")
        top += 14
    drawn = [bar for group in groups for bar in group.bars]
    behind = max(width(bar.end) for bar in drawn)
    ends = [sum(part.value for part in bar.parts) for bar in drawn]
    x = linear(ends, _LEFT, WIDTH - _RIGHT - behind)
    bottom = top + sum(_LABEL + len(group.bars) * _BAR + _GAP for group in groups)
    for tick in x.ticks():
        sheet.line(x.place(tick), top, x.place(tick), bottom)
        sheet.text(x.place(tick), bottom + 16, written(tick), anchor="middle", kind="soft small")
    sheet.text(WIDTH / 2, bottom + 35, across, anchor="middle", kind="soft")
    y = float(top)
    for group in groups:
        sheet.text(_LEFT, y + 13, group.label, kind="small")
        y += _LABEL
        for bar in group.bars:
            done = 0.0
            for part in bar.parts:
                left, right = x.place(done), x.place(done + part.value)
                height = (_BAR - 4) / (2 if part.thin else 1)
                down = y + (_BAR - height) / 2
                sheet.box(left, down, right - left, height, part.series, faint=part.faint, tip=part.tip)
                done += part.value
            sheet.text(x.place(done) + 5, y + _BAR - 4, bar.end, kind="small")
            y += _BAR
        y += _GAP
    return sheet.picture(name, f"{title}: {across}", bottom + 44)
