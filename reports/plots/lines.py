"""Lines: what follows from a load or a step, for instance latency."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from matplotlib.axes import Axes

from reports.palette import LIGHT
from reports.plots.sheet import Chart, Sheet, colour, logarithmic, marker, styled


@dataclass(frozen=True)
class Point:
    """A point; `label` is written beside it, `tip` is shown below the pointer."""

    x: float
    y: float
    label: str = ""
    tip: str = ""


@dataclass(frozen=True)
class Line:
    """Points in their order, in the colour of a series; `second` is dashed with hollow points."""

    series: int
    points: Sequence[Point]
    second: bool = False


def lines(
    title: str,
    drawn: Sequence[Line],
    *,
    series: Sequence[str],
    across: str,
    upwards: str,
    marks: Sequence[tuple[float, str]] = (),
) -> Chart:
    """Return a chart of at least one line; the vertical axis is logarithmic.

    Args:
        title: is written above the chart.
        drawn: the lines.
        series: what the colours 0, 1, ... stand for.
        across: what the horizontal axis shows.
        upwards: what the vertical axis shows.
        marks: x with a dotted upright line, and the words beside it.
    """
    words = f"{title}: {', '.join(series)}; {upwards} against {across}"
    return Chart(words, partial(_draw, title, drawn, series, across, upwards, marks))


@styled
def _draw(
    title: str,
    drawn: Sequence[Line],
    series: Sequence[str],
    across: str,
    upwards: str,
    marks: Sequence[tuple[float, str]],
) -> Sheet:
    sheet = Sheet(4.2)
    axes = sheet.axes
    right = max([*(point.x for line in drawn for point in line.points), *(x for x, _ in marks)])
    axes.set_xlim(0, 1.06 * right)
    for line in drawn:
        _add(sheet, line)
    hold(axes, [point.y for line in drawn for point in line.points])
    for x, words in marks:
        axes.axvline(x, color=LIGHT["soft"], linewidth=1, linestyle=":")
        side = ((-4, -4), "right") if x > right / 2 else ((4, -4), "left")
        axes.annotate(
            words,
            (x, 1),
            side[0],
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha=side[1],
            va="top",
            fontsize=8.5,
            color=LIGHT["soft"],
        )
    axes.set_title(title)
    axes.set_xlabel(across)
    axes.set_ylabel(upwards)
    sheet.legend(series)
    return sheet


def hold(axes: Axes, values: Sequence[float]) -> None:
    """Make the vertical axis logarithmic, around all of `values` above zero and at least as long as a factor of 4."""
    positive = [value for value in values if value > 0] or [1.0]
    low, high = min(positive) / 1.25, max(positive) * 1.25
    missing = max(4 * low / high, 1.0) ** 0.5
    axes.set_ylim(low / missing, high * missing)
    logarithmic(axes, "y")


def _add(sheet: Sheet, line: Line) -> None:
    axes, kind = sheet.axes, colour(line.series)
    style, width = ("--", 1.3) if line.second else ("-", 2.0)
    axes.plot([p.x for p in line.points], [p.y for p in line.points], color=kind, linestyle=style, linewidth=width)
    inside = LIGHT["card"] if line.second else kind
    for point in line.points:
        (dot,) = axes.plot(point.x, point.y, color=kind, marker=marker(line.series), markerfacecolor=inside)
        sheet.tip(dot, point.tip)
        axes.annotate(point.label, (point.x, point.y), (6, -9), textcoords="offset points", fontsize=8.5)
