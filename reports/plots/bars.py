"""Bars: the time of each step one behind the other, or one figure for each of several settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from reports.palette import LIGHT
from reports.plots.sheet import Chart, Sheet, colour, logarithmic, styled

_BAR, _GAP = 0.25, 0.5
"""Inches from bar to bar, and the gap between groups in bars."""

_AROUND = 1.4
"""Inches for the title, the axis and the names of the series."""


@dataclass(frozen=True)
class Part:
    """A piece of a bar: the series that gives it its colour, and its length.

    `faint` is a lighter shade of that colour, `thin` half the height; `tip` is shown below the pointer.
    """

    series: int
    value: float
    faint: bool = False
    thin: bool = False
    tip: str = ""


@dataclass(frozen=True)
class Bar:
    """A bar of pieces one behind the other; `end` is written behind it."""

    parts: Sequence[Part]
    end: str


@dataclass(frozen=True)
class Group:
    """Bars beside one label."""

    label: str
    bars: Sequence[Bar]


def bars(
    title: str, groups: Sequence[Group], *, series: Sequence[str], across: str, words: str = "", log: bool = False
) -> Chart:
    """Return a chart.

    Args:
        title: is written above the chart.
        groups: from top to bottom.
        series: what the colours 0, 1, ... stand for.
        across: what the bars' length shows.
        words: what it shows, for who cannot see it; left out: its title and `across`.
        log: whether the axis is logarithmic; bars have one piece then, above zero.
    """
    return Chart(words or f"{title}: {across}", partial(_draw, title, groups, series, across, log=log))


@styled
def _draw(title: str, groups: Sequence[Group], series: Sequence[str], across: str, *, log: bool) -> Sheet:
    sheet = Sheet(_AROUND + _BAR * sum(len(group.bars) + _GAP for group in groups))
    axes, y = sheet.axes, 0.0
    ends: list[float] = []
    ticks: list[float] = []
    for group in groups:
        ticks.append(y + (len(group.bars) - 1) / 2)
        for bar in group.bars:
            end = 0.0
            for part in bar.parts:
                height = 0.36 if part.thin else 0.76
                (piece,) = axes.barh(y, part.value, height, end, color=colour(part.series))
                piece.set_alpha(0.4 if part.faint else None)
                sheet.tip(piece, part.tip)
                end += part.value
            axes.annotate(bar.end, (end, y), (4, 0), textcoords="offset points", va="center", fontsize=8.5)
            ends.append(end)
            y += 1
        y += _GAP
    axes.set_yticks(ticks, [group.label for group in groups], color=LIGHT["ink"])
    axes.set_ylim(y - _GAP - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.set_title(title)
    axes.set_xlabel(across)
    # constrained layout leaves no room for what is written behind the bars
    behind = 0.016 * max((len(bar.end) for group in groups for bar in group.bars), default=0)
    longest = max(ends, default=1.0)
    if log:
        low = min(ends, default=1.0) / 1.6
        axes.set_xlim(low, longest * (longest / low) ** (behind / (1 - behind)))
        logarithmic(axes, "x")
    else:
        axes.set_xlim(0, longest / (1 - behind) or 1.0)
    sheet.legend(series, boxes=True)
    return sheet
