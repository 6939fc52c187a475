"""Points: one quality against another, for instance error against time."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.transforms import Bbox

from reports.palette import LIGHT
from reports.plots.sheet import Sheet, colour, logarithmic, marker, styled

_AWAY = (13, -13, 25, -25, 37, -37, 49, -49)
_PLACES = ((7, 0, "left"), (-7, 0, "right"), *((0, away, "center") for away in _AWAY))
"""Where a label may stand, in pixels from its point, and how it is aligned: the first free place is taken."""


@dataclass(frozen=True)
class Dot:
    """What a point stands for, the series that its colour stands for, and its place."""

    label: str
    series: int
    x: float
    y: float


@styled
def points(
    title: str,
    dots: Sequence[Dot],
    *,
    series: Sequence[str] = (),
    across: str,
    upwards: str,
    from_zero: bool = False,
    level: tuple[float, str] | None = None,
) -> Sheet:
    """Draw a chart of at least one dot; the horizontal axis is logarithmic.

    Args:
        title: is written above the chart.
        dots: what to draw. A label is written once, beside one of the dots that bear it; a dotted line joins them.
        series: what the colours 0, 1, ... stand for.
        across: what the horizontal axis shows.
        upwards: what the vertical axis shows.
        from_zero: whether the vertical axis begins at zero.
        level: a height with a dashed line, and the words on it.
    """
    sheet = Sheet(5.0, f"{title}: {upwards} against {across}")
    axes = sheet.axes
    heights = [*(dot.y for dot in dots), *([level[0]] if level else [])]
    low, high = 0.0 if from_zero else min(heights), max(heights)
    margin = 0.12 * (high - low) or 1.0
    axes.set_ylim(low if from_zero else low - margin, high + margin)
    axes.set_xlim(min(dot.x for dot in dots) / 1.6, max(dot.x for dot in dots) * 1.6)
    logarithmic(axes, "x")
    if level:
        axes.axhline(level[0], color=LIGHT["soft"], linestyle="--", linewidth=1)
        axes.annotate(level[1], (1, level[0]), (0, 3), ("axes fraction", "data"), "offset points", ha="right")
    for label in dict.fromkeys(dot.label for dot in dots):
        same = sorted((dot for dot in dots if dot.label == label), key=lambda dot: dot.x)
        axes.plot([dot.x for dot in same], [dot.y for dot in same], color=LIGHT["soft"], linewidth=1, linestyle=":")
        for dot in same:
            (drawn,) = axes.plot(dot.x, dot.y, color=colour(dot.series), marker=marker(dot.series), linestyle="")
            sheet.tip(drawn, dot.label)
    axes.set_title(title)
    axes.set_xlabel(across)
    axes.set_ylabel(upwards)
    sheet.legend(series)
    _label(sheet, dots)
    return sheet


def _label(sheet: Sheet, dots: Sequence[Dot]) -> None:
    """Write each label where it lies within the axes, and on no other label and no dot, if there is such a place."""
    axes = sheet.axes
    sheet.figure.draw_without_rendering()
    places = [axes.transData.transform((dot.x, dot.y)) for dot in dots]
    taken = [Bbox.from_extents(x - 5, y - 5, x + 5, y + 5) for x, y in places]
    for label in dict.fromkeys(dot.label for dot in dots):
        same = sorted((dot for dot in dots if dot.label == label), key=lambda dot: -dot.x)
        for number, (right, up, aligned) in enumerate(_PLACES):
            beside = same[-1] if aligned == "right" else same[0]
            text = axes.annotate(
                label, (beside.x, beside.y), (right, up), textcoords="offset points", ha=aligned, va="center"
            )
            box = text.get_window_extent()
            inside = (
                axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1 and axes.bbox.y0 <= box.y0 and box.y1 <= axes.bbox.y1
            )
            if number == len(_PLACES) - 1 or (inside and not box.count_overlaps(taken)):
                taken.append(box)
                break
            text.remove()
